package browser_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
	"github.com/ostiary/ostiary/test/browser"
)

const (
	ada      = "ada@example.com"
	password = "a lamp in the hall"
	// RFC 7636 appendix B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// platform is a server with a user, and a client of the code flow that listens.
type platform struct {
	t        *testing.T
	server   *servertest.Server
	base     string // issuer
	client   string
	callback string
	arrived  chan url.Values
}

func setUp(t *testing.T) *platform {
	t.Helper()
	p := &platform{t: t, arrived: make(chan url.Values, 10)}
	p.server = servertest.Start(t, servertest.Options{Configure: func(c *config.Config) {
		_, port, err := net.SplitHostPort(c.Listen)
		if err != nil {
			t.Fatal(err)
		}
		c.PublicURL = "http://localhost:" + port // passkeys need a name
		c.Founding.ApplicationID = "shop"
		p.base = c.PublicURL + "/shop"
	}})
	words := password
	if _, err := p.server.App.People.Create(t.Context(), audit.System(), "shop", user.Fields{Email: ada, Password: &words}); err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.callback = "http://" + listener.Addr().String() + "/cb"
	program := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cb" {
			p.arrived <- r.URL.Query()
		}
		_, _ = w.Write([]byte("<!doctype html><title>Client</title><h1 id=arrived>Arrived</h1>"))
	})}
	go func() { _ = program.Serve(listener) }()
	t.Cleanup(func() { _ = program.Close() })
	p.api("/scopes", `{"name":"orders","description":"Read your orders","kind":"user"}`)
	p.client, _ = p.api("/clients", `{"name":"Billing sync","kind":"native","redirect_uris":["`+p.callback+`"],"scopes":["openid","orders"],"grant_types":["authorization_code","refresh_token"]}`)["id"].(string)
	return p
}

func (p *platform) api(path, document string) map[string]any {
	p.t.Helper()
	answer := p.server.Do(http.MethodPost, "/api/v1/applications/shop"+path, p.server.OwnerID, p.server.OwnerSecret, "application/json", document)
	var made map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != http.StatusCreated {
		p.t.Fatalf("%s: %d %v %v", path, answer.StatusCode, made, err)
	}
	return made
}

// authorize is where the client sends its user.
func (p *platform) authorize() string {
	return p.base + "/oauth2/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {p.client}, "redirect_uri": {p.callback}, "scope": {"openid orders"},
		"state": {"s"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode()
}

// redeem gives the refresh token for a code.
func (p *platform) redeem(code string) string {
	p.t.Helper()
	status, answer := p.token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.callback}, "code_verifier": {verifier}})
	text, ok := answer["refresh_token"].(string)
	if status != http.StatusOK || !ok {
		p.t.Fatalf("%d %v", status, answer)
	}
	return text
}

func (p *platform) token(form url.Values) (int, map[string]any) {
	p.t.Helper()
	form.Set("client_id", p.client)
	got := p.server.Do(http.MethodPost, "/shop/oauth2/token", "", "", "application/x-www-form-urlencoded", form.Encode())
	var answer map[string]any
	if err := json.NewDecoder(got.Body).Decode(&answer); err != nil {
		p.t.Fatal(err)
	}
	return got.StatusCode, answer
}

// TestAUserSignsInConsentsAndTakesItBack goes the whole way in a browser: sign
// in, consent, the code arrives and is worth a token, the account lists the
// client, and revoking it kills the token.
func TestAUserSignsInConsentsAndTakesItBack(t *testing.T) {
	p := setUp(t)
	tab := browser.Open(t)
	tab.Go(p.authorize())
	tab.Accessible("sign in")
	tab.Type("#field-email", ada)
	tab.Type("#field-password", password)
	tab.Click(`form[action$="/signin"] button`)
	tab.Wait(".scopes")
	tab.Accessible("consent")
	if text := tab.Text("main"); !strings.Contains(text, "Billing sync asks for access") || !strings.Contains(text, "Read your orders") {
		t.Errorf("the consent page says\n%s", text)
	}
	tab.Click(`button[value="allow"]`)
	tab.Wait("#arrived")
	values := <-p.arrived
	if values.Get("state") != "s" || values.Get("iss") != p.base {
		t.Errorf("what arrived is %v", values)
	}
	refresh := p.redeem(values.Get("code"))

	tab.Go(p.authorize()) // no page is shown this time
	tab.Wait("#arrived")
	if again := <-p.arrived; again.Get("code") == "" {
		t.Errorf("what arrived is %v", again)
	}

	tab.Go(p.base + "/account")
	tab.Accessible("account")
	tab.Click(`a[href*="/clients/revoke"]`)
	tab.Click(`form[action$="/clients/revoke"] button`)
	tab.Wait(".notice")
	if text := tab.Text("main"); !strings.Contains(text, "The access was revoked.") || !strings.Contains(text, "No application has access") {
		t.Errorf("the account says\n%s", text)
	}
	if status, answer := p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}); status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
		t.Errorf("the refresh token of a client that was revoked: %d %v", status, answer)
	}
}

// TestPasskeys makes one, and signs in with it.
func TestPasskeys(t *testing.T) {
	p := setUp(t)
	tab := browser.Open(t)
	tab.Authenticator()
	tab.Go(p.base + "/signin")
	tab.Type("#field-email", ada)
	tab.Type("#field-password", password)
	tab.Click(`form[action$="/signin"] button`)
	tab.Click(`a[href$="/account/passkeys"]`)
	tab.Click(`form[data-passkey] button`)
	tab.Wait(".notice")
	if text := tab.Text("main"); !strings.Contains(text, "The passkey was added.") {
		t.Errorf("the account says\n%s", text)
	}
	tab.Click(`form[action$="/sessions/end"] button`)
	tab.Wait(`a[href$="/signin"]`)
	tab.Go(p.authorize())
	tab.Click(`form[data-passkey] button`)
	tab.Wait(".scopes")
	if text := tab.Text("main"); !strings.Contains(text, ada) {
		t.Errorf("the consent page says\n%s", text)
	}
}

// TestWithoutScriptsOrMouse goes the way by keyboard alone, in a browser that
// runs no scripts.
func TestWithoutScriptsOrMouse(t *testing.T) {
	p := setUp(t)
	tab := browser.Open(t)
	tab.Scripts(false)
	tab.Go(p.authorize())
	tab.Wait("#field-email:focus") // it is given when the page is drawn
	tab.Press(ada + kb.Tab + password + kb.Enter)
	tab.Wait(".scopes")
	tab.Press(kb.Tab + kb.Tab + kb.Enter) // past the box, to the button
	tab.Wait("#arrived")
	if values := <-p.arrived; values.Get("code") == "" {
		t.Errorf("what arrived is %v", values)
	}
}
