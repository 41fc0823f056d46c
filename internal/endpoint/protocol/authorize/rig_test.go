package authorize_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/authorize"
	"github.com/ostiary/ostiary/internal/servertest"
	"github.com/ostiary/ostiary/internal/web"
)

// The example of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

const callback = "https://app.example/cb"

// rig is the endpoint over a whole server's parts, with pages that write down
// what they were told instead of showing it.
type rig struct {
	*testing.T
	server  *servertest.Server
	desk    *authorization.Desk
	handler http.Handler
	pages   *pages
	app     *application.Application
	issuer  string
	cookie  string // of whoever is signed in; "": nobody
	user    *user.User
}

type pages struct {
	problem      *oauth.Error
	detail       string
	target       string
	values       url.Values
	interstitial string
	locales      string
}

func (p *pages) Problem(w http.ResponseWriter, _ *http.Request, _ *application.Application, locales string, problem *oauth.Error, detail string) {
	p.problem, p.detail, p.locales = problem, detail, locales
	w.WriteHeader(problem.Status)
}

func (p *pages) FormPost(w http.ResponseWriter, _ *http.Request, _ *application.Application, locales, target string, values url.Values) {
	p.target, p.values, p.locales = target, values, locales
	w.WriteHeader(http.StatusOK)
}

func (p *pages) Interstitial(w http.ResponseWriter, _ *http.Request, _ *application.Application, locales, target string) {
	p.interstitial, p.locales = target, locales
	w.WriteHeader(http.StatusOK)
}

func newRig(t *testing.T, settings ...string) *rig {
	t.Helper()
	s := servertest.Start(t, servertest.Options{Settings: settings})
	r := &rig{T: t, server: s, pages: &pages{}, issuer: s.Issuer, desk: authorization.NewDesk(s.App.Ring, s.Clock.Now)}
	issuers := application.Issuers{PublicURL: s.URL}
	parts := &protocol.Parts{
		Applications: s.App.Applications, Clients: s.App.Clients, Tokens: s.App.Tokens, Scopes: s.App.Scopes,
		Resources: s.App.Resources, Signers: s.App.Signers, Usage: s.App.Usage, Issuers: issuers, Lease: func() error { return nil },
		SessionCookie: func(id string) web.Cookie { return web.NewCookie("ostiary", issuers.Of(id)) },
	}
	surface := web.NewSurface("oauth", protocol.WriteError, authorize.Routes(&authorize.Parts{
		Parts: parts, Desk: r.desk, Sessions: s.App.Sessions, Consents: s.App.Consents, Users: s.App.Users, Pages: r.pages, Now: s.Clock.Now,
	})...)
	r.handler = surface
	var err error
	if r.app, err = s.App.Applications.Get(t.Context(), s.ApplicationID); err != nil {
		t.Fatal(err)
	}
	return r
}

var source = audit.Source{Actor: "client:boss", RequestID: "r"}

// client makes a client of a document; id names it.
func (r *rig) client(id, document string) *client.Client {
	r.Helper()
	fields, err := client.ParseFields([]byte(`{"id":"` + id + `","name":"` + id + `",` + document + `}`))
	if err != nil {
		r.Fatal(err)
	}
	made, _, err := r.server.App.Operations.CreateFrom(r.Context(), source, r.app, fields, client.CreateOptions{})
	if err != nil {
		r.Fatal(err)
	}
	return made
}

// spa makes a client as most are.
func (r *rig) spa(id string) *client.Client {
	r.Helper()
	return r.client(id, `"kind":"spa","redirect_uris":["`+callback+`"],"scopes":["openid","profile","email","offline_access"]`)
}

// signIn begins a session in this browser, of the user with an address.
func (r *rig) signIn(email, acr string) *session.Session {
	r.Helper()
	u, err := r.server.App.Users.ByEmail(r.Context(), r.app.ID, email)
	if err != nil {
		if u, err = r.server.App.People.Create(r.Context(), source, r.app.ID, user.Fields{Email: email}); err != nil {
			r.Fatal(err)
		}
	}
	made, cookie, err := r.server.App.Sessions.Begin(r.Context(), source, r.app, u, session.SignIn{AMR: []string{"pwd"}, ACR: acr})
	if err != nil {
		r.Fatal(err)
	}
	r.cookie, r.user = cookie, u
	return made
}

func (r *rig) agree(clientID string, scopes ...string) {
	r.Helper()
	if _, err := r.server.App.Consents.Grant(r.Context(), source, r.app.ID, r.user.UUID, clientID, scopes); err != nil {
		r.Fatal(err)
	}
}

// request is the one that needs nothing but a user who agreed.
func request(clientID string, more ...string) url.Values {
	v := url.Values{
		"client_id": {clientID}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid"}, "state": {"s t&a"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	return with(v, more...)
}

// with changes parameters: "name=value", or "name" to leave one out.
func with(v url.Values, more ...string) url.Values {
	for _, change := range more {
		name, value, set := strings.Cut(change, "=")
		if !set {
			v.Del(name)
			continue
		}
		v.Set(name, value)
	}
	return v
}

// answer is what the browser got.
type answer struct {
	*testing.T
	status   int
	header   http.Header
	location *url.URL // nil: none
	pages    pages
}

func (r *rig) get(query string) answer {
	r.Helper()
	return r.do(http.MethodGet, query, "")
}

func (r *rig) do(method, query, body string) answer {
	r.Helper()
	path := "/" + r.app.ID + "/oauth2/authorize"
	if query != "" {
		path += "?" + query
	}
	request := httptest.NewRequestWithContext(r.Context(), method, r.server.URL+path, strings.NewReader(body))
	if body != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.cookie != "" {
		request.Header.Set("Cookie", "ostiary="+r.cookie)
	}
	*r.pages = pages{}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, request)
	a := answer{T: r.T, status: w.Code, header: w.Header(), pages: *r.pages}
	if to := w.Header().Get("Location"); to != "" {
		var err error
		if a.location, err = url.Parse(to); err != nil {
			r.Fatal(err)
		}
		if w.Code != http.StatusSeeOther {
			r.Errorf("a redirect by %d", w.Code)
		}
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" {
		r.Errorf("header %v", w.Header())
	}
	return a
}

// to gives the values that were sent to the redirect URI, in a mode.
func (a answer) to(uri, mode string) url.Values {
	a.Helper()
	if mode == "form_post" {
		if a.pages.target != uri || a.location != nil {
			a.Fatalf("posted to %q; location %v, problem %v", a.pages.target, a.location, a.pages.problem)
		}
		return a.pages.values
	}
	if a.location == nil {
		a.Fatalf("no redirect: %d, problem %v %s", a.status, a.pages.problem, a.pages.detail)
	}
	got, text := *a.location, a.location.RawQuery
	if mode == "fragment" {
		text = got.EscapedFragment()
	}
	got.RawQuery, got.Fragment, got.RawFragment = "", "", ""
	values, err := url.ParseQuery(text)
	if err != nil || got.String() != uri {
		a.Fatalf("sent to %s (%v), want %s by %s", a.location, err, uri, mode)
	}
	return values
}

// wantError wants an error at the redirect URI, with state and iss.
func (r *rig) wantError(a answer, uri, mode, code string) {
	r.Helper()
	got := a.to(uri, mode)
	if got.Get("error") != code || got.Get("error_description") == "" || got.Get("iss") != r.issuer || got.Get("state") != "s t&a" || got.Has("code") {
		r.Errorf("answered %v, want %s", got, code)
	}
}

// wantPage wants a page of an error, and nothing that leads away.
func (r *rig) wantPage(a answer, status int, code string) {
	r.Helper()
	if a.location != nil || a.pages.problem == nil || a.pages.problem.Code != code || a.status != status || a.pages.problem.Status != status {
		r.Errorf("%d %v to %v, want a page of %d %s", a.status, a.pages.problem, a.location, status, code)
	}
}

// wantVisit wants a page for users, and gives the request that was sent there.
func (r *rig) wantVisit(a answer, page string, need authorization.Need) *authorization.Request {
	r.Helper()
	if a.location == nil || !strings.HasPrefix(a.location.String(), r.issuer+page+"?request=") {
		r.Fatalf("%d to %v, problem %v; want a visit to %s", a.status, a.location, a.pages.problem, page)
	}
	sealed, err := r.desk.Open(r.app.ID, a.location.Query().Get("request"))
	if err != nil {
		r.Fatal(err)
	}
	if sealed.Need != need {
		r.Errorf("the page is told of %q, want %q", sealed.Need, need)
	}
	return sealed
}

// back comes back from a page.
func (r *rig) back(sealed *authorization.Request) answer {
	r.Helper()
	text, err := r.desk.Seal(r.app.ID, sealed)
	if err != nil {
		r.Fatal(err)
	}
	return r.get("continue=" + text)
}
