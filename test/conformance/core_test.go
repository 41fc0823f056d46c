package conformance_test

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// serves is a flow from the sign-in page on.
func (p *party) serves() {
	p.anonymous()
	o := p.flow()
	p.browser.wantAsked("signin", "consent")
	if o.claims["auth_time"] != float64(p.server.Clock.Now().Unix()) {
		p.Errorf("auth_time is %v", o.claims["auth_time"])
	}
	p.flow()
	p.browser.wantAsked()
}

// keys gives the JWK set.
func (p *party) keys() *jose.JSONWebKeySet {
	p.Helper()
	answer, body := p.browser.send(http.DefaultClient, p.browser.request(http.MethodGet, p.endpoint("jwks_uri"), nil))
	set := &jose.JSONWebKeySet{}
	if err := json.Unmarshal([]byte(body), set); err != nil || answer.StatusCode != http.StatusOK {
		p.Fatalf("the JWK set: %d %s (%v)", answer.StatusCode, body, err)
	}
	return set
}

// verified verifies a JWS by RS256, with the one key of the JWK set that its `kid`
// names.
func (p *party) verified(raw string) (jose.Header, []byte) {
	p.Helper()
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		p.Fatal(err)
	}
	header := signed.Signatures[0].Header
	named := p.keys().Key(header.KeyID)
	if header.KeyID == "" || len(named) != 1 {
		p.Fatalf("the JWK set has %d keys of the name %q", len(named), header.KeyID)
	}
	if key, ok := named[0].Key.(*rsa.PublicKey); !ok || key.N.BitLen() < 2048 || named[0].Use != "sig" {
		p.Errorf("the key %+v", named[0])
	}
	payload, err := signed.Verify(named[0])
	if err != nil {
		p.Fatal(err)
	}
	return header, payload
}

func (p *party) signature() { p.verified(p.flow().id) }

// unsigned is that nothing is signed by `none`, and nothing says so.
func (p *party) unsigned() {
	if algorithms, _ := p.metadata["id_token_signing_alg_values_supported"].([]any); slices.Contains(algorithms, any("none")) {
		p.Errorf("id_tokens are signed by %v", algorithms)
	}
	settings := p.app.Settings
	if err := settings.Set("signing_algorithm", "none"); err == nil {
		p.Error("an application can be set to sign by none")
	}
}

func (p *party) userinfoGet() { p.tell(p.bearer(http.MethodGet, p.flow().access), 200) }

func (p *party) userinfoPostHeader() { p.tell(p.bearer(http.MethodPost, p.flow().access), 200) }

func (p *party) userinfoPostBody() {
	form := url.Values{"access_token": {p.flow().access}}
	p.tell(p.browser.request(http.MethodPost, p.endpoint("userinfo_endpoint"), form), 200)
}

func (p *party) withoutNonceSucceeds() { p.flow("nonce") }

func (p *party) withoutNonceFails() {
	sent := p.ask("nonce")
	p.wantError(sent, p.authorize(sent), "invalid_request")
}

// responseTypeMissing: what is to be given is not known, so the answer is by
// query, or by the mode that was asked for.
func (p *party) responseTypeMissing() {
	sent := p.ask("response_type")
	if p.mode == "" {
		p.mode = "query"
	}
	p.wantError(sent, p.authorize(sent), "invalid_request", "unsupported_response_type")
}

// claimsOf are what the scopes stand for (OpenID Connect Core 1.0 §5.4), as far as
// users have it.
var claimsOf = map[string][]string{
	"profile": {
		"name", "given_name", "middle_name", "family_name", "nickname", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
	},
	"email":   {"email", "email_verified"},
	"address": {"address"},
	"phone":   {"phone_number", "phone_number_verified"},
}

// scope is that the claims of scopes come where they belong: from userinfo, or
// in the id_token where there is no access token.
func scope(names ...string) func(*party) {
	return func(p *party) { p.told(p.flow("scope=openid "+strings.Join(names, " ")), names...) }
}

func (p *party) told(o *outcome, scopes ...string) {
	p.Helper()
	where, elsewhere := o.userinfo, o.claims
	if where == nil {
		where, elsewhere = o.claims, nil
	}
	for of, claims := range claimsOf {
		for _, name := range claims {
			if got := where[name] != nil; got != slices.Contains(scopes, of) {
				p.Errorf("%s is told: %v", name, got)
			}
			if elsewhere[name] != nil {
				p.Errorf("the id_token has %s beside an access token", name)
			}
		}
	}
	if at, ok := where["updated_at"].(float64); slices.Contains(scopes, "profile") && (!ok || at > float64(p.server.Clock.Now().Unix())) {
		p.Errorf("updated_at is %v", where["updated_at"])
	}
	if address, ok := where["address"].(map[string]any); slices.Contains(scopes, "address") && (!ok || address["locality"] != "London" || address["formatted"] == nil) {
		p.Errorf("the address is %v", where["address"])
	}
}

func (p *party) otherScopeOrder() { p.told(p.flow("scope=email openid"), "email") }

// otherOrder has the parameters in another order, too.
func (p *party) otherOrder() {
	sent := p.ask("scope=email openid")
	pairs := strings.Split(sent.Encode(), "&")
	slices.Reverse(pairs)
	p.told(p.complete(sent, p.browser.open(p.endpoint("authorization_endpoint")+"?"+strings.Join(pairs, "&"))), "email")
}

// claimsEssential asks for a claim for which no scope was asked.
func (p *party) claimsEssential() {
	from := "userinfo"
	if p.response == "id_token" {
		from = "id_token"
	}
	o := p.flow(`claims={"` + from + `":{"name":{"essential":true}}}`)
	told := map[string]map[string]any{"userinfo": o.userinfo, "id_token": o.claims}
	if told[from]["name"] != "Ada King Lovelace" || from == "userinfo" && o.claims["name"] != nil {
		p.Errorf("the id_token has %v, userinfo %v", o.claims, o.userinfo)
	}
}

// codeReuse is that a code is good once.
func (p *party) codeReuse() {
	o := p.flow()
	if got := p.token(p.client, 400, p.redemption(o.code)); got["error"] != "invalid_grant" {
		p.Errorf("a code used twice: %v", got)
	}
}

// codeReuse30 is that it takes back what it gave, later too.
func (p *party) codeReuse30() {
	o := p.flow()
	p.server.Clock.Advance(30 * time.Second)
	if got := p.token(p.client, 400, p.redemption(o.code)); got["error"] != "invalid_grant" {
		p.Errorf("a code used twice: %v", got)
	}
	if got := p.tell(p.bearer(http.MethodGet, o.access), 401); got["error"] != "invalid_token" {
		p.Errorf("what the code gave: %v", got)
	}
}

func (p *party) clientSecretPost() {
	sent := p.ask()
	l := p.authorize(sent)
	p.wantAnswer(sent, l)
	form := p.redemption(l.values.Get("code"))
	form.Set("client_id", p.client.id)
	form.Set("client_secret", p.client.secret)
	got := p.granted(p.browser.request(http.MethodPost, p.endpoint("token_endpoint"), form), 200)
	p.identify(text(got, "id_token"), text(got, "access_token"), sent.Get("nonce"))
}

// refreshToken is that a refresh token gives another access token and an id_token
// of the same user and sign-in (§12.2), to its own client alone.
func (p *party) refreshToken() {
	o := p.flow("scope=openid offline_access", "prompt=consent")
	other := p.client
	p.client = p.register(nil)
	theirs := p.flow("scope=openid offline_access", "prompt=consent")
	refresh := func(c registration, status int, token string) map[string]any {
		p.Helper()
		return p.token(c, status, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	}
	if got := refresh(other, 400, theirs.refresh); got["error"] != "invalid_grant" {
		p.Errorf("another's refresh token: %v", got)
	}
	refresh(p.client, 200, theirs.refresh)

	p.client = other
	p.server.Clock.Advance(time.Second)
	got := refresh(other, 200, o.refresh)
	claims := p.identify(text(got, "id_token"), text(got, "access_token"), "")
	for _, name := range []string{"iss", "sub", "aud", "auth_time"} {
		if claims[name] != o.claims[name] {
			p.Errorf("%s was %v, and is %v", name, o.claims[name], claims[name])
		}
	}
	if claims["iat"] == o.claims["iat"] || text(got, "access_token") == o.access {
		p.Error("nothing is new")
	}
	p.tell(p.bearer(http.MethodGet, text(got, "access_token")), 200)
}

// The example of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func (p *party) pkce() {
	sent := p.ask("code_challenge="+challenge, "code_challenge_method=S256")
	l := p.authorize(sent)
	p.wantAnswer(sent, l)
	form := p.redemption(l.values.Get("code"))
	form.Set("code_verifier", strings.Repeat("a", 43))
	if got := p.token(p.client, 400, form); got["error"] != "invalid_grant" {
		p.Errorf("another verifier: %v", got)
	}
	form.Set("code_verifier", verifier)
	got := p.token(p.client, 200, form)
	p.identify(text(got, "id_token"), text(got, "access_token"), sent.Get("nonce"))
}

// rotateKeys is that a new key signs, and that what the old one signed is still
// verified.
func (p *party) rotateKeys() {
	before := p.flow()
	if _, err := p.server.App.Signers.Rotate(p.Context(), audit.System(), p.app.ID, "RS256", true); err != nil {
		p.Fatal(err)
	}
	old, _ := p.verified(before.id)
	if header, _ := p.verified(p.flow().id); header.KeyID == old.KeyID {
		p.Error("the same key signs")
	}
	p.tell(p.bearer(http.MethodGet, before.access), 200)
}
