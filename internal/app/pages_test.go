package app_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/audit"
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
