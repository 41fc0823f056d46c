package protocol_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

// browser is a user's, and a client's way to the server.
type browser struct {
	*testing.T
	server *servertest.Server
	http   *http.Client
}

// newBrowser makes one that follows no redirects by itself.
func newBrowser(t *testing.T, s *servertest.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// do sends a request and gives the answer with its text.
func (b *browser) do(method, address string, form url.Values, h http.Header) (*http.Response, string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	maps.Copy(r.Header, h)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.http.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.Fatal(err)
	}
	return answer, string(text)
}

// object is do for an answer that is a JSON object.
func (b *browser) object(method, address string, form url.Values, h http.Header, want int) map[string]any {
	b.Helper()
	answer, text := b.do(method, address, form, h)
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil || answer.StatusCode != want {
		b.Fatalf("%s %s: %d %s (%v)", method, address, answer.StatusCode, text, err)
	}
	return got
}

// signIn begins a session in the browser.
func (b *browser) signIn(u *user.User) *session.Session {
	b.Helper()
	app, err := b.server.App.Applications.Get(b.Context(), b.server.ApplicationID)
	if err != nil {
		b.Fatal(err)
	}
	made, cookie, err := b.server.App.Sessions.Begin(b.Context(), audit.System(), app, u, session.SignIn{AMR: []string{"pwd"}, ACR: session.OneFactor})
	if err != nil {
		b.Fatal(err)
	}
	at, err := url.Parse(b.server.Issuer + "/")
	if err != nil {
		b.Fatal(err)
	}
	b.http.Jar.SetCookies(at, []*http.Cookie{{Name: "ostiary", Value: cookie}}) //nolint:gosec // G124: a browser sends no attributes
	return made
}

// register makes a client of a document.
func register(t *testing.T, s *servertest.Server, document string) *client.Client {
	t.Helper()
	app, err := s.App.Applications.Get(t.Context(), s.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := client.ParseFields([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := s.App.Operations.CreateFrom(t.Context(), audit.System(), app, fields, client.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	page      = "https://app.example"
)

// flow is a server with a single-page application and a user who agreed to it.
func flow(t *testing.T, settings ...string) (*browser, map[string]any, *user.User) {
	t.Helper()
	s := servertest.Start(t, servertest.Options{Settings: settings})
	register(t, s, `{"id":"spa","name":"spa","kind":"spa","redirect_uris":["`+page+`/cb"],"post_logout_redirect_uris":["`+page+`/bye"],
		"grant_types":["authorization_code","refresh_token"],"scopes":["openid","profile","email","offline_access"]}`)
	u, err := s.App.People.Create(t.Context(), audit.System(), s.ApplicationID, user.Fields{
		Email: "ann@example.com", EmailVerified: true, Attributes: map[string]any{"givenName": "Ann", "familyName": "Example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.App.Consents.Grant(t.Context(), audit.System(), s.ApplicationID, u.UUID, "spa", []string{"openid", "profile", "email"}); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, s)
	b.signIn(u)
	return b, b.object("GET", s.Issuer+"/.well-known/openid-configuration", nil, nil, 200), u
}

// code goes through the authorization endpoint.
func (b *browser) code(metadata map[string]any, more url.Values) string {
	b.Helper()
	v := url.Values{
		"client_id": {"spa"}, "response_type": {"code"}, "redirect_uri": {page + "/cb"}, "scope": {"openid profile"}, "state": {"xyz"},
		"nonce": {"n-0S6"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	maps.Copy(v, more)
	answer, text := b.do("GET", metadata["authorization_endpoint"].(string)+"?"+v.Encode(), nil, nil)
	to, err := answer.Location()
	if err != nil || answer.StatusCode != http.StatusSeeOther || to.Query().Get("code") == "" || to.Query().Get("iss") != b.server.Issuer || to.Query().Get("state") != "xyz" {
		b.Fatalf("%d to %v: %s", answer.StatusCode, to, text)
	}
	return to.Query().Get("code")
}

// tokens redeems a code.
func (b *browser) tokens(metadata map[string]any, code string) map[string]any {
	b.Helper()
	return b.object("POST", metadata["token_endpoint"].(string), url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {page + "/cb"}, "client_id": {"spa"}, "code_verifier": {verifier},
	}, http.Header{"Origin": {page}}, 200)
}

func bearer(text string) http.Header {
	return http.Header{"Authorization": {"Bearer " + text}, "Origin": {page}}
}

// A user signs in to a single-page application: authorization, token, userinfo,
// logout, by what the metadata says.
func TestCodeFlow(t *testing.T) {
	b, metadata, u := flow(t)
	tokens := b.tokens(metadata, b.code(metadata, url.Values{"claims": {`{"userinfo":{"email":null}}`}}))
	access, _ := tokens["access_token"].(string)
	id, _ := tokens["id_token"].(string)
	if tokens["refresh_token"] == nil || tokens["scope"] != "openid profile" {
		t.Errorf("got %v", tokens)
	}
	header, claims := parts(t, id)
	if header["typ"] != "JWT" || claims["iss"] != b.server.Issuer || claims["aud"] != "spa" || claims["sub"] != u.UUID || claims["nonce"] != "n-0S6" ||
		claims["sid"] == nil || claims["auth_time"] == nil || claims["acr"] != "1" || claims["at_hash"] == nil || claims["name"] != nil {
		t.Errorf("the ID token says %v", claims)
	}
	userinfo, _ := metadata["userinfo_endpoint"].(string)
	for _, method := range []string{"GET", "POST"} {
		told := b.object(method, userinfo, nil, bearer(access), 200)
		if told["sub"] != u.UUID || told["given_name"] != "Ann" || told["email"] != "ann@example.com" || told["phone_number"] != nil {
			t.Errorf("%s: userinfo tells %v", method, told)
		}
	}
	if told := b.object("POST", userinfo, url.Values{"access_token": {access}}, nil, 200); told["sub"] != u.UUID {
		t.Errorf("by a form, userinfo tells %v", told)
	}
	out, _ := metadata["end_session_endpoint"].(string)
	answer, _ := b.do("GET", out+"?"+url.Values{"id_token_hint": {id}, "post_logout_redirect_uri": {page + "/bye"}, "state": {"a&b"}}.Encode(), nil, nil)
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != page+"/bye?state=a%26b" {
		t.Errorf("%d to %s", answer.StatusCode, answer.Header.Get("Location"))
	}
	v := url.Values{"client_id": {"spa"}, "response_type": {"code"}, "redirect_uri": {page + "/cb"}, "scope": {"openid"}, "prompt": {"none"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	answer, _ = b.do("GET", metadata["authorization_endpoint"].(string)+"?"+v.Encode(), nil, nil)
	if to, err := answer.Location(); err != nil || to.Query().Get("error") != "login_required" {
		t.Errorf("after the logout: %v", to)
	}
}

// The metadata of each profile announces what works, and no more.
func TestMetadataOfProfiles(t *testing.T) {
	_, strict, _ := flow(t)
	_, old, _ := flow(t, "security_profile=oauth2")
	for name, want := range map[string][2]string{
		"grant_types_supported":                 {"authorization_code client_credentials refresh_token", "authorization_code client_credentials implicit password refresh_token"},
		"response_types_supported":              {"code", "code,id_token,id_token token,token"},
		"response_modes_supported":              {"form_post fragment query", "form_post fragment query"},
		"code_challenge_methods_supported":      {"S256", "S256"},
		"subject_types_supported":               {"public", "public"},
		"id_token_signing_alg_values_supported": {"ES256", "ES256"},
		"prompt_values_supported":               {"none login consent select_account", "none login consent select_account"},
		"acr_values_supported":                  {"1 2", "1 2"},
		"token_endpoint_auth_methods_supported": {"client_secret_basic client_secret_post none", "client_secret_basic client_secret_post none"},
	} {
		for i, metadata := range []map[string]any{strict, old} {
			var got []string
			list, _ := metadata[name].([]any)
			for _, v := range list {
				got = append(got, v.(string))
			}
			if strings.Join(got, ",") != strings.ReplaceAll(want[i], " ", ",") && strings.Join(got, ",") != want[i] {
				t.Errorf("%s: %q, want %q", name, got, want[i])
			}
		}
	}
	for name, want := range map[string]bool{
		"claims_parameter_supported": true, "request_parameter_supported": false, "request_uri_parameter_supported": false,
		"authorization_response_iss_parameter_supported": true, "backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
	} {
		if strict[name] != want {
			t.Errorf("%s: %v", name, strict[name])
		}
	}
	if languages, _ := strict["ui_locales_supported"].([]any); len(languages) < 2 || languages[0] != "en" {
		t.Errorf("languages %v", languages)
	}
}

// RFC 6750 §3.1: what is wrong with a token, and how it is said.
func TestUserInfoRefusals(t *testing.T) {
	b, metadata, u := flow(t)
	userinfo, _ := metadata["userinfo_endpoint"].(string)
	access, _ := b.tokens(metadata, b.code(metadata, nil))["access_token"].(string)
	plain, _ := b.tokens(metadata, b.code(metadata, url.Values{"scope": {"profile"}}))["access_token"].(string)
	address := userinfo + "?access_token=" + url.QueryEscape(access)
	refuse := func(name string, h http.Header, form url.Values, status int, code, challenge string) {
		t.Helper()
		method := "GET"
		if form != nil {
			method = "POST"
		}
		answer, text := b.do(method, address, form, h)
		if answer.StatusCode != status || !strings.Contains(text, `"error":"`+code+`"`) || !strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), challenge) ||
			(challenge == "") != (answer.Header.Get("WWW-Authenticate") == "") || answer.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: %d %s %v", name, answer.StatusCode, text, answer.Header)
		}
		if h.Get("Origin") != "" && answer.Header.Get("Access-Control-Allow-Origin") != page {
			t.Errorf("%s: the page cannot read it: %v", name, answer.Header)
		}
	}
	refuse("in the query", nil, nil, 401, "invalid_token", `Bearer realm="ostiary"`)
	address = userinfo
	refuse("no token", nil, nil, 401, "invalid_token", `Bearer realm="ostiary"`)
	refuse("a forged one", bearer("ost_at_x"), nil, 401, "invalid_token", `Bearer realm="ostiary", error="invalid_token"`)
	refuse("without openid", bearer(plain), nil, 403, "insufficient_scope", `Bearer realm="ostiary", error="insufficient_scope"`)
	owner := creds{b.server.OwnerID, b.server.OwnerSecret}
	own, _ := b.object("POST", metadata["token_endpoint"].(string), url.Values{"grant_type": {"client_credentials"}}, http.Header{"Authorization": {owner.basic()}}, 200)["access_token"].(string)
	refuse("of a client", http.Header{"Authorization": {"Bearer " + own}}, nil, 403, "insufficient_scope", `Bearer realm="ostiary", error="insufficient_scope"`)
	refuse("two ways", bearer(access), url.Values{"access_token": {access}}, 400, "invalid_request", "")
	answer, _ := b.do("GET", userinfo, nil, http.Header{"Authorization": {"Bearer " + access}, "Origin": {"https://evil.example"}})
	if answer.StatusCode != 200 || answer.Header.Get("Access-Control-Allow-Origin") != "" || answer.Header.Get("Vary") != "Origin" {
		t.Errorf("another page's: %v", answer.Header)
	}
	if _, err := b.server.App.People.Patch(t.Context(), audit.System(), b.server.ApplicationID, u.UUID, []byte(`{"active":false}`), nil); err != nil {
		t.Fatal(err)
	}
	refuse("of a user who was deactivated", bearer(access), nil, 401, "invalid_token", `Bearer realm="ostiary", error="invalid_token"`)
}

// A code is bound to the redirect URI and to the verifier.
func TestACodeIsBound(t *testing.T) {
	b, metadata, _ := flow(t)
	code := b.code(metadata, nil)
	for _, c := range []struct{ name, value string }{{"code_verifier", ""}, {"code_verifier", strings.Repeat("a", 43)}, {"redirect_uri", page + "/other"}, {"redirect_uri", ""}} {
		form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {page + "/cb"}, "client_id": {"spa"}, "code_verifier": {verifier}}
		form.Set(c.name, c.value)
		got := b.object("POST", metadata["token_endpoint"].(string), form, nil, 400)
		if got["error"] != "invalid_grant" && got["error"] != "invalid_request" {
			t.Errorf("%s %q: %v", c.name, c.value, got)
		}
	}
	if b.tokens(metadata, code)["access_token"] == nil {
		t.Error("what was tried in vain spent the code")
	}
}

// A token for a resource tells that resource nothing of the user that the client
// was told.
func TestUserInfoAudience(t *testing.T) {
	b, metadata, _ := flow(t)
	resources := resource.NewOperations(b.server.App.Store.Resources(), b.server.App.Resources, b.server.Clock.Now)
	const api = "https://api.example"
	if _, err := resources.Create(t.Context(), audit.System(), b.server.ApplicationID, resource.Fields{Identifier: api, Name: "API"}); err != nil {
		t.Fatal(err)
	}
	tokens := b.tokens(metadata, b.code(metadata, url.Values{"resource": {api}}))
	if tokens["id_token"] == nil {
		t.Errorf("no ID token beside one for a resource: %v", tokens)
	}
	access, _ := tokens["access_token"].(string)
	if got := b.object("GET", metadata["userinfo_endpoint"].(string), nil, bearer(access), 401); got["error"] != "invalid_token" {
		t.Errorf("answered %v", got)
	}
}
