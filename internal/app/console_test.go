package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/servertest"
)

// TestTheConsoleHasAHostOfItsOwn: with --console-url it is there and nowhere
// else.
func TestTheConsoleHasAHostOfItsOwn(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Configure: func(c *config.Config) { c.ConsoleURL = "https://console.example.com" }})
	for host, want := range map[string]int{
		"console.example.com": http.StatusOK, strings.TrimPrefix(s.URL, "http://"): http.StatusNotFound, "console.example.com.evil.example": http.StatusNotFound,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/console/signin", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if text := read(t, answer); answer.StatusCode != want {
			t.Errorf("at %s: %d, want %d\n%s", host, answer.StatusCode, want, text)
		}
		_ = answer.Body.Close()
	}
}

// TestAdministratorsSignInWithACookieOfTheHost: over https no other host can set
// it (RFC 6265bis §4.1.3.2).
func TestAdministratorsSignInWithACookieOfTheHost(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Configure: func(c *config.Config) { c.PublicURL = "https://id.example.com" }})
	form := url.Values{"email": {s.AdminEmail}, "password": {s.AdminPassword}}.Encode()
	signIn := func(path string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := http.DefaultTransport.RoundTrip(r) // follows no redirect
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer
	}
	answer := signIn("/console/signin")
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/console" {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	for _, c := range answer.Cookies() {
		if c.Value != "" && (!strings.HasPrefix(c.Name, "__Host-ostiary") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "") {
			t.Errorf("the cookie %+v", c)
		}
	}
	// As a user of an application the same person is nobody.
	if answer := signIn("/" + s.ApplicationID + "/signin"); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("an administrator signs in to an application: %d", answer.StatusCode)
	}
}
