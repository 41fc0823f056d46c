package conformance_test

import (
	"net/http"
	"net/url"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// with is that a parameter does no harm, whether or not it does any good.
func with(change string) func(*party) {
	return func(p *party) {
		p.anonymous()
		p.flow(change)
		p.browser.wantAsked("signin", "consent")
	}
}

// twice is two flows, some time apart, and what the two id_tokens say of the
// moment at which the user signed in.
func (p *party) twice(apart time.Duration, first, second string) (auth [2]float64) {
	p.Helper()
	p.anonymous()
	var subjects [2]any
	for i, change := range []string{first, second} {
		p.browser.asked = nil
		o := p.flow(change)
		auth[i], _ = o.claims["auth_time"].(float64)
		subjects[i] = o.claims["sub"]
		if i == 0 {
			p.browser.wantAsked("signin", "consent")
			p.server.Clock.Advance(apart)
		}
	}
	if subjects[0] != subjects[1] || auth[0] == 0 {
		p.Errorf("of %v, signed in at %v", subjects, auth)
	}
	return auth
}

func (p *party) promptLogin() {
	auth := p.twice(time.Second, "", "prompt=login")
	p.browser.wantAsked("signin")
	if auth[1] <= auth[0] {
		p.Errorf("signed in at %v, and again at %v", auth[0], auth[1])
	}
}

func (p *party) promptNoneNotLoggedIn() {
	p.anonymous()
	sent := p.ask("prompt=none")
	p.wantError(sent, p.authorize(sent), "login_required", "interaction_required")
	p.browser.wantAsked()
}

func (p *party) promptNoneLoggedIn() {
	auth := p.twice(time.Second, "", "prompt=none")
	p.browser.wantAsked()
	if auth[1] != auth[0] {
		p.Errorf("signed in at %v, then at %v", auth[0], auth[1])
	}
}

func (p *party) maxAge1() {
	auth := p.twice(2*time.Second, "", "max_age=1")
	p.browser.wantAsked("signin")
	if auth[1] <= auth[0] {
		p.Errorf("signed in at %v, and again at %v", auth[0], auth[1])
	}
}

func (p *party) maxAge10000() {
	auth := p.twice(2*time.Second, "", "max_age=10000")
	p.browser.wantAsked()
	if auth[1] != auth[0] {
		p.Errorf("signed in at %v, then at %v", auth[0], auth[1])
	}
}

// idTokenHint is that a hint to who is signed in needs no page, and one to
// somebody else gets nothing by prompt=none.
func (p *party) idTokenHint() {
	o := p.flow()
	p.browser.asked = nil
	again := p.flow("prompt=none", "id_token_hint="+o.id)
	p.browser.wantAsked()
	if again.claims["sub"] != o.claims["sub"] || again.claims["auth_time"] != o.claims["auth_time"] {
		p.Errorf("first %v, then %v", o.claims, again.claims)
	}
}

// uiLocales is that the pages are in a language that the client names, where they
// are there in it.
func (p *party) uiLocales() {
	for locales, want := range map[string]string{"se": "en", "se de": "de"} {
		p.anonymous()
		p.flow("ui_locales=" + locales)
		if p.browser.language != want {
			p.Errorf("ui_locales=%s: the page is in %q, want %q", locales, p.browser.language, want)
		}
	}
}

func (p *party) acrValues() {
	o := p.flow("acr_values=1 2")
	if o.claims["acr"] != "1" {
		p.Errorf("acr is %v", o.claims["acr"])
	}
}

func (p *party) registeredRedirectURI() {
	p.wantPage(p.authorize(p.ask("redirect_uri=https://rp.example/cb/other")))
}

func (p *party) withoutRedirectURI() {
	p.client = p.register(map[string]any{"redirect_uris": []string{callback, "https://rp.example/other"}})
	p.wantPage(p.authorize(p.ask("redirect_uri")))
}

func (p *party) redirectURIQuery() {
	const registered = callback + "?foo=bar"
	p.client = p.register(map[string]any{"redirect_uris": []string{registered}})
	sent := p.ask("redirect_uri=" + registered)
	l := p.authorize(sent)
	if l.at != callback || l.values.Get("foo") != "bar" || l.values.Get("code") == "" || l.values.Get("state") != sent.Get("state") {
		p.Errorf("at %s with %v", l.at, l.values)
	}
}

func (p *party) redirectURIQueryAdded() {
	p.wantPage(p.authorize(p.ask("redirect_uri=" + callback + "?foo=bar")))
}

func (p *party) redirectURIQueryMismatch() {
	p.client = p.register(map[string]any{"redirect_uris": []string{callback + "?foo=bar"}})
	p.wantPage(p.authorize(p.ask("redirect_uri=" + callback + "?foo=baz")))
	p.wantPage(p.authorize(p.ask("redirect_uri=" + callback)))
}

func (p *party) redirectURIFragment() {
	fields, err := client.ParseFields([]byte(`{"name":"fragment","kind":"web","redirect_uris":["` + callback + `#foobar"]}`))
	if err == nil {
		_, _, err = p.server.App.Operations.CreateFrom(p.Context(), audit.System(), p.app, fields, client.CreateOptions{})
	}
	if fault.KindOf(err) != fault.Invalid {
		p.Errorf("registered: %v", err)
	}
}

func (p *party) requestURI() {
	sent := p.ask("request_uri=https://rp.example/request.jwt")
	p.wantError(sent, p.authorize(sent), "request_uri_not_supported")
}

// unsignedRequest is a request object by `none`: {"alg":"none"} and {}.
const unsignedRequest = "eyJhbGciOiJub25lIn0.e30."

func (p *party) requestObject() {
	sent := p.ask("request=" + unsignedRequest)
	p.wantError(sent, p.authorize(sent), "request_not_supported")
}

// requestObjectWithRedirectURI: the redirect URI beside the request object is
// nobody's, so nothing is sent there.
func (p *party) requestObjectWithRedirectURI() {
	p.wantPage(p.authorize(p.ask("request="+unsignedRequest, "redirect_uri=https://rp.example/nobody")))
}

// postRequest sends the request by a form of the client's, which brings no
// cookie; whoever is signed in stays so.
func (p *party) postRequest() {
	sent := p.ask()
	p.complete(sent, p.browser.post(p.endpoint("authorization_endpoint"), sent))
	p.browser.wantAsked("consent")
}

// endpointsOf are those that a metadata document must have (OpenID Connect
// Discovery 1.0 §3).
var endpointsOf = []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"}

func (p *party) discovery() {
	answer, body := p.browser.send(http.DefaultClient, p.browser.request(http.MethodGet, p.server.Issuer+"/.well-known/openid-configuration", nil))
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/json" {
		p.Fatalf("%d %v %s", answer.StatusCode, answer.Header, body)
	}
	if p.endpoint("issuer") != p.server.Issuer {
		p.Errorf("the issuer is %s", p.endpoint("issuer"))
	}
	for _, name := range endpointsOf {
		// Over https where the public URL is; the server under test has a loopback one.
		if u, err := url.Parse(p.endpoint(name)); err != nil || u.Scheme+"://"+u.Host != p.server.URL || u.Fragment != "" {
			p.Errorf("%s is %s", name, p.endpoint(name))
		}
	}
	for name, wanted := range map[string][]string{
		"response_types_supported":              {"code", "id_token", "id_token token"},
		"grant_types_supported":                 {"authorization_code", "implicit"},
		"subject_types_supported":               {"public"},
		"id_token_signing_alg_values_supported": {"RS256"},
		"scopes_supported":                      {"openid"},
		"claims_supported":                      {"sub", "name", "email"},
		"code_challenge_methods_supported":      {"S256"},
		"response_modes_supported":              {"query", "fragment", "form_post"},
	} {
		p.wantListed(name, wanted...)
	}
	for _, k := range p.keys().Keys {
		if !k.IsPublic() || !k.Valid() || k.KeyID == "" {
			p.Errorf("the key %q", k.KeyID)
		}
	}
}

// wantListed wants values in a list of the metadata document.
func (p *party) wantListed(name string, wanted ...string) {
	p.Helper()
	has := map[any]bool{}
	list, _ := p.metadata[name].([]any)
	for _, v := range list {
		has[v] = true
	}
	for _, w := range wanted {
		if !has[w] {
			p.Errorf("%s is %v, without %s", name, list, w)
		}
	}
}
