package protocol_test

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

func scoped(names ...string) func(*client.Client) {
	return func(c *client.Client) { c.Settings.Scopes.Allowed = names }
}

func opaque(c *client.Client) { c.Settings.AccessToken.Format = lifetime.Opaque }

func never(c *client.Client) { c.Settings.AccessToken.Never = true }

func public(c *client.Client) { c.Public, c.Secrets, c.Kind = true, nil, client.SPA }

// The rows of "OAuth errors, to the letter" at the token endpoint.
func TestTokenErrors(t *testing.T) {
	r := newRig(t)
	plain := r.client()
	some := r.client(scoped("a", "b"))
	idle := r.client(func(c *client.Client) { c.Kind, c.Settings.Features = client.Other, nil })
	web := r.client(func(c *client.Client) { c.Kind = client.Web })
	elsewhere := r.client(func(c *client.Client) { c.Settings.AllowedIPs = []string{"198.51.100.0/24"} })
	asleep := r.client(func(c *client.Client) { c.Inactive = true })
	open := r.client(public)
	openMachine := r.client(public, func(c *client.Client) { c.Settings.GrantTypes = []oauth.GrantType{oauth.ClientCredentials} })
	const cc = "grant_type=client_credentials"
	for _, c := range []struct {
		name   string
		auth   string // the Authorization line; "": none
		body   string
		status int
		code   string
	}{
		{"no client authentication", "", cc, 401, "invalid_client"},
		{"malformed Basic", "Basic x", cc, 401, "invalid_client"},
		{"another scheme", "Bearer x", cc, 401, "invalid_client"},
		{"unknown client", creds{"nobody", "x"}.basic(), cc, 401, "invalid_client"},
		{"an id that none can have", creds{"no body", "x"}.basic(), cc, 401, "invalid_client"},
		{"wrong secret", creds{plain.id, "wrong"}.basic(), cc, 401, "invalid_client"},
		{"wrong secret in the body", "", cc + "&client_id=" + plain.id + "&client_secret=wrong", 401, "invalid_client"},
		{"a confidential client without a secret", "", cc + "&client_id=" + plain.id, 401, "invalid_client"},
		{"the same by Basic", creds{plain.id, ""}.basic(), cc, 401, "invalid_client"},
		{"a public client with a secret", creds{open.id, "x"}.basic(), cc, 401, "invalid_client"},
		{"inactive client", asleep.basic(), cc, 401, "invalid_client"},
		{"two authentication methods", plain.basic(), cc + "&client_secret=" + plain.secret, 400, "invalid_request"},
		{"a client_id that differs", plain.basic(), cc + "&client_id=" + some.id, 400, "invalid_request"},
		{"address not on the list", elsewhere.basic(), cc, 403, "access_denied"},
		{"address, before the grant", elsewhere.basic(), "grant_type=nonsense", 403, "access_denied"},
		{"no grant type", plain.basic(), "", 400, "invalid_request"},
		{"an empty grant type", plain.basic(), "grant_type=", 400, "invalid_request"},
		{"unknown grant type", plain.basic(), "grant_type=nonsense", 400, "unsupported_grant_type"},
		{"refused by the profile", plain.basic(), "grant_type=password", 400, "unsupported_grant_type"},
		{"another grant that is not the client's", plain.basic(), "grant_type=authorization_code", 400, "unauthorized_client"},
		{"a grant that is nobody's", plain.basic(), "grant_type=implicit", 400, "unsupported_grant_type"},
		{"not the client's grant", web.basic(), cc, 400, "unauthorized_client"},
		{"a public client", "", cc + "&client_id=" + open.id, 400, "unauthorized_client"},
		{"a public client, whatever is stored", "", cc + "&client_id=" + openMachine.id, 400, "unauthorized_client"},
		{"no feature and no grant", idle.basic(), cc, 400, "unauthorized_client"},
		{"no feature and no grant, before the grant", idle.basic(), "grant_type=nonsense", 400, "unauthorized_client"},
		{"no scope where one is required", some.basic(), cc, 400, "invalid_scope"},
		{"an empty scope where one is required", some.basic(), cc + "&scope=", 400, "invalid_scope"},
		{"a scope outside the allowed ones", some.basic(), cc + "&scope=a+c", 400, "invalid_scope"},
		{"a scope where none is allowed", plain.basic(), cc + "&scope=a", 400, "invalid_scope"},
		{"a malformed scope", some.basic(), cc + "&scope=%22", 400, "invalid_scope"},
		{"unknown resource", plain.basic(), cc + "&resource=https%3A%2F%2Fapi.example.com", 400, "invalid_target"},
		{"unknown resources", plain.basic(), cc + "&resource=urn%3Aa&resource=urn%3Ab", 400, "invalid_target"},
		{"repeated parameter", plain.basic(), cc + "&" + cc, 400, "invalid_request"},
		{"malformed parameter", plain.basic(), cc + "&scope=%zz", 400, "invalid_request"},
		{"a body that is too large", plain.basic(), cc + "&x=" + strings.Repeat("x", 64<<10), 400, "invalid_request"},
	} {
		h := http.Header{}
		if c.auth != "" {
			h.Set("Authorization", c.auth)
		}
		got := r.post(r.path("/oauth2/token"), c.body, h)
		got.wantError(t, c.name, c.status, c.code)
		if challenged := got.header.Get("WWW-Authenticate") != ""; challenged != (c.status == 401 && c.auth != "") {
			t.Errorf("%s: WWW-Authenticate is %q", c.name, got.header.Get("WWW-Authenticate"))
		}
	}
	if n := r.families(); n != 0 {
		t.Errorf("%d families were stored by refused requests", n)
	}
}

func TestTokenRequestsThatAreNoForm(t *testing.T) {
	r := newRig(t)
	c := r.client()
	h := http.Header{"Authorization": {c.basic()}}
	for _, contentType := range []string{"", "application/json", "multipart/form-data", "application/x-www-form-urlencoded/x", "text/plain"} {
		h.Set("Content-Type", contentType)
		r.post(r.path("/oauth2/token"), "grant_type=client_credentials", h).wantError(t, contentType, 400, "invalid_request")
	}
	h.Set("Content-Type", "Application/X-WWW-Form-URLencoded; charset=UTF-8")
	r.post(r.path("/oauth2/token"), "grant_type=client_credentials", h).wantStatus(t, "another spelling", 200)
	h.Set("Content-Type", "")
	r.post(r.path("/oauth2/token")+"?grant_type=client_credentials&client_id="+c.id+"&client_secret="+c.secret, "", nil).
		wantError(t, "parameters in the query", 401, "invalid_client")
}

func TestTokenRoutes(t *testing.T) {
	r := newRig(t)
	c := r.client()
	for path, allow := range map[string]string{"/oauth2/token": "POST, OPTIONS", "/oauth2/introspect": "POST", "/oauth2/revoke": "POST, OPTIONS"} {
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH"} {
			got := r.do(method, r.path(path), "", nil)
			if got.status != 405 || got.header.Get("Allow") != allow {
				t.Errorf("%s %s: %d, Allow %q", method, path, got.status, got.header.Get("Allow"))
			}
			if method != "HEAD" {
				got.wantError(t, method+" "+path, 405, "invalid_request")
			}
		}
		got := r.post("/no-such-application"+path, "grant_type=client_credentials&token=x", http.Header{"Authorization": {c.basic()}})
		got.wantError(t, "unknown application, "+path, 401, "invalid_client")
		r.post("/%00%FF"+path, "grant_type=client_credentials&token=x", http.Header{"Authorization": {c.basic()}}).
			wantError(t, "impossible application, "+path, 401, "invalid_client")
	}
	r.post(r.path("/oauth2/nothing"), "", nil).wantError(t, "unknown path", 404, "invalid_request")
}

func TestTokenAnswer(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name    string
		client  creds
		body    string
		scope   any
		expires any
	}{
		{"no scopes", r.client(), "", nil, 3600.0},
		{"scopes asked for", r.client(scoped("a", "b", "c")), "&scope=c+a+c", "c a", 3600.0},
		{"all scopes where none need be named", r.client(scoped("a", "b"), func(c *client.Client) { c.Settings.Scopes.AllowUnscoped = true }), "", "a b", 3600.0},
		{"opaque", r.client(opaque), "", nil, 3600.0},
		{"a minute", r.client(func(c *client.Client) { c.Settings.AccessToken.Seconds = 60 }), "", nil, 60.0},
		{"never", r.client(never), "", nil, nil},
		{"a feature implies the grant", r.client(func(c *client.Client) {
			c.Kind, c.Settings.Features = client.Other, client.Features{client.DirectAccess}
		}), "", nil, 3600.0},
	} {
		for _, auth := range []string{"basic", "post", "basic and client_id"} {
			got := r.tokenBy(auth, c.client, c.body)
			got.wantStatus(t, c.name+" by "+auth, 200)
			want := map[string]any{"access_token": got.body["access_token"], "token_type": "Bearer"}
			if c.scope != nil {
				want["scope"] = c.scope
			}
			if c.expires != nil {
				want["expires_in"] = c.expires
			}
			if !maps.Equal(got.body, want) {
				t.Errorf("%s by %s: got %v, want %v", c.name, auth, got.body, want)
			}
			for name, value := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache", "Content-Type": "application/json"} {
				if got.header.Get(name) != value {
					t.Errorf("%s: %s is %q", c.name, name, got.header.Get(name))
				}
			}
		}
	}
}

// RFC 9068 §2.
func TestJWTAccessToken(t *testing.T) {
	r := newRig(t)
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA"} {
		r.settings(func(s *application.Settings) { s.SigningAlgorithm = algorithm })
		c := r.client(scoped("a", "b"))
		text := r.mint(c, "scope=b+a")
		header, payload := parts(t, text)
		if header["typ"] != "at+jwt" || header["alg"] != algorithm || header["kid"] == nil {
			t.Errorf("%s: header %v", algorithm, header)
		}
		now := float64(r.clock.Now().Unix())
		want := map[string]any{
			"iss": r.issuer(), "aud": r.issuer(), "sub": c.id, "client_id": c.id, "scope": "b a",
			"jti": payload["jti"], "iat": now, "exp": now + 3600,
		}
		if !maps.Equal(payload, want) {
			t.Errorf("%s: got %v, want %v", algorithm, payload, want)
		}
		r.verifyWithJWKS(text, algorithm)
		if again := r.introspect(c, text); again.body["active"] != true {
			t.Errorf("%s: %v", algorithm, again.body)
		}
	}
	_, payload := parts(t, r.mint(r.client(), ""))
	if _, ok := payload["scope"]; ok {
		t.Errorf("an empty scope is in %v", payload)
	}
}

func TestNeverIsOpaqueWhateverTheFormat(t *testing.T) {
	r := newRig(t)
	c := r.client(never, func(c *client.Client) { c.Settings.AccessToken.Format = lifetime.JWT })
	if text := r.mint(c, ""); !strings.HasPrefix(text, "ost_at_") {
		t.Errorf("got %.10s…", text)
	}
}

func TestFailedAuthenticationsAreSlowedDown(t *testing.T) {
	r := newRig(t, throttle(1, 3))
	c := r.client()
	for range 3 {
		r.tokenBy("basic", creds{c.id, "wrong"}, "").wantError(t, "within the burst", 401, "invalid_client")
	}
	for _, path := range []string{"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"} {
		got := r.post(r.path(path), "grant_type=client_credentials&token=x", http.Header{"Authorization": {c.basic()}})
		got.wantError(t, path, 429, "slow_down")
		if got.header.Get("Retry-After") != "1" {
			t.Errorf("%s: Retry-After is %q", path, got.header.Get("Retry-After"))
		}
	}
	r.clock.Advance(time.Second)
	r.tokenBy("basic", c, "").wantStatus(t, "after the wait", 200)
}

// Most programs send Basic credentials as they are (RFC 7617), not form-encoded
// (RFC 6749 §2.3.1).
func TestSecretsThatArriveAsTheyAre(t *testing.T) {
	r := newRig(t)
	for _, secret := range []string{"cGx1cyBhbmQg+2xhc2gv/w==", "%2B-%2b-as-it-is", "100%-and-%zz+"} {
		made := r.made(r.app, creds{ident.Client(), secret}, nil)
		if err := r.db.Clients().Create(t.Context(), made, client.NameAndVersion, r.event("client.create", "client:"+made.ID)); err != nil {
			t.Fatal(err)
		}
		c := creds{made.ID, secret}
		r.tokenBy("basic", c, "").wantStatus(t, secret+", form-encoded", 200)
		for sent, status := range map[string]int{secret: 200, secret + "+": 401, secret + "%": 401} {
			line := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.id+":"+sent))
			got := r.post(r.path("/oauth2/token"), "grant_type=client_credentials", http.Header{"Authorization": {line}})
			got.wantStatus(t, sent+", as it is", status)
		}
	}
}

func TestErrorDescriptionsKeepToRFC6749(t *testing.T) {
	r := newRig(t)
	got := r.tokenBy("basic", creds{"nobody", "x"}, "")
	text, _ := got.body["error_description"].(string)
	if text == "" || strings.ContainsAny(text, "\"\\") || slices.ContainsFunc([]byte(text), func(c byte) bool { return c < 0x20 || c > 0x7e }) {
		t.Errorf("error_description is %q", text)
	}
}
