package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/servertest"
)

func TestSigningInLeadsToTheAccount(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.get(a.at("/account")).leads(t, a.at("/signin"))
	a.signIn(a.at("/signin"), ada, password).leads(t, a.at("/account"))
	a.get(a.at("/account")).want(t, http.StatusOK, "Your account", ada, "this browser")
	a.get(a.at("/signin")).leads(t, a.at("/account"))
}

// TestARefusalSaysNothing: whoever it is and whatever is wrong, the page is the
// same; the address stays, the password does not.
func TestARefusalSaysNothing(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	wrong := a.signIn(a.at("/signin"), ada, "not the password")
	wrong.want(t, http.StatusBadRequest, "The e-mail address or the password is not right.", `value="ada@example.com"`, `aria-invalid="true"`, "Problem: Sign in")
	if strings.Contains(wrong.body, "not the password") {
		t.Error("the password is on the page")
	}
	nobody := a.signIn(a.at("/signin"), "bob@example.com", "not the password")
	if got := strings.ReplaceAll(nobody.body, "bob@", "ada@"); nobody.status != wrong.status || got != wrong.body {
		t.Errorf("an account that is not there is answered otherwise:\n%s\n%s", wrong.body, nobody.body)
	}
}

func TestTooManyAttempts(t *testing.T) {
	a := start(t, servertest.Options{})
	var last shown
	for range 10 {
		last = a.signIn(a.at("/signin"), ada, "wrong")
	}
	last.want(t, http.StatusTooManyRequests, "Too many attempts")
	if last.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// TestTheCookieChangesWithEachSignIn: a cookie planted before is worth nothing
// after the sign-in.
func TestTheCookieChangesWithEachSignIn(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	value := func() string {
		u, err := url.Parse(a.server.URL + a.at("/account"))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range a.client.Jar.Cookies(u) {
			if c.Name == "ostiary" {
				return c.Value
			}
		}
		return ""
	}
	a.signIn(a.at("/signin"), ada, password)
	first := value()
	a.signIn(a.at("/signin?again=account"), ada, password).leads(t, a.at("/account"))
	if second := value(); first == "" || second == "" || first == second {
		t.Errorf("the cookie was %q, and is %q", first, second)
	}
	other := browse(t, a.server)
	other.headers.Set("Cookie", "ostiary="+first)
	other.get(a.at("/account")).leads(t, a.at("/signin"))
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	for _, path := range []string{"/signin", "/signin/totp", "/account/clients/revoke", "/account/sessions/end-others", "/account/totp/remove", "/consent"} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"} {
			a.headers = http.Header{"Sec-Fetch-Site": nil}
			a.headers.Set(name, value)
			a.do(http.MethodPost, a.at(path), "x=y").want(t, http.StatusForbidden, "This form came from elsewhere")
		}
	}
}

func TestRefusalsOfTheSurfaceArePages(t *testing.T) {
	a := start(t, servertest.Options{})
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{http.MethodGet, "/no-such-application/signin", "", 404, "There is no such page"},
		{http.MethodGet, a.at("/signin/nothing"), "", 404, "There is no such page"},
		{http.MethodPut, a.at("/signin"), "", 405, "This page is not opened in this way"},
		{http.MethodDelete, a.at("/account"), "", 405, "This page is not opened in this way"},
		{http.MethodPost, a.at("/signin"), "email=%zz", 400, "This form cannot be read"},
		{http.MethodPost, a.at("/signin"), "email=" + strings.Repeat("x", 70_000), 413, "This form cannot be read"},
		{http.MethodGet, a.at("/signin?request=forged"), "", 400, "This took too long"},
		{http.MethodGet, a.at("/consent"), "", 400, "This took too long"},
		{http.MethodGet, a.at("/signin/colours/red"), "", 404, "There is no such page"},
	} {
		got := a.do(c.method, c.path, c.body)
		got.want(t, c.status, c.says)
		if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || got.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s %s: %v", c.method, c.path, got.header)
		}
	}
}

// TestChangesNeedARecentSignIn: a browser left open does not let others change
// how its user signs in.
func TestChangesNeedARecentSignIn(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	a.get(a.at("/account/totp")).want(t, http.StatusOK, "Set up an authenticator app")
	a.server.Clock.Advance(time.Hour)
	sent := a.get(a.at("/account/totp"))
	sent.leads(t, a.at("/signin?notice=fresh&again=totp"))
	page := a.get(sent.to)
	page.want(t, http.StatusOK, "Confirm that it is you", "Sign in again to change how you sign in.", `value="ada@example.com"`)
	a.send(page, "/signin", "password", password).leads(t, a.at("/account/totp"))
	a.get(a.at("/account/totp")).want(t, http.StatusOK, "Set up an authenticator app")
}
