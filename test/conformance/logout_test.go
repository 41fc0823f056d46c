package conformance_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signedIn is a flow in a browser of its own, whose session may end.
func (p *party) signedIn() *outcome {
	p.Helper()
	p.anonymous()
	o := p.flow()
	p.browser.wantAsked("signin", "consent")
	return o
}

// leaving is the request by which a client signs its user out.
func leaving(hint string, change ...string) url.Values {
	v := url.Values{"post_logout_redirect_uri": {goodbye}, "state": {"s t&a"}}
	if hint != "" {
		v.Set("id_token_hint", hint)
	}
	for _, c := range change {
		name, value, set := strings.Cut(c, "=")
		if v.Del(name); set {
			v.Set(name, value)
		}
	}
	return v
}

func (p *party) end(sent url.Values) *landing {
	p.Helper()
	return p.browser.open(p.endpoint("end_session_endpoint") + "?" + sent.Encode())
}

// wantSignedIn asks silently.
func (p *party) wantSignedIn(want bool) {
	p.Helper()
	sent := p.ask("prompt=none")
	l := p.authorize(sent)
	if !want {
		p.wantError(sent, l, "login_required")
		return
	}
	p.wantAnswer(sent, l)
}

// wantGoodbye wants the browser at the client's, with what was sent and nothing
// else.
func (p *party) wantGoodbye(l *landing, values url.Values) {
	p.Helper()
	if l.at != goodbye || l.mode != "query" || l.values.Encode() != values.Encode() {
		p.Errorf("at %q with %v, want %s with %v\n%s", l.at, l.values, goodbye, values, l.page)
	}
	p.wantSignedIn(false)
}

func (p *party) logout() {
	o := p.signedIn()
	p.wantGoodbye(p.end(leaving(o.id)), url.Values{"state": {"s t&a"}})
	p.browser.wantAsked()
}

func (p *party) logoutWithoutState() {
	o := p.signedIn()
	p.wantGoodbye(p.end(leaving(o.id, "state")), nil)
}

// staysSignedIn wants a request refused on a page, and nobody signed out.
func (p *party) staysSignedIn(sent url.Values) {
	p.Helper()
	p.wantPage(p.end(sent))
	p.browser.wantAsked()
	p.wantSignedIn(true)
}

func (p *party) logoutBadURI() {
	o := p.signedIn()
	p.staysSignedIn(leaving(o.id, "post_logout_redirect_uri=https://rp.example/elsewhere"))
}

func (p *party) logoutQueryAdded() {
	o := p.signedIn()
	p.staysSignedIn(leaving(o.id, "post_logout_redirect_uri="+goodbye+"?foo=bar"))
}

func (p *party) logoutWithoutHint() {
	p.signedIn()
	p.staysSignedIn(leaving(""))
}

// logoutModifiedHint takes the signature off.
func (p *party) logoutModifiedHint() {
	o := p.signedIn()
	parts := strings.Split(o.id, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	p.staysSignedIn(leaving(none + "." + parts[1] + "."))
	p.staysSignedIn(leaving(parts[0] + "." + parts[1] + "."))
}

// logoutBadHint signs one with another key.
func (p *party) logoutBadHint() {
	o := p.signedIn()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(o.id, ".")[1])
	if err != nil {
		p.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.Fatal(err)
	}
	header, _ := p.verified(o.id)
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", header.KeyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
	if err != nil {
		p.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		p.Fatal(err)
	}
	forged, err := signed.CompactSerialize()
	if err != nil {
		p.Fatal(err)
	}
	p.staysSignedIn(leaving(forged))
}

// wantSignedOut wants a page that says so.
func (p *party) wantSignedOut(l *landing) {
	p.Helper()
	if l.at != "" || l.status != http.StatusOK || !strings.Contains(l.page, "signed out") {
		p.Errorf("at %q, %d\n%s", l.at, l.status, l.page)
	}
	p.wantSignedIn(false)
}

// Without a hint the user is asked before he is signed out.
func (p *party) logoutWithoutParameters() {
	p.signedIn()
	l := p.end(leaving("", "post_logout_redirect_uri", "state"))
	p.browser.wantAsked("logout")
	p.wantSignedOut(l)
}

func (p *party) logoutWithStateAlone() {
	p.signedIn()
	l := p.end(leaving("", "post_logout_redirect_uri"))
	p.browser.wantAsked("logout")
	p.wantSignedOut(l)
}

func (p *party) logoutWithoutURI() {
	o := p.signedIn()
	l := p.end(leaving(o.id, "post_logout_redirect_uri"))
	p.browser.wantAsked()
	p.wantSignedOut(l)
}

func (p *party) logoutDiscovery() {
	if !strings.HasPrefix(p.endpoint("end_session_endpoint"), p.server.URL+"/") {
		p.Errorf("end_session_endpoint is %s", p.endpoint("end_session_endpoint"))
	}
}

func (p *party) backchannelDiscovery() {
	p.logoutDiscovery()
	for _, name := range []string{"backchannel_logout_supported", "backchannel_logout_session_supported"} {
		if p.metadata[name] != true {
			p.Errorf("%s is %v", name, p.metadata[name])
		}
	}
}

// backchannelLogout is that the client is told of the end of a session, too, by a
// logout token (Back-Channel Logout 1.0 §2.4, §2.5).
func (p *party) backchannelLogout() {
	var told []url.Values
	listening := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		form, bad := url.ParseQuery(string(body))
		if err != nil || bad != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			p.Errorf("told by %s %v: %s", r.Method, r.Header, body)
		}
		told = append(told, form)
	}))
	p.Cleanup(listening.Close)
	p.client = p.register(map[string]any{"backchannel_logout_uri": listening.URL + "/logout", "backchannel_logout_session_required": true})
	o := p.signedIn()
	p.wantGoodbye(p.end(leaving(o.id)), url.Values{"state": {"s t&a"}})
	if _, err := p.server.App.Messenger.Deliver(p.Context()); err != nil {
		p.Fatal(err)
	}
	if len(told) != 1 || len(told[0]) != 1 {
		p.Fatalf("told %v", told)
	}
	p.logoutToken(told[0].Get("logout_token"), o)
}

func (p *party) logoutToken(raw string, o *outcome) {
	p.Helper()
	header, payload := p.verified(raw)
	if header.ExtraHeaders[jose.HeaderType] != "logout+jwt" {
		p.Errorf("the logout token is a %v", header.ExtraHeaders[jose.HeaderType])
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		p.Fatal(err)
	}
	now := float64(p.server.Clock.Now().Unix())
	iat, _ := claims["iat"].(float64)
	exp, _ := claims["exp"].(float64)
	events, _ := claims["events"].(map[string]any)
	event, _ := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	if claims["iss"] != p.server.Issuer || claims["aud"] != p.client.id || iat > now || exp <= now || exp-iat > (2*time.Minute).Seconds() ||
		text(claims, "jti") == "" || event == nil || len(event) > 0 || claims["nonce"] != nil {
		p.Errorf("the logout token says %v", claims)
	}
	if claims["sub"] != o.claims["sub"] || claims["sid"] == nil || claims["sid"] != o.claims["sid"] {
		p.Errorf("the logout token says %v, the id_token %v", claims, o.claims)
	}
}
