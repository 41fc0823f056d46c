package signin_test

import (
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

// agent is a browser without scripts: it keeps cookies and sends forms.
type agent struct {
	t       testing.TB
	server  *servertest.Server
	client  *http.Client
	headers http.Header
}

func start(t testing.TB, options servertest.Options) *agent {
	t.Helper()
	return browse(t, servertest.Start(t, options))
}

// browse opens another browser on a server.
func browse(t testing.TB, s *servertest.Server) *agent {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &agent{t: t, server: s, headers: http.Header{}, client: &http.Client{
		Jar:           jar,
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

const (
	ada      = "ada@example.com"
	password = "a lamp in the hall"
)

// person makes a user.
func (a *agent) person(email string) *user.User {
	a.t.Helper()
	words := password
	u, err := a.server.App.People.Create(a.t.Context(), audit.System(), a.server.ApplicationID, user.Fields{Email: email, Password: &words})
	if err != nil {
		a.t.Fatal(err)
	}
	return u
}

// shown is what a browser shows, or where it is sent.
type shown struct {
	status int
	header http.Header
	body   string
	to     string // path and query of a redirect, or its whole address where that leads elsewhere
}

func (a *agent) do(method, path, body string) shown {
	a.t.Helper()
	address := path
	if strings.HasPrefix(path, "/") {
		address = a.server.URL + path
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	maps.Copy(r.Header, a.headers)
	answer, err := a.client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	s := shown{answer.StatusCode, answer.Header, string(text), strings.TrimPrefix(answer.Header.Get("Location"), a.server.URL)}
	if method == http.MethodPost && s.status >= 300 && s.status < 400 && s.status != http.StatusSeeOther {
		a.t.Errorf("%s %s: redirected by %d, want 303", method, path, s.status)
	}
	return s
}

// at gives the path of a page of the application.
func (a *agent) at(below string) string { return "/" + a.server.ApplicationID + below }

func (a *agent) get(path string) shown {
	a.t.Helper()
	return a.do(http.MethodGet, path, "")
}

var (
	formTag  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<(?:input|button)\b([^>]*)>`)
	attr     = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

// fill gives the fields of the form of a page whose action ends so, as a browser
// would send them with the values given in turn with their names.
func (a *agent) fill(page shown, action string, values ...string) (to string, form url.Values) {
	a.t.Helper()
	for _, m := range formTag.FindAllStringSubmatch(page.body, -1) {
		if to = html.UnescapeString(m[1]); !strings.HasSuffix(to, action) {
			continue
		}
		form = url.Values{}
		for _, input := range inputTag.FindAllStringSubmatch(m[2], -1) {
			attributes := map[string]string{}
			for _, one := range attr.FindAllStringSubmatch(input[1], -1) {
				attributes[one[1]] = html.UnescapeString(one[2])
			}
			if name := attributes["name"]; name != "" && name != "answer" {
				form.Set(name, attributes["value"])
			}
		}
		for i := 0; i+1 < len(values); i += 2 {
			form.Set(values[i], values[i+1])
		}
		return to, form
	}
	a.t.Fatalf("no form to %s in\n%s", action, page.body)
	return "", nil
}

// send fills a form of a page and sends it.
func (a *agent) send(page shown, action string, values ...string) shown {
	a.t.Helper()
	to, form := a.fill(page, action, values...)
	return a.do(http.MethodPost, to, form.Encode())
}

// signIn signs in by password, and gives where that leads.
func (a *agent) signIn(path, email, password string) shown {
	a.t.Helper()
	return a.send(a.get(path), "/signin", "email", email, "password", password)
}

func (s shown) want(t testing.TB, status int, texts ...string) {
	t.Helper()
	if s.status != status {
		t.Errorf("status %d, want %d; to %q\n%s", s.status, status, s.to, s.body)
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(s.body), text) {
			t.Errorf("the page does not say %q:\n%s", text, s.body)
		}
	}
}

func (s shown) leads(t testing.TB, to string) {
	t.Helper()
	if s.status != http.StatusSeeOther || s.to != to {
		t.Errorf("%d to %q, want 303 to %q\n%s", s.status, s.to, to, s.body)
	}
}
