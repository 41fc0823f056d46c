package protocol_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/check"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/discovery"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/grant"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/introspect"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/revoke"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
	"github.com/ostiary/ostiary/internal/web"
)

// publicURL of the server under test.
const publicURL = "https://id.example.com"

// gateways are the proxies that the server believes.
const gateways = "10.9.0.0/16"

// rig is the endpoints of the protocol over a temporary database, behind the
// front that they have in the server, with a clock of their own.
type rig struct {
	t       testing.TB
	*node   // replaced by restart
	app     string
	address string
}

// node is what a restart replaces.
type node struct {
	clock    *temporary.Clock
	data     string
	throttle [2]int // failures forgiven a second, burst
	parts    *protocol.Parts
	db       *store.DB
	ring     *key.Ring
	handler  http.Handler
	leaseErr error
}

func throttle(perSecond, burst int) func(*node) {
	return func(n *node) { n.throttle = [2]int{perSecond, burst} }
}

func newRig(t testing.TB, options ...func(*node)) *rig {
	t.Helper()
	r := &rig{t: t, address: "192.0.2.10", node: &node{
		clock: temporary.At(time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)),
		data:  t.TempDir(),
	}}
	for _, o := range options {
		o(r.node)
	}
	r.open()
	r.app = r.found("first")
	return r
}

// open starts the node on its data directory.
func (r *rig) open() {
	r.t.Helper()
	n := r.node
	n.db = temporary.Open(r.t, n.data, n.clock.Now)
	n.ring = temporary.Ring(r.t, n.db, n.clock.Now)
	p := &protocol.Parts{
		Applications: application.NewRegistry(n.db.Applications(), 1<<20),
		Clients:      client.NewRegistry(n.db.Clients(), n.ring, n.clock.Now, 1<<20),
		Signers:      key.NewSigners(n.db.Keys(), n.ring, n.clock.Now, key.DefaultSchedule),
		Throttle:     web.NewThrottle(float64(n.throttle[0]), n.throttle[1], n.clock.Now),
		Issuers:      application.Issuers{PublicURL: publicURL},
		PublishAhead: key.DefaultSchedule.PublishAhead,
		Lease:        func() error { return errors.Join(n.leaseErr, n.db.Lease()) },
	}
	p.Scopes = scope.NewRegistry(n.db.Scopes(), 1<<20)
	p.Resources = resource.NewRegistry(n.db.Resources(), 1<<20)
	p.Limits = ratelimit.NewLimiter(n.db.Usage(), n.clock.Now)
	p.Usage = usage.NewMeter(n.db.Usage(), p.Limits, n.clock.Now)
	p.Clients.OnUse(p.Usage.Used)
	users := user.NewRegistry(n.db.Users(), 1<<20)
	var err error
	if p.SignIn, err = signin.NewService(signin.Deps{
		Credentials: n.db.Credentials(), Users: users, Records: n.db.Users(), Keys: n.ring, Audit: n.db.Audit(), PublicURL: publicURL, Now: n.clock.Now,
	}); err != nil {
		r.t.Fatal(err)
	}
	p.Tokens = token.NewService(n.db.Tokens(), token.Registries{
		Clients: p.Clients, Users: users, Scopes: p.Scopes, Resources: p.Resources,
	}, n.ring, p.Signers, n.clock.Now, 4<<20)
	n.parts = p
	surface := web.NewSurface("oauth", protocol.WriteError, slices.Concat(
		grant.Routes(p), introspect.Routes(p), revoke.Routes(p), check.Routes(p), discovery.Routes(p, discovery.Offer{GrantTypes: grant.Types()}))...)
	n.handler = &web.Front{
		Reserved:     application.Reserved,
		Surfaces:     map[string]http.Handler{".well-known": surface},
		Applications: surface,
		Elsewhere:    surface,
		Proxies:      web.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix(gateways)}, Header: "X-Forwarded-For"},
		NewID:        ident.Request,
		Now:          n.clock.Now,
	}
}

// restart ends the node and starts another on the same data.
func (r *rig) restart() {
	r.t.Helper()
	if err := r.db.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.open()
}

func (r *rig) loseLease() {
	r.leaseErr = fault.Unavailablef(errors.New("test"), "The database is out of reach.")
}

func (r *rig) statements() int64 { return int64(r.db.Statements()) }

// path of an endpoint of the application.
func (r *rig) path(below string) string { return "/" + r.app + below }

func (r *rig) issuer() string { return publicURL + "/" + r.app }

// from is the same rig, called from another address.
func (r *rig) from(address string) *rig {
	other := *r
	other.address = address
	return &other
}

// in is the same rig, for another application.
func (r *rig) in(application string) *rig {
	other := *r
	other.app = application
	return &other
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any // nil where it is no JSON object
}

func (r *rig) do(method, path, body string, h http.Header) answer {
	r.t.Helper()
	request := httptest.NewRequestWithContext(r.t.Context(), method, publicURL+path, strings.NewReader(body))
	request.RemoteAddr = r.address + ":4711"
	maps.Copy(request.Header, h)
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, request)
	a := answer{status: w.Code, header: w.Result().Header, text: w.Body.String()}
	if a.header.Get("X-Request-Id") == "" {
		r.t.Errorf("%s %s: no X-Request-Id", method, path)
	}
	_ = json.Unmarshal(w.Body.Bytes(), &a.body)
	return a
}

// post sends a form, unless the header says that it is something else.
func (r *rig) post(path, body string, h http.Header) answer {
	r.t.Helper()
	h = h.Clone()
	if h == nil {
		h = http.Header{}
	}
	if _, ok := h["Content-Type"]; !ok {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r.do(http.MethodPost, path, body, h)
}

func (r *rig) tokenBy(auth string, c creds, more string) answer {
	r.t.Helper()
	h, body := http.Header{}, "grant_type=client_credentials"
	if more != "" {
		body += "&" + strings.TrimPrefix(more, "&")
	}
	switch auth {
	case "basic":
		h.Set("Authorization", c.basic())
	case "post":
		body += "&client_id=" + url.QueryEscape(c.id) + "&client_secret=" + url.QueryEscape(c.secret)
	case "basic and client_id":
		h.Set("Authorization", c.basic())
		body += "&client_id=" + url.QueryEscape(c.id)
	}
	return r.post(r.path("/oauth2/token"), body, h)
}

// mint gets a token.
func (r *rig) mint(c creds, more string) string {
	r.t.Helper()
	a := r.tokenBy("basic", c, more)
	text, _ := a.body["access_token"].(string)
	if a.status != http.StatusOK || text == "" {
		r.t.Fatalf("no token: %d %s", a.status, a.text)
	}
	return text
}

func (r *rig) introspect(caller creds, text string, more ...string) answer {
	r.t.Helper()
	return r.ask("/oauth2/introspect", caller, text, more)
}

func (r *rig) revoke(caller creds, text string, more ...string) answer {
	r.t.Helper()
	return r.ask("/oauth2/revoke", caller, text, more)
}

func (r *rig) ask(path string, caller creds, text string, more []string) answer {
	r.t.Helper()
	body := "token=" + url.QueryEscape(text)
	for _, m := range more {
		body += "&" + strings.TrimPrefix(m, "&")
	}
	return r.post(r.path(path), body, http.Header{"Authorization": {caller.basic()}})
}

func (a answer) wantStatus(t testing.TB, name string, status int) {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: %d %s, want %d", name, a.status, a.text, status)
	}
}

// wantError wants an OAuth error with all that each of them has.
func (a answer) wantError(t testing.TB, name string, status int, code string) {
	t.Helper()
	description, _ := a.body["error_description"].(string)
	if a.status != status || a.body["error"] != code || description == "" || len(a.body) != 2 {
		t.Errorf("%s: %d %s, want %d %s", name, a.status, a.text, status, code)
	}
	if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" {
		t.Errorf("%s: header %v", name, a.header)
	}
}

// creds are a client's id and secret.
type creds struct{ id, secret string }

// basic is the Authorization line of RFC 6749 §2.3.1.
func (c creds) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.id)+":"+url.QueryEscape(c.secret)))
}
