package configapi_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/endpoint/configapi"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
	"github.com/ostiary/ostiary/internal/web"
)

// creds are a client's id and secret.
type creds struct{ id, secret string }

var nobody = creds{}

// rig is the surface over a temporary database, behind the front that it has in
// the server, with a clock of its own.
type rig struct {
	t        testing.TB
	clock    *temporary.Clock
	db       *store.DB
	file     string
	handler  http.Handler
	apps     *application.Registry
	clients  *client.Registry
	ops      *client.Operations
	app      string
	owner    creds
	address  string // of who calls
	leaseErr error
}

// newRig makes an application with settings, SETTING=VALUE each, and an owner.
func newRig(t testing.TB, settings ...string) *rig {
	t.Helper()
	r := &rig{t: t, address: "192.0.2.10", clock: temporary.At(time.Date(2026, 3, 4, 5, 6, 7, 890123456, time.UTC))}
	directory := t.TempDir()
	r.file = filepath.Join(directory, store.FileName)
	r.db = temporary.Open(t, directory, r.clock.Now)
	ring := temporary.Ring(t, r.db, r.clock.Now)
	r.apps = application.NewRegistry(r.db.Applications(), 1<<20)
	r.clients = client.NewRegistry(r.db.Clients(), ring, r.clock.Now, 1<<20)
	r.ops = client.NewOperations(r.db.Clients(), r.db.Audit(), r.clients, r.apps, ring, r.clock.Now)
	surface := configapi.New(configapi.Deps{
		Applications: r.apps, Clients: r.clients, Operations: r.ops,
		Throttle: web.NewThrottle(1, 5, r.clock.Now),
		Lease:    func() error { return errors.Join(r.leaseErr, r.db.Lease()) },
	})
	elsewhere := web.NewSurface("elsewhere", func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusTeapot) })
	r.handler = &web.Front{
		Reserved: application.Reserved, Surfaces: map[string]http.Handler{"config": surface},
		Applications: elsewhere, Elsewhere: elsewhere, NewID: ident.Request, Now: r.clock.Now,
	}
	r.found(ring, settings)
	return r
}

func (r *rig) found(ring *key.Ring, settings []string) {
	r.t.Helper()
	now := r.clock.Now()
	app := application.Application{ID: ident.Application(), Name: "First", CreatedAt: now, UpdatedAt: now}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		if err := app.Settings.Set(name, value); err != nil {
			r.t.Fatal(err)
		}
	}
	r.app, r.owner = app.ID, creds{ident.Client(), ident.PlainSecret()}
	err := r.db.Instance().Found(r.t.Context(), &instance.Foundation{
		Instance:    instance.Instance{DefaultApplication: app.ID, FoundedAt: now},
		Application: app,
		Owner: client.Client{
			ApplicationID: app.ID, ID: r.owner.id, Name: "First owner", Kind: client.Other, Era: 1,
			Settings: client.Settings{Features: client.Features{client.Owner}},
			Secrets:  []client.Secret{client.NewSecret(ring, &app, r.owner.id, r.owner.secret, now)}, CreatedAt: now, UpdatedAt: now,
		},
		Administrator: administrator.First("admin@example.com", "none", now),
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) loseLease() {
	r.leaseErr = fault.Unavailablef(errors.New("test"), "The database is out of reach.")
}

// from is the same rig, called from another address.
func (r *rig) from(address string) *rig {
	other := *r
	other.address = address
	return &other
}

// path below the application.
func (r *rig) path(below string) string { return "/config/" + r.app + below }

func (r *rig) clientPath(id string) string { return r.path("/clients/" + id) }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
}

func (a answer) object(t testing.TB) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(a.text), &o); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.text, err)
	}
	return o
}

// send sends a request and checks what holds for every answer of the surface.
func (r *rig) send(request *http.Request) answer {
	r.t.Helper()
	if request.RemoteAddr == "192.0.2.1:1234" { // httptest's own
		request.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(r.address), 4711).String()
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, request)
	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	what := request.Method + " " + request.URL.Path
	if id := a.header.Get("X-Request-Id"); len(id) != 16 {
		r.t.Errorf("%s: X-Request-Id %q", what, id)
	}
	if a.text != "" && (a.header.Get("Content-Type") != "application/json" || !json.Valid([]byte(a.text))) {
		r.t.Errorf("%s: not JSON: %q %q", what, a.header.Get("Content-Type"), a.text)
	}
	if a.status >= http.StatusBadRequest && request.Method != http.MethodHead {
		if o := a.object(r.t); len(o) != 1 || o["errors"] == nil {
			r.t.Errorf("%s: an error of another form: %s", what, a.text)
		}
	}
	if (a.status == http.StatusUnauthorized) != strings.HasPrefix(a.header.Get("Www-Authenticate"), "Basic") {
		r.t.Errorf("%s: %d with WWW-Authenticate %q", what, a.status, a.header.Get("Www-Authenticate"))
	}
	waits := a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable
	if waits != (a.header.Get("Retry-After") != "") {
		r.t.Errorf("%s: %d with Retry-After %q", what, a.status, a.header.Get("Retry-After"))
	}
	return a
}

func (r *rig) request(method, path, body string, c creds) *http.Request {
	request := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(body))
	if c != nobody {
		request.SetBasicAuth(c.id, c.secret)
	}
	return request
}

func (r *rig) do(method, path, body string, c creds) answer {
	r.t.Helper()
	return r.send(r.request(method, path, body, c))
}

// ask is do by the owner.
func (r *rig) ask(method, path, body string) answer {
	r.t.Helper()
	return r.do(method, path, body, r.owner)
}

// create makes a client.
func (r *rig) create(body string) creds {
	r.t.Helper()
	a := r.ask(http.MethodPost, r.path("/clients"), body)
	if a.status != http.StatusCreated {
		r.t.Fatalf("create %s: %d %s", body, a.status, a.text)
	}
	o := a.object(r.t)
	return creds{o["_id"].(string), o["_secret"].(string)}
}

// alter changes a client behind the surface's back, as another surface would.
func (r *rig) alter(id string, change func(*client.Client)) {
	r.t.Helper()
	defer r.clients.Void(r.app, id)
	_, err := r.db.Clients().Change(r.t.Context(), r.app, id, client.NameAndVersion, testEvent(r, change))
	if err != nil {
		r.t.Fatal(err)
	}
}

func testEvent(r *rig, change func(*client.Client)) func(*client.Client) (audit.Event, error) {
	return func(c *client.Client) (audit.Event, error) {
		change(c)
		return audit.New(audit.System(), r.app, "test", "client:"+c.ID, r.clock.Now()), nil
	}
}

// vanish removes a client that the server goes on to remember.
func (r *rig) vanish(id string) {
	r.t.Helper()
	if _, err := r.clients.Get(r.t.Context(), r.app, id); err != nil {
		r.t.Fatal(err)
	}
	if err := r.db.Clients().Delete(r.t.Context(), r.app, id, testEvent(r, func(*client.Client) {})); err != nil {
		r.t.Fatal(err)
	}
}

// holds gives the name of a file of the database that has a text in it, ""
// where none has.
func (r *rig) holds(text string) string {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(r.file), "*"))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		if bytes.Contains(content, []byte(text)) {
			return filepath.Base(name)
		}
	}
	return ""
}

func (r *rig) stored(id string) *client.Client {
	r.t.Helper()
	c, err := r.db.Clients().Get(r.t.Context(), r.app, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// works reports whether a client's credentials authenticate it.
func (r *rig) works(c creds) bool {
	r.t.Helper()
	a := r.from("198.51.100.77").do(http.MethodGet, r.clientPath(c.id)+"/settings", "", c)
	return a.status == http.StatusOK
}

// events gives the application's audit events, newest first.
func (r *rig) events() []audit.Event {
	r.t.Helper()
	events, _, err := r.db.Audit().Events(r.t.Context(), r.app, store.Cursor{}, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	return events
}

// insertApplication adds an application past the server.
func (r *rig) insertApplication(app application.Application) {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+r.file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(r.t.Context(), `INSERT INTO application (id, name, settings, revision, created_at, updated_at) VALUES ($1, $2, '{}', 1, 1, 1)`, app.ID, app.Name)
	if err != nil {
		r.t.Fatal(err)
	}
}

// rows gives the number of rows of each table, and the sum of the revisions of
// those that have one, read past the server.
func (r *rig) rows() map[string]int64 {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+r.file+"?mode=ro")
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var tables []string
	list, err := db.QueryContext(r.t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = list.Close() }()
	for list.Next() {
		var name string
		if err := list.Scan(&name); err != nil {
			r.t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := list.Err(); err != nil {
		r.t.Fatal(err)
	}
	rows := map[string]int64{}
	count := func(what, query string) {
		var n int64
		if err := db.QueryRowContext(r.t.Context(), query).Scan(&n); err != nil {
			r.t.Fatal(err)
		}
		rows[what] = n
	}
	for _, name := range tables {
		count(name, fmt.Sprintf(`SELECT count(*) FROM %q`, name))
	}
	count("revisions of clients", `SELECT sum(revision) FROM client`)
	count("revisions of applications", `SELECT sum(revision) FROM application`)
	return rows
}

// refused checks that a request is refused as said, and that nothing of it is
// stored.
func (r *rig) refused(t *testing.T, request *http.Request, status int, text string) answer {
	t.Helper()
	before := r.rows()
	a := r.send(request)
	if want := `{"errors":` + quoted(text) + `}`; a.status != status || a.text != want {
		t.Errorf("answered %d %s, want %d %s", a.status, a.text, status, want)
	}
	if after := r.rows(); !maps.Equal(before, after) {
		t.Errorf("the refused request left something behind: %v, before %v", after, before)
	}
	return a
}

func quoted(s string) string {
	b, _ := json.Marshal(s) //nolint:errchkjson // a string cannot fail
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b))
}
