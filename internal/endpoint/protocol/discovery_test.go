package protocol_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/ostiary/ostiary/internal/core/application"
)

func documents(r *rig) []string {
	return []string{
		r.path("/.well-known/openid-configuration"),
		"/.well-known/oauth-authorization-server" + r.path(""),
		r.path("/.well-known/oauth-authorization-server"),
		r.path("/oauth2/jwks"),
	}
}

// RFC 8414 §2: what works, and nothing else.
func TestMetadata(t *testing.T) {
	r := newRig(t)
	secret := []any{"client_secret_basic", "client_secret_post"}
	want := map[string]any{
		"issuer":                                r.issuer(),
		"token_endpoint":                        r.issuer() + "/oauth2/token",
		"token_endpoint_auth_methods_supported": append(secret, "none"),
		"jwks_uri":                              r.issuer() + "/oauth2/jwks",
		"response_types_supported":              []any{"code"},
		"grant_types_supported":                 []any{"authorization_code", "client_credentials", "refresh_token"},
		"introspection_endpoint":                r.issuer() + "/oauth2/introspect",
		"introspection_endpoint_auth_methods_supported": secret,
		"revocation_endpoint":                           r.issuer() + "/oauth2/revoke",
		"revocation_endpoint_auth_methods_supported":    append(secret, "none"),
		"authorization_endpoint":                        r.issuer() + "/oauth2/authorize",
		"userinfo_endpoint":                             r.issuer() + "/oauth2/userinfo",
		"end_session_endpoint":                          r.issuer() + "/oauth2/logout",
		"code_challenge_methods_supported":              []any{"S256"},
		"id_token_signing_alg_values_supported":         []any{"ES256"},
		"request_uri_parameter_supported":               false,
	}
	for _, path := range documents(r)[:2] {
		got := r.do("GET", path, "", nil)
		got.wantStatus(t, path, 200)
		for name, value := range want {
			if !reflect.DeepEqual(got.body[name], value) {
				t.Errorf("%s: %s is %v, want %v", path, name, got.body[name], value)
			}
		}
	}
}

func TestJWKSHoldsPublicKeysOnly(t *testing.T) {
	r := newRig(t)
	c := r.client()
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA"} {
		r.settings(func(s *application.Settings) { s.SigningAlgorithm = algorithm })
		r.mint(c, "")
	}
	keys, _ := r.do("GET", r.path("/oauth2/jwks"), "", nil).body["keys"].([]any)
	if len(keys) != 3 {
		t.Fatalf("%d keys, want 3", len(keys))
	}
	for _, k := range keys {
		jwk, _ := k.(map[string]any)
		for _, name := range []string{"kid", "kty", "alg", "use"} {
			if jwk[name] == nil {
				t.Errorf("%s is missing in %v", name, jwk)
			}
		}
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if jwk[name] != nil {
				t.Errorf("%s, a private member, is published", name)
			}
		}
	}
}

func TestPublishedDocumentsAreCached(t *testing.T) {
	r := newRig(t)
	for _, path := range documents(r) {
		first := r.do("GET", path, "", nil)
		tag := first.header.Get("ETag")
		if first.status != 200 || tag == "" || first.header.Get("Cache-Control") != "public, max-age=900" ||
			first.header.Get("Content-Type") != "application/json" || first.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", path, first.status, first.header)
		}
		for _, sent := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			got := r.do("GET", path, "", http.Header{"If-None-Match": {sent}})
			if got.status != 304 || got.text != "" || got.header.Get("ETag") != tag || got.header.Get("Cache-Control") == "" || got.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s, If-None-Match %s: %d %q %v", path, sent, got.status, got.text, got.header)
			}
		}
		r.do("GET", path, "", http.Header{"If-None-Match": {`"x"`}}).wantStatus(t, path+", another tag", 200)
		before := r.statements()
		if r.do("GET", path, "", nil); r.statements() != before {
			t.Errorf("%s costs SQL when asked for again", path)
		}
	}
	_, mintedFirst := r.mint(r.client(), ""), r.do("GET", documents(r)[2], "", nil).header.Get("ETag")
	r.settings(func(s *application.Settings) { s.SigningAlgorithm = "EdDSA" })
	r.mint(r.client(), "")
	if r.do("GET", documents(r)[2], "", nil).header.Get("ETag") == mintedFirst {
		t.Error("the JWK set has another key and the same tag")
	}
}

func TestPublishedDocumentsByOtherMethods(t *testing.T) {
	r := newRig(t)
	for _, path := range documents(r) {
		head := r.do("HEAD", path, "", nil)
		if head.status != 200 || head.header.Get("ETag") == "" || head.header.Get("Content-Length") == "0" {
			t.Errorf("HEAD %s: %d %v", path, head.status, head.header)
		}
		preflight := r.do("OPTIONS", path, "", http.Header{
			"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {"GET"}, "Access-Control-Request-Headers": {"if-none-match"},
		})
		if preflight.status != 204 || preflight.text != "" || preflight.header.Get("Access-Control-Allow-Origin") != "*" ||
			preflight.header.Get("Access-Control-Allow-Methods") == "" || preflight.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("OPTIONS %s: %d %v", path, preflight.status, preflight.header)
		}
		post := r.do("POST", path, "", nil)
		post.wantError(t, "POST "+path, 405, "invalid_request")
		if post.header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("POST %s: Allow %q", path, post.header.Get("Allow"))
		}
	}
	for _, path := range []string{
		"/nobody/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/nobody", "/nobody/oauth2/jwks",
		"/.well-known/oauth-authorization-server", "/.well-known/nothing", r.path("/.well-known/nothing"), "/%00/oauth2/jwks",
	} {
		r.do("GET", path, "", nil).wantError(t, path, 404, "invalid_request")
	}
}
