package console_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/servertest"
)

// rig is a server, and the browser of an administrator who is signed in.
type rig struct {
	*servertest.Server
	t       *testing.T
	browser *http.Client
}

// start starts a server; the instance's administrator is signed in.
func start(t *testing.T, options servertest.Options) *rig {
	t.Helper()
	s := servertest.Start(t, options)
	return signedIn(t, s, s.AdminEmail, s.AdminPassword)
}

func signedIn(t *testing.T, s *servertest.Server, email, password string) *rig {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Server: s, t: t, browser: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if a := r.post("/console/signin", "email", email, "password", password); a.status != http.StatusSeeOther {
		t.Fatalf("the administrator cannot sign in: %d\n%s", a.status, a.body)
	}
	return r
}

// as gives the browser of another administrator, who has a role in the
// application of the server.
func (r *rig) as(role admin.Role) *rig {
	r.t.Helper()
	const password = "correct horse battery staple"
	email := string(role) + "@example.com"
	operations := administrator.NewOperations(r.App.People, r.App.Users)
	u, err := operations.Create(r.t.Context(), audit.System(), email, administrator.Access{Roles: map[string]admin.Role{r.ApplicationID: role}})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.App.People.SetPassword(r.t.Context(), audit.System(), administrator.ApplicationID, u.UUID, password); err != nil {
		r.t.Fatal(err)
	}
	return signedIn(r.t, r.Server, email, password)
}

// answer is a page, or a redirect.
type answer struct {
	t        *testing.T
	status   int
	body     string
	location string
	header   http.Header
}

// at gives the path of a page of the application.
func (r *rig) at(below string) string { return "/console/apps/" + r.ApplicationID + below }

// get opens a path of the server.
func (r *rig) get(path string) *answer { return r.do(http.MethodGet, path, nil) }

// post sends a form: names and values in turn.
func (r *rig) post(path string, pairs ...string) *answer {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return r.do(http.MethodPost, path, form)
}

func (r *rig) do(method, path string, form url.Values) *answer {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r.send(request)
}

// send sends a request.
func (r *rig) send(request *http.Request) *answer {
	r.t.Helper()
	response, err := r.browser.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return &answer{r.t, response.StatusCode, string(body), response.Header.Get("Location"), response.Header}
}

// shows fails unless the answer has this status, and each of the texts.
func (a *answer) shows(status int, texts ...string) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d\n%s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.t.Errorf("the page has no %q:\n%s", text, a.body)
		}
	}
	return a
}

// lacks fails where the page has one of the texts.
func (a *answer) lacks(texts ...string) *answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			a.t.Errorf("the page has %q:\n%s", text, a.body)
		}
	}
	return a
}
