package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/test/browser"
)

const ada = "ada@example.com"

// made is a client that was made in the console.
type made struct{ id, secret, snippet string }

// make makes a client of a kind, from the list of clients on.
func (s *stage) make(kind, name string, fill func()) made {
	s.t.Helper()
	s.Go(s.url + "/console/apps/shop/clients")
	s.Click(`.head a[href$="/new-client"]`)
	s.Click(`.cards a[href*="` + kind + `"]`)
	s.Type("#field-name", name)
	if fill != nil {
		fill()
	}
	s.Click("main form button.primary")
	s.Wait("#snippet-curl")
	s.look("created")
	m := made{
		id:      browser.Get(s.Tab, chromedp.Evaluate[string](`document.querySelector("dl.facts code").textContent`)),
		secret:  browser.Get(s.Tab, chromedp.Evaluate[string](`(document.querySelector("[data-download]") || {dataset: {}}).dataset.download || ""`)),
		snippet: browser.Get(s.Tab, chromedp.Evaluate[string](`document.querySelector("#snippet-curl").textContent`)),
	}
	if m.secret != "" && strings.Contains(s.Where(), m.secret) {
		s.t.Errorf("the secret of %s is in the address of the page", name)
	}
	return m
}

// callback is where the redirect URI of a client leads to; it gives the codes.
func (s *stage) callback() (address string, codes <-chan string) {
	s.t.Helper()
	arrived := make(chan string, 10)
	listener, err := (&net.ListenConfig{}).Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	program := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code := r.URL.Query().Get("code"); code != "" {
			arrived <- code
		}
		_, _ = w.Write([]byte("<!doctype html><title>Client</title><h1 id=arrived>Arrived</h1>"))
	})}
	go func() { _ = program.Serve(listener) }()
	s.t.Cleanup(func() { _ = program.Close() })
	return "http://" + listener.Addr().String() + "/cb", arrived
}

// run runs a snippet as it was copied, does in the browser what it asks for, and
// gives the token that it prints.
func (s *stage) run(m made, codes <-chan string, inBrowser func()) (token string) {
	s.t.Helper()
	script := filepath.Join(s.t.TempDir(), "snippet.sh")
	if err := os.WriteFile(script, []byte(m.snippet), 0o600); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", script)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if codes != nil {
		for address := ""; !strings.HasPrefix(address, "http"); {
			if address, err = lines.ReadString('\n'); err != nil {
				s.t.Fatalf("the snippet shows no address: %v", err)
			}
			if strings.HasPrefix(address, "http") {
				s.Go(strings.TrimSpace(address))
			}
		}
		inBrowser()
		if _, err := io.WriteString(in, <-codes+"\n"); err != nil {
			s.t.Fatal(err)
		}
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		s.t.Fatalf("%v\n%s", err, rest)
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	text := string(rest)
	if i := strings.IndexByte(text, '{'); i < 0 || json.Unmarshal([]byte(text[i:]), &answer) != nil || answer.Token == "" {
		s.t.Fatalf("the snippet prints no token:\n%s", text)
	}
	return answer.Token
}

// active asks what a token is worth, with a secret of its client.
func (s *stage) active(m made, secret, token string) (status int, active bool) {
	s.t.Helper()
	answer := s.server.Do(http.MethodPost, "/shop/oauth2/introspect", m.id, secret, "application/x-www-form-urlencoded", url.Values{"token": {token}}.Encode())
	var got struct {
		Active bool `json:"active"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, got.Active
}

func (s *stage) wants(m made, secret, token string, status int, active bool, when string) {
	s.t.Helper()
	if gotStatus, got := s.active(m, secret, token); gotStatus != status || got != active {
		s.t.Fatalf("%s: %d, active %v; want %d, %v", when, gotStatus, got, status, active)
	}
}

// TestTheWayOfANewcomer goes from an empty database to a token, and takes it all
// back again.
func TestTheWayOfANewcomer(t *testing.T) {
	s := empty(t)
	s.documents = true
	words := userPassword
	if _, err := s.server.App.People.Create(t.Context(), audit.System(), "shop", user.Fields{Email: ada, Password: &words}); err != nil {
		t.Fatal(err)
	}
	redirect, codes := s.callback()
	s.signIn()
	m := s.make("web", "Billing sync", func() {
		s.Type("#field-version", "2.1")
		s.Type("#field-redirect_uris", redirect)
		s.Click(`input[name=scopes][value=openid]`)
	})
	if m.secret == "" {
		t.Fatal("no secret is shown")
	}
	first := s.run(m, codes, func() {
		s.Type("#field-email", ada)
		s.Type("#field-password", userPassword)
		s.Click(`form[action$="/signin"] button`)
		s.Click(`form[action$="/consent"] button.primary`)
		s.Wait("#arrived")
	})
	s.wants(m, m.secret, first, http.StatusOK, true, "the snippet's token")

	// Token management: it is there; revoke it.
	s.Go(s.url + "/console/apps/shop/tokens?client=" + m.id)
	s.Click(`tbody button[name=one]`)
	s.Click("main form button.danger")
	s.Wait(".notice")
	s.wants(m, m.secret, first, http.StatusOK, false, "after revoking it")

	// The same again, and the user takes it back.
	second := s.run(m, codes, func() { s.Wait("#arrived") }) // signed in, and consented to
	s.wants(m, m.secret, second, http.StatusOK, true, "the second token")
	s.Go(s.url + "/shop/account")
	if text := s.Text("main"); !strings.Contains(text, "Billing sync") {
		t.Errorf("the account does not show the client:\n%s", text)
	}
	s.Click(`a[href*="/clients/revoke"]`)
	s.Click(`form[action$="/clients/revoke"] button`)
	s.Wait(".notice")
	s.wants(m, m.secret, second, http.StatusOK, false, "after the user revoked it")

	// Another secret, with an hour's overlap.
	s.Go(s.url + "/console/apps/shop/clients/" + m.id + "/secrets/regenerate")
	s.Click(`input[name=retire_others_in_hours][value="1"]`)
	s.Click("main form button.primary")
	s.Wait(".secret")
	next := browser.Get(s.Tab, chromedp.Evaluate[string](`document.querySelector("[data-download]").dataset.download`))
	for _, secret := range []string{m.secret, next} {
		s.wants(m, secret, second, http.StatusOK, false, "with both secrets")
	}
	s.server.Clock.Advance(time.Hour + time.Minute)
	s.wants(m, m.secret, second, http.StatusUnauthorized, false, "the old secret after an hour")
	s.wants(m, next, second, http.StatusOK, false, "the new secret after an hour")

	// Deactivate it, and read what dies.
	s.Go(s.url + "/console/apps/shop/clients/" + m.id + "/deactivate")
	if text := s.Text("main"); !strings.Contains(text, "Billing sync 2.1: 0 live tokens die now") {
		t.Errorf("the question does not say what dies:\n%s", text)
	}
	s.Click("main form button.danger")
	s.Wait(".notice")
	s.wants(m, next, second, http.StatusUnauthorized, false, "after deactivation")
}

// TestEachKindHasItsOwnFields, and the snippet of each gets a token.
func TestEachKindHasItsOwnFields(t *testing.T) {
	s := empty(t)
	words := userPassword
	if _, err := s.server.App.People.Create(t.Context(), audit.System(), "shop", user.Fields{Email: ada, Password: &words}); err != nil {
		t.Fatal(err)
	}
	redirect, codes := s.callback()
	s.signIn()
	signedIn := false
	withUser := func() {
		if !signedIn {
			s.Type("#field-email", ada)
			s.Type("#field-password", userPassword)
			s.Click(`form[action$="/signin"] button`)
			signedIn = true
		}
		s.Click(`form[action$="/consent"] button.primary`)
		s.Wait("#arrived")
	}
	for kind, fields := range map[string]struct {
		has, lacks []string
		codes      <-chan string
	}{
		"spa":     {[]string{"redirect_uris", "refresh_token_lifetime"}, []string{"issue_secret", "token_endpoint_auth_method"}, codes},
		"native":  {[]string{"redirect_uris", "issue_secret"}, []string{"allowed_origins_never", "token_endpoint_auth_method"}, codes},
		"service": {[]string{"access_token_lifetime", "allowed_ips"}, []string{"redirect_uris", "refresh_token_lifetime", "issue_secret"}, nil},
	} {
		t.Run(kind, func(t *testing.T) {
			s.t = t
			m := s.make(kind, "A "+kind, func() {
				for _, name := range fields.has {
					if !s.there("[name=" + name + "], [name^=" + name + "_], [name^=" + name + "-]") {
						t.Errorf("there is no field %s", name)
					}
				}
				for _, name := range fields.lacks {
					if s.there("[name=" + name + "]") {
						t.Errorf("there is a field %s", name)
					}
				}
				if fields.codes != nil {
					s.Type("#field-redirect_uris", redirect)
					s.Click(`input[name=scopes][value=openid]`)
				}
			})
			if (m.secret != "") != (kind == "service") {
				t.Errorf("a secret is shown: %v", m.secret != "")
			}
			s.run(m, fields.codes, withUser)
		})
	}
	s.t = t
}

// there reports whether a selector finds something.
func (s *stage) there(selector string) bool {
	s.t.Helper()
	return browser.Get(s.Tab, chromedp.Evaluate[bool](`document.querySelector('`+selector+`') !== null`))
}
