package conformance_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

// Where the relying party waits.
const (
	callback = "https://rp.example/cb"
	goodbye  = "https://rp.example/bye"
)

const (
	email    = "ada@example.com"
	password = "a lamp in the hall"
)

// site is a server as an operator sets it up who has it certified: the suite
// wants RS256 (OpenID Connect Core 1.0 §15.1), and tokens by the browser for the
// implicit plans. It has one user, of whom everything is known.
type site struct {
	server   *servertest.Server
	app      *application.Application
	user     *user.User
	metadata map[string]any
	provider *oidc.Provider
	cookies  []*http.Cookie // of a browser in which the user signed in
}

func open(t *testing.T) *site {
	t.Helper()
	s := servertest.Start(t, servertest.Options{Settings: []string{"signing_algorithm=RS256", "security_profile=oauth2"}})
	app, err := s.App.Applications.Get(t.Context(), s.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	words := password
	ada, err := s.App.People.Create(t.Context(), audit.System(), app.ID, user.Fields{
		Email: email, EmailVerified: true, Password: &words,
		Attributes: map[string]any{
			"givenName": "Ada", "middleName": "King", "familyName": "Lovelace", "nickname": "Enchantress", "birthday": "1815-12-10",
			"gender": "female", "locale": "en-GB", "zoneinfo": "Europe/London", "picture": "https://example.com/ada.jpg",
			"website": "https://example.com/ada", "phoneNumber": "+44 20 7946 0000", "phoneNumberVerified": "2026-01-02T03:04:05Z",
			"primaryAddress": map[string]any{"address1": "12 St James's Square", "city": "London", "zip": "SW1Y 4JH", "country": "GB"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	provider, err := oidc.NewProvider(t.Context(), s.Issuer) // compares the issuer
	if err != nil {
		t.Fatal(err)
	}
	made := &site{server: s, app: app, user: ada, provider: provider}
	if err := provider.Claims(&made.metadata); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, s.URL)
	if l := b.open(s.Issuer + "/account"); l.status != http.StatusOK {
		t.Fatalf("signing in: %d\n%s", l.status, l.page)
	}
	b.wantAsked("signin")
	made.cookies = b.http.Jar.Cookies(made.address(t, s.Issuer+"/account"))
	return made
}

func (s *site) address(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// party is a relying party in a module: what it is registered as, and the browser
// of its user, who is signed in and has agreed to nothing yet.
type party struct {
	*testing.T
	*site
	variant
	client  registration
	browser *browser
}

type registration struct{ id, secret string }

func (s *site) party(t *testing.T, v variant) *party {
	t.Helper()
	p := &party{T: t, site: s, variant: v, browser: newBrowser(t, s.server.URL)}
	p.browser.http.Jar.SetCookies(s.address(t, s.server.Issuer+"/"), s.cookies)
	p.client = p.register(nil)
	return p
}

// anonymous gives the party another browser, in which nobody is signed in.
func (p *party) anonymous() { p.browser = newBrowser(p.T, p.server.URL) }

// register makes a client that fits the variant, changed by change.
func (p *party) register(change map[string]any) registration {
	p.Helper()
	document := map[string]any{
		"id": ident.Client(), "name": ident.Record(), "kind": "web", "require_pkce": false, "grant_types": []string{"authorization_code", "refresh_token"},
		"redirect_uris": []string{callback}, "post_logout_redirect_uris": []string{goodbye},
		"scopes": []string{"openid", "profile", "email", "address", "phone", "offline_access"},
	}
	if !p.gives("code") {
		document["kind"], document["grant_types"] = "spa", []string{"implicit"}
		delete(document, "require_pkce")
	}
	maps.Copy(document, change)
	text, err := json.Marshal(document)
	if err != nil {
		p.Fatal(err)
	}
	fields, err := client.ParseFields(text)
	if err != nil {
		p.Fatal(err)
	}
	made, secret, err := p.server.App.Operations.CreateFrom(p.Context(), audit.System(), p.app, fields, client.CreateOptions{})
	if err != nil {
		p.Fatal(err)
	}
	return registration{made.ID, secret}
}

// gives reports whether the response type gives a code, a token or an id_token
// by the browser.
func (v variant) gives(what string) bool { return slices.Contains(strings.Fields(v.response), what) }

// modeOf is how answers come.
func (v variant) modeOf() string {
	switch {
	case v.mode != "":
		return v.mode
	case v.gives("code"):
		return "query"
	default:
		return "fragment"
	}
}

// endpoint gives an address of the metadata document.
func (p *party) endpoint(name string) string {
	p.Helper()
	address, ok := p.metadata[name].(string)
	if !ok {
		p.Fatalf("the metadata document has no %s", name)
	}
	return address
}

// ask is the request that every module changes: "name=value", or "name" to leave
// one out.
func (p *party) ask(change ...string) url.Values {
	v := url.Values{
		"client_id": {p.client.id}, "response_type": {p.response}, "redirect_uri": {callback}, "scope": {"openid"},
		"state": {ident.Record() + " &"}, "nonce": {ident.Record()},
	}
	if p.mode != "" {
		v.Set("response_mode", p.mode)
	}
	for _, c := range change {
		name, value, set := strings.Cut(c, "=")
		if v.Del(name); set {
			v.Set(name, value)
		}
	}
	return v
}

// authorize sends the browser to the authorization endpoint.
func (p *party) authorize(sent url.Values) *landing {
	p.Helper()
	return p.browser.open(p.endpoint("authorization_endpoint") + "?" + sent.Encode())
}

// outcome is what a relying party has in the end.
type outcome struct {
	access, refresh, id string         // tokens
	code                string         // that gave them
	claims              map[string]any // of the id_token
	userinfo            map[string]any // nil: there was no access token
}

// flow is all of it: the request, what the answer says, the tokens, userinfo.
func (p *party) flow(change ...string) *outcome {
	p.Helper()
	sent := p.ask(change...)
	return p.complete(sent, p.authorize(sent))
}

func (p *party) complete(sent url.Values, l *landing) *outcome {
	p.Helper()
	p.wantAnswer(sent, l)
	o := &outcome{code: l.values.Get("code"), access: l.values.Get("access_token"), id: l.values.Get("id_token")}
	if o.code != "" {
		got := p.token(p.client, 200, p.redemption(o.code))
		o.access, o.id, o.refresh = text(got, "access_token"), text(got, "id_token"), text(got, "refresh_token")
	}
	o.claims = p.identify(o.id, o.access, sent.Get("nonce"))
	if o.access != "" {
		o.userinfo = p.tell(p.bearer(http.MethodGet, o.access), 200)
		if o.userinfo["sub"] != o.claims["sub"] {
			p.Errorf("userinfo is of %v, the id_token of %v", o.userinfo["sub"], o.claims["sub"])
		}
	}
	return o
}

// wantAnswer wants an answer to the request, with what the response type gives
// and nothing else.
func (p *party) wantAnswer(sent url.Values, l *landing) {
	p.Helper()
	want := []string{"iss", "state"}
	if p.gives("code") {
		want = append(want, "code")
	}
	if p.gives("token") {
		want = append(want, "access_token", "expires_in", "scope", "token_type")
		if n, err := strconv.Atoi(l.values.Get("expires_in")); err != nil || n <= 0 || l.values.Get("token_type") != "Bearer" {
			p.Errorf("expires_in %q, token_type %q", l.values.Get("expires_in"), l.values.Get("token_type"))
		}
	}
	if p.gives("id_token") {
		want = append(want, "id_token")
	}
	slices.Sort(want)
	p.wantSent(sent, l)
	if got := slices.Sorted(maps.Keys(l.values)); !slices.Equal(got, want) {
		p.Fatalf("answered with %q, want %q", got, want)
	}
}

// wantSent wants something sent to the client, in the mode of the variant, with
// `state` and `iss`.
func (p *party) wantSent(sent url.Values, l *landing) {
	p.Helper()
	if l.at != sent.Get("redirect_uri") || l.mode != p.modeOf() {
		p.Fatalf("at %q by %q (%v), want %s by %s\n%d %s", l.at, l.mode, l.values, sent.Get("redirect_uri"), p.modeOf(), l.status, l.page)
	}
	if l.values.Get("state") != sent.Get("state") || l.values.Get("iss") != p.server.Issuer {
		p.Errorf("state %q, iss %q", l.values.Get("state"), l.values.Get("iss"))
	}
}

// wantError wants the client told of one of the errors.
func (p *party) wantError(sent url.Values, l *landing, codes ...string) {
	p.Helper()
	p.wantSent(sent, l)
	if !slices.Contains(codes, l.values.Get("error")) {
		p.Errorf("answered %v, want the error %q", l.values, codes)
	}
	for _, name := range []string{"code", "access_token", "id_token"} {
		if l.values.Has(name) {
			p.Errorf("an error, and %s", name)
		}
	}
}

// wantPage wants a page of the server that says what is wrong.
func (p *party) wantPage(l *landing) {
	p.Helper()
	if l.at != "" || l.status != http.StatusBadRequest || !strings.Contains(l.page, "invalid_request") {
		p.Errorf("at %q, %d; want a page that says what is wrong\n%s", l.at, l.status, l.page)
	}
}

// redemption is the form by which a code is redeemed.
func (p *party) redemption(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}}
}

// token asks the token endpoint by HTTP Basic.
func (p *party) token(c registration, status int, form url.Values) map[string]any {
	p.Helper()
	r := p.browser.request(http.MethodPost, p.endpoint("token_endpoint"), form)
	r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	return p.granted(r, status)
}

// granted sends a request to the token endpoint and looks at what every answer
// has.
func (p *party) granted(r *http.Request, status int) map[string]any {
	p.Helper()
	answer, body := p.browser.send(http.DefaultClient, r)
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil || answer.StatusCode != status {
		p.Fatalf("the token endpoint: %d %s, want %d", answer.StatusCode, body, status)
	}
	if answer.Header.Get("Content-Type") != "application/json" || answer.Header.Get("Cache-Control") != "no-store" {
		p.Errorf("the token endpoint: %v", answer.Header)
	}
	if life, _ := got["expires_in"].(float64); status == 200 && (got["token_type"] != "Bearer" || life <= 0) {
		p.Errorf("token_type %v, expires_in %v", got["token_type"], got["expires_in"])
	}
	return got
}

// bearer is a request to userinfo with the token in the header.
func (p *party) bearer(method, access string) *http.Request {
	p.Helper()
	r := p.browser.request(method, p.endpoint("userinfo_endpoint"), nil)
	r.Header.Set("Authorization", "Bearer "+access)
	return r
}

// tell asks userinfo.
func (p *party) tell(r *http.Request, status int) map[string]any {
	p.Helper()
	answer, body := p.browser.send(http.DefaultClient, r)
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil || answer.StatusCode != status || answer.Header.Get("Content-Type") != "application/json" {
		p.Fatalf("userinfo: %d %v %s, want %d", answer.StatusCode, answer.Header, body, status)
	}
	return got
}

// identify verifies an id_token as OpenID Connect Core 1.0 §3.1.3.7 and §3.2.2.11
// have it, and gives its claims.
func (p *party) identify(raw, access, nonce string) map[string]any {
	p.Helper()
	id, err := p.provider.Verifier(&oidc.Config{ClientID: p.client.id, Now: p.server.Clock.Now}).Verify(p.Context(), raw)
	if err != nil {
		p.Fatal(err)
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		p.Fatal(err)
	}
	if got, _ := claims["nonce"].(string); got != nonce {
		p.Errorf("the nonce is %q, want %q", got, nonce)
	}
	if id.Subject != p.user.UUID || id.IssuedAt.After(p.server.Clock.Now()) || claims["azp"] != nil {
		p.Errorf("the id_token says %v", claims)
	}
	switch {
	case access == "" && id.AccessTokenHash != "":
		p.Error("there is at_hash, and no access token")
	case access != "":
		if err := id.VerifyAccessToken(access); err != nil {
			p.Errorf("at_hash: %v", err)
		}
	}
	return claims
}

func text(document map[string]any, name string) string {
	s, _ := document[name].(string)
	return s
}
