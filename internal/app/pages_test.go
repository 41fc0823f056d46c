package app_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/session"
	people "github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

func read(t *testing.T, answer *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPagesAreServed below an application, with the files that they name.
func TestPagesAreServed(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	answer := s.Do(http.MethodGet, "/"+s.ApplicationID+"/signin", "", "", "", "")
	page := read(t, answer)
	if answer.StatusCode != http.StatusOK || !strings.Contains(page, "<h1>Sign in</h1>") {
		t.Fatalf("%d\n%s", answer.StatusCode, page)
	}
	files := regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(files) < 3 {
		t.Errorf("the page names %v", files)
	}
	for _, f := range files {
		if got := s.Do(http.MethodGet, f[1], "", "", "", ""); got.StatusCode != http.StatusOK || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", f[1], got.StatusCode, got.Header)
		}
	}
	for _, path := range []string{"/signin", "/consent", "/account", "/static/page.css", "/static/../page.css", "/static"} {
		if got := s.Do(http.MethodGet, path, "", "", "", ""); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got.StatusCode)
		}
	}
}

// TestPagesOfTheRootApplication are at the root, and so is their cookie.
func TestPagesOfTheRootApplication(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Configure: func(c *config.Config) {
		c.Founding.ApplicationID, c.RootApplication = "shop", "shop"
	}})
	password := "a lamp in the hall"
	if _, err := s.App.People.Create(t.Context(), audit.System(), "shop", people.Fields{Email: "ada@example.com", Password: &password}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/signin", "/shop/signin"} {
		if page := read(t, s.Do(http.MethodGet, path, "", "", "", "")); !strings.Contains(page, `action="/signin"`) {
			t.Errorf("%s:\n%s", path, page)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/signin", strings.NewReader("email=ada@example.com&password=a+lamp+in+the+hall"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	cookies := strings.Join(answer.Header.Values("Set-Cookie"), "\n")
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/account" || !strings.Contains(cookies, "ostiary=") || strings.Contains(cookies, "Path=/shop") {
		t.Errorf("%d to %s with %s", answer.StatusCode, answer.Header.Get("Location"), cookies)
	}
}

// TestBrowsersAreAnsweredWithPages at the endpoints of OAuth that they come to,
// whatever goes wrong there; clients with JSON.
func TestBrowsersAreAnsweredWithPages(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Preset: "webmethods"})
	application, err := s.App.Applications.Get(t.Context(), s.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	ada, err := s.App.People.Create(t.Context(), audit.System(), s.ApplicationID, people.Fields{Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	_, cookie, err := s.App.Sessions.Begin(t.Context(), audit.System(), application, ada, session.SignIn{ACR: session.OneFactor})
	if err != nil {
		t.Fatal(err)
	}
	page := func(method, path string, status int, says string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "ostiary="+cookie)
		r.Header.Set("Origin", "https://app.example")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		h, text := answer.Header, read(t, answer)
		if len(h["Access-Control-Allow-Origin"]) > 0 { // RFC 9700 §2.6
			t.Errorf("%s %s: a page may read it: %v", method, path, h)
		}
		if answer.StatusCode != status || !strings.Contains(text, says) || !strings.HasPrefix(h.Get("Content-Type"), "text/html") ||
			h.Get("Content-Security-Policy") == "" || (status == http.StatusMethodNotAllowed) != (h.Get("Allow") == "GET, POST") {
			t.Errorf("%s %s: %d %v\n%s", method, path, answer.StatusCode, h, text)
		}
	}
	below := "/" + s.ApplicationID
	for _, path := range []string{below + "/oauth2/authorize", below + "/oauth2/logout", "/oauth2/authorize", "/integration/rest/oAuth/authorize"} {
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions} {
			page(method, path, http.StatusMethodNotAllowed, "This page is not opened in this way")
		}
	}
	if got := s.Do(http.MethodPut, below+"/oauth2/token", "", "", "", ""); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("PUT at the token endpoint: %d %v", got.StatusCode, got.Header)
	}
	*s.App.Sessions = session.Service{} // which panics at the first use
	page(http.MethodGet, below+"/oauth2/logout", http.StatusInternalServerError, "server_error")
	fields, err := client.ParseFields([]byte(`{"id":"spa","name":"spa","kind":"spa","redirect_uris":["https://app.example/cb"],"scopes":["openid"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.App.Operations.CreateFrom(t.Context(), audit.System(), application, fields, client.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	page(http.MethodGet, below+"/oauth2/authorize?client_id=spa&response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=openid"+
		"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256", http.StatusInternalServerError, "server_error")
}
