package protocol_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
)

const callback = "https://app.example.com/cb"

// web is a client for the code flow that may have these scopes.
func (r *rig) web(set ...func(*client.Client)) creds {
	r.t.Helper()
	return r.client(append([]func(*client.Client){scoped("openid", "email", "a", "b"), func(c *client.Client) {
		c.Kind, c.Settings.GrantTypes = client.Web, []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken}
	}}, set...)...)
}

const userPassword = "a good long password of a user"

// user makes a user with a password.
func (r *rig) user() *user.User {
	r.t.Helper()
	hash, err := r.ring.HashSecret(r.t.Context(), userPassword)
	if err != nil {
		r.t.Fatal(err)
	}
	u := &user.User{
		ApplicationID: r.app, UUID: ident.User(), Email: ident.Record() + "@example.com", PasswordHash: hash, Era: 7,
		CreatedAt: r.clock.Now(), UpdatedAt: r.clock.Now(),
	}
	if err := r.db.Users().Create(r.t.Context(), u, r.event("user.create", "user:"+u.UUID)); err != nil {
		r.t.Fatal(err)
	}
	return u
}

// code is what the authorization endpoint would give.
func (r *rig) code(c creds, u *user.User, scopes ...string) string {
	r.t.Helper()
	app, err := r.parts.Applications.Get(r.t.Context(), r.app)
	if err != nil {
		r.t.Fatal(err)
	}
	of, err := r.parts.Clients.Get(r.t.Context(), r.app, c.id)
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := r.parts.Tokens.Code(r.t.Context(), &token.Authorization{
		Application: app, Client: of, Issuer: r.issuer(), User: u, AuthTime: r.clock.Now(), AMR: []string{"pwd"}, ACR: "1",
		Scopes: scopes, RedirectURI: callback,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

// grant asks for a token with a client's credentials.
func (r *rig) grant(c creds, body string) answer {
	r.t.Helper()
	return r.post(r.path("/oauth2/token"), body, http.Header{"Authorization": {c.basic()}})
}

func redeem(code string) string {
	return "grant_type=authorization_code&code=" + code + "&redirect_uri=" + url.QueryEscape(callback)
}

// granted gives what a new code gives.
func (r *rig) granted(c creds, u *user.User, scopes ...string) map[string]any {
	r.t.Helper()
	got := r.grant(c, redeem(r.code(c, u, scopes...)))
	got.wantStatus(r.t, "code", 200)
	return got.body
}

func text(t testing.TB, body map[string]any, name string) string {
	t.Helper()
	s, _ := body[name].(string)
	if s == "" {
		t.Fatalf("no %s in %v", name, body)
	}
	return s
}

// RFC 6749 §4.1.3 and §6, from a code to a narrowed refresh.
func TestCodeAndRefresh(t *testing.T) {
	r := newRig(t)
	c, u := r.web(), r.user()
	first := r.granted(c, u, "openid", "a", "b")
	if first["expires_in"] != 3600.0 || first["token_type"] != "Bearer" || first["scope"] != "openid a b" || text(t, first, "id_token") == "" {
		t.Errorf("%v", first)
	}
	again := r.grant(c, "grant_type=refresh_token&scope=a&refresh_token="+text(t, first, "refresh_token"))
	again.wantStatus(t, "refresh", 200)
	if again.body["scope"] != "a" || again.body["id_token"] != nil || again.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", again.body)
	}
	if again.body["refresh_token"] == first["refresh_token"] {
		t.Error("the refresh token stays")
	}
	r.introspect(c, text(t, first, "access_token")).wantStatus(t, "introspect", 200)
	for _, e := range []struct {
		name, body string
		code       string
	}{
		{"no code", "grant_type=authorization_code", "invalid_request"},
		{"an unknown code", redeem("ost_ac_nonsense"), "invalid_grant"},
		{"no refresh token", "grant_type=refresh_token", "invalid_request"},
		{"an unknown refresh token", "grant_type=refresh_token&refresh_token=x", "invalid_grant"},
		{"an access token", "grant_type=refresh_token&refresh_token=" + text(t, first, "access_token"), "invalid_grant"},
		{"another scope at the retry", "grant_type=refresh_token&scope=b&refresh_token=" + text(t, first, "refresh_token"), "invalid_scope"},
		{"a scope that was not granted", "grant_type=refresh_token&scope=email&refresh_token=" + text(t, again.body, "refresh_token"), "invalid_scope"},
		{"a malformed scope", "grant_type=refresh_token&scope=%22&refresh_token=" + text(t, again.body, "refresh_token"), "invalid_scope"},
	} {
		r.grant(c, e.body).wantError(t, e.name, 400, e.code)
	}
	r.grant(r.web(), "grant_type=refresh_token&refresh_token="+text(t, again.body, "refresh_token")).wantError(t, "another client", 400, "invalid_grant")
	r.grant(c, "grant_type=refresh_token&refresh_token="+text(t, again.body, "refresh_token")).wantStatus(t, "and yet", 200)
	r.clock.Advance(11 * time.Second)
	r.grant(c, "grant_type=refresh_token&refresh_token="+text(t, again.body, "refresh_token")).wantError(t, "used twice", 400, "invalid_grant")
	if got := r.introspect(c, text(t, first, "access_token")); got.body["active"] != false {
		t.Error("the family lives")
	}
}

// A scope taken from the client is left out at the next refresh.
func TestRefreshYieldsWhatIsStillAllowed(t *testing.T) {
	r := newRig(t)
	c, u := r.web(), r.user()
	first := r.granted(c, u, "a", "b")
	r.change(c, scoped("b"))
	second := r.grant(c, "grant_type=refresh_token&refresh_token="+text(t, first, "refresh_token"))
	if second.body["scope"] != "b" {
		t.Errorf("%d %v", second.status, second.body)
	}
	if got := r.introspect(c, text(t, first, "access_token")); got.body["scope"] != "a b" {
		t.Errorf("the token that is out: %v", got.body)
	}
	refresh := "grant_type=refresh_token&refresh_token=" + text(t, second.body, "refresh_token")
	r.grant(c, refresh+"&scope=a").wantError(t, "none left of those asked for", 400, "invalid_scope")
	r.change(c, func(c *client.Client) { c.Settings.GrantTypes = []oauth.GrantType{oauth.AuthorizationCode} })
	r.grant(c, refresh).wantError(t, "without the grant", 400, "unauthorized_client")
}

// RFC 7662 and RFC 7009 of what users' families hold.
func TestIntrospectionAndRevocationOfUsersTokens(t *testing.T) {
	r := newRig(t)
	c, other, boss, u := r.web(opaque), r.web(), r.client(owner), r.user()
	got := r.granted(c, u, "email", "a")
	access, refresh := text(t, got, "access_token"), text(t, got, "refresh_token")
	now := float64(r.clock.Now().Unix())
	want := map[string]any{
		"active": true, "client_id": c.id, "scope": "email a", "sub": u.UUID, "username": u.Email, "token_type": "Bearer",
		"iat": now, "exp": now + 3600, "aud": r.issuer(), "iss": r.issuer(), "auth_time": now, "acr": "1",
	}
	answer := r.introspect(c, access)
	delete(answer.body, "jti")
	delete(answer.body, "amr")
	if !maps.Equal(answer.body, want) {
		t.Errorf("access token: %v, want %v", answer.body, want)
	}
	want["token_type"], want["exp"] = "refresh_token", now+30*24*3600
	for _, caller := range []creds{c, boss} {
		answer := r.introspect(caller, refresh, "token_type_hint=access_token")
		delete(answer.body, "amr")
		if !maps.Equal(answer.body, want) {
			t.Errorf("refresh token: %v, want %v", answer.body, want)
		}
	}
	code := r.code(c, u, "a")
	for _, hidden := range []struct {
		caller creds
		text   string
	}{{other, access}, {other, refresh}, {boss, code}} {
		if got := r.introspect(hidden.caller, hidden.text); got.body["active"] != false {
			t.Errorf("%v", got.body)
		}
	}
	r.revoke(other, refresh).wantStatus(t, "another's", 200)
	if got := r.introspect(c, refresh); got.body["active"] != true {
		t.Error("another client revoked it")
	}
	r.revoke(c, refresh, "token_type_hint=access_token").wantStatus(t, "its own", 200)
	for _, text := range []string{access, refresh} {
		if got := r.introspect(c, text); got.body["active"] != false {
			t.Errorf("alive: %v", got.body)
		}
	}
}

// RFC 6749 §4.3, under the profile that admits it.
func TestPasswordGrant(t *testing.T) {
	r := newRig(t)
	c := r.web(func(c *client.Client) { c.Settings.GrantTypes = append(c.Settings.GrantTypes, oauth.Password) })
	u := r.user()
	body := func(name, password string) string {
		return "grant_type=password&scope=openid+a&username=" + url.QueryEscape(name) + "&password=" + url.QueryEscape(password)
	}
	r.grant(c, body(u.Email, userPassword)).wantError(t, "under oauth2.1", 400, "unsupported_grant_type")
	r.settings(func(s *application.Settings) { s.SecurityProfile = application.OAuth2 })
	got := r.grant(c, body(strings.ToUpper(u.Email), userPassword))
	got.wantStatus(t, "password", 200)
	if got.body["refresh_token"] != nil || text(t, got.body, "id_token") == "" || got.body["scope"] != "openid a" {
		t.Errorf("%v", got.body)
	}
	if about := r.introspect(c, text(t, got.body, "access_token")); about.body["sub"] != u.UUID || about.body["auth_time"] != float64(r.clock.Now().Unix()) {
		t.Errorf("%v", about.body)
	}
	r.grant(r.web(), body(u.Email, userPassword)).wantError(t, "without the grant", 400, "unauthorized_client")
	r.grant(c, "grant_type=password&scope=a&username=x").wantError(t, "no password", 400, "invalid_request")
	r.grant(c, body(u.Email, "wrong")).wantError(t, "wrong password", 400, "invalid_grant")
	r.grant(c, body("nobody@example.com", userPassword)).wantError(t, "nobody", 400, "invalid_grant")
}

// legacy_token_query: parameters in the query string of a POST.
func TestLegacyTokenQuery(t *testing.T) {
	r := newRig(t)
	c := r.client()
	query := "?grant_type=client_credentials&client_id=" + c.id + "&client_secret=" + url.QueryEscape(c.secret)
	ask := func(query, body, contentType string) answer {
		return r.do(http.MethodPost, r.path("/oauth2/token")+query, body, http.Header{"Content-Type": {contentType}})
	}
	const form = "application/x-www-form-urlencoded"
	ask(query, "", form).wantError(t, "off", 401, "invalid_client")
	r.settings(func(s *application.Settings) { s.LegacyTokenQuery = true })
	ask(query, "", form).wantStatus(t, "all of it in the query", 200)
	ask(query, "", "").wantStatus(t, "without a body", 200)
	ask(query, "", "application/json").wantStatus(t, "whatever the type of nothing is", 200)
	ask("?grant_type=client_credentials", "client_id="+c.id+"&client_secret="+url.QueryEscape(c.secret), form).wantStatus(t, "in both", 200)
	ask(query, "grant_type=client_credentials", form).wantError(t, "repeated", 400, "invalid_request")
	ask(query, "{}", "application/json").wantError(t, "another body", 400, "invalid_request")
	r.do(http.MethodPost, r.path("/oauth2/introspect")+query+"&token=x", "", http.Header{"Content-Type": {form}}).wantError(t, "elsewhere", 401, "invalid_client")
}

// An inactive client gets nothing for what it holds, and what it holds stays dead
// once it is active again.
func TestRefreshByAnInactiveClient(t *testing.T) {
	r := newRig(t)
	c, u := r.web(), r.user()
	held := r.granted(c, u, "a")
	refresh, code := "grant_type=refresh_token&refresh_token="+text(t, held, "refresh_token"), r.code(c, u, "a")
	r.setActive(c, false)
	r.grant(c, refresh).wantError(t, "inactive, a refresh token", 401, "invalid_client")
	r.grant(c, redeem(code)).wantError(t, "inactive, a code", 401, "invalid_client")
	r.setActive(c, true)
	r.grant(c, refresh).wantError(t, "active again, a refresh token", 400, "invalid_grant")
	r.grant(c, redeem(code)).wantError(t, "active again, a code", 400, "invalid_grant")
	r.wantActive("the access token", c, text(t, held, "access_token"), false)
}
