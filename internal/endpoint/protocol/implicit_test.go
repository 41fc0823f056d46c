package protocol_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// implicitly goes through the authorization endpoint as a client of the implicit
// grant, and gives what is in the fragment.
func (b *browser) implicitly(metadata map[string]any, responseType string) url.Values {
	b.Helper()
	v := url.Values{
		"client_id": {"imp"}, "response_type": {responseType}, "redirect_uri": {page + "/cb"}, "scope": {"openid email"}, "state": {"x y&z"}, "nonce": {"n-0S6"},
	}
	answer, text := b.do("GET", metadata["authorization_endpoint"].(string)+"?"+v.Encode(), nil, nil)
	to, err := answer.Location()
	if err != nil || answer.StatusCode != http.StatusSeeOther || to.RawQuery != "" || to.Scheme+"://"+to.Host+to.Path != page+"/cb" {
		b.Fatalf("%s: %d to %v: %s", responseType, answer.StatusCode, to, text)
	}
	got, err := url.ParseQuery(to.EscapedFragment())
	if err != nil || got.Get("state") != "x y&z" || got.Get("iss") != b.server.Issuer {
		b.Errorf("%s: answered %v (%v)", responseType, got, err)
	}
	return got
}

// RFC 6749 §4.2 and OpenID Connect Core 1.0 §3.2, under the profile that admits
// them: a token, an ID token, or both, in the fragment; never a refresh token.
func TestImplicitFlow(t *testing.T) {
	b, metadata, u := flow(t, "security_profile=oauth2")
	register(t, b.server, `{"id":"imp","name":"imp","kind":"spa","grant_types":["implicit"],"redirect_uris":["`+page+`/cb"],"scopes":["openid","email"]}`)
	if _, err := b.server.App.Consents.Grant(t.Context(), audit.System(), b.server.ApplicationID, u.UUID, "imp", []string{"openid", "email"}); err != nil {
		t.Fatal(err)
	}
	always, token := []string{"iss", "state"}, []string{"access_token", "expires_in", "scope", "token_type"}
	for responseType, names := range map[string][]string{
		"token":          slices.Concat(always, token),
		"id_token":       slices.Concat(always, []string{"id_token"}),
		"id_token token": slices.Concat(always, token, []string{"id_token"}),
		"token id_token": slices.Concat(always, token, []string{"id_token"}),
	} {
		got := b.implicitly(metadata, responseType)
		slices.Sort(names)
		if have := slices.Sorted(maps.Keys(got)); !slices.Equal(have, names) {
			t.Errorf("%s: answered with %q, want %q", responseType, have, names)
			continue
		}
		if access := got.Get("access_token"); access != "" {
			if got.Get("token_type") != "Bearer" || got.Get("expires_in") != "3600" || got.Get("scope") != "openid email" {
				t.Errorf("%s: %v", responseType, got)
			}
			if told := b.object("GET", metadata["userinfo_endpoint"].(string), nil, bearer(access), 200); told["sub"] != u.UUID || told["email"] != u.Email {
				t.Errorf("%s: userinfo tells %v", responseType, told)
			}
			if _, claims := parts(t, access); claims["client_id"] != "imp" || claims["sub"] != u.UUID || claims["aud"] != b.server.Issuer {
				t.Errorf("%s: the access token says %v", responseType, claims)
			}
		}
		if id := got.Get("id_token"); id != "" {
			_, claims := parts(t, id)
			both := got.Has("access_token")
			if claims["aud"] != "imp" || claims["sub"] != u.UUID || claims["nonce"] != "n-0S6" || (claims["at_hash"] != nil) != both || (claims["email"] == nil) != both {
				t.Errorf("%s: the ID token says %v", responseType, claims)
			}
		}
	}
}

// claims_in_id_token puts there what the scopes stand for, beside what userinfo
// tells.
func TestClaimsInIDTokens(t *testing.T) {
	for _, setting := range []string{"true", "false"} {
		b, metadata, _ := flow(t, "claims_in_id_token="+setting)
		got := b.tokens(metadata, b.code(metadata, url.Values{"scope": {"openid profile"}}))
		_, claims := parts(t, text(t, got, "id_token"))
		if told := claims["given_name"] == "Ann" && claims["name"] == "Ann Example"; told != (setting == "true") || claims["email"] != nil {
			t.Errorf("%s: the ID token says %v", setting, claims)
		}
		if told := b.object("GET", metadata["userinfo_endpoint"].(string), nil, bearer(text(t, got, "access_token")), 200); told["given_name"] != "Ann" {
			t.Errorf("%s: userinfo tells %v", setting, told)
		}
		again := b.object("POST", metadata["token_endpoint"].(string), url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {text(t, got, "refresh_token")}, "client_id": {"spa"},
		}, nil, 200)
		if _, claims := parts(t, text(t, again, "id_token")); (claims["given_name"] == "Ann") != (setting == "true") {
			t.Errorf("%s: after a refresh it says %v", setting, claims)
		}
	}
}
