package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/clienttest"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

const issuer = "https://id.example/app"

// rig is the operations over a database of their own.
type rig struct {
	testing.TB

	db      *store.DB
	clients *client.Registry
	ops     *client.Operations
	app     *application.Application
	source  audit.Source

	time *temporary.Clock
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, time: temporary.At(time.Date(2026, 3, 4, 5, 6, 7, 890123456, time.UTC)), source: audit.Source{Actor: "client:tester"}}
	r.app = &application.Application{ID: "app", Name: "App"}
	r.db = temporary.Open(t, t.TempDir(), r.clock)
	ring := temporary.Ring(t, r.db, r.clock)
	apps := application.NewRegistry(r.db.Applications(), 1<<20)
	r.clients = client.NewRegistry(r.db.Clients(), ring, r.clock, 1<<20)
	scopes := scope.NewRegistry(r.db.Scopes(), 1<<20)
	r.ops = client.NewOperations(r.db.Clients(), r.db.Audit(), r.clients, apps, ring, r.clock).WithScopes(scopes.Scopes)
	making := scope.NewOperations(r.db.Scopes(), scopes, r.clock)
	for _, name := range slices.Sorted(maps.Keys(clienttest.Scopes)) {
		fields := scope.Fields{Name: name, Kind: clienttest.Scopes[name]}
		if _, err := making.Create(t.Context(), r.source, r.app.ID, fields); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *rig) clock() time.Time {
	return r.time.Now()
}

func (r *rig) advance(d time.Duration) {
	r.time.Advance(d)
}

// fields reads a document that is written rightly.
func (r *rig) fields(document string) client.Fields {
	r.Helper()
	f, err := client.ParseFields([]byte(document))
	if err != nil {
		r.Fatalf("%s: %v", document, err)
	}
	return f
}

// make makes a client from a document, to which a name of its own is added.
func (r *rig) make(members string) *client.Client {
	r.Helper()
	c, _ := r.makeWithSecret(members)
	return c
}

func (r *rig) makeWithSecret(members string) (*client.Client, string) {
	r.Helper()
	if members != "" {
		members = "," + members
	}
	c, secret, err := r.ops.CreateFrom(r.Context(), r.source, r.app, r.fields(`{"name":"`+ident.Request()+`"`+members+`}`), client.CreateOptions{})
	if err != nil {
		r.Fatalf("%s: %v", members, err)
	}
	return c, secret
}

// shown is the client as it is stored, answered.
func (r *rig) shown(id string) client.View {
	r.Helper()
	return r.stored(id).View(r.app, issuer, client.Usage{})
}

func (r *rig) stored(id string) *client.Client {
	r.Helper()
	c, err := r.db.Clients().Get(r.Context(), r.app.ID, id)
	if err != nil {
		r.Fatal(err)
	}
	return c
}

// field gives a member of an answer, as JSON.
func (r *rig) field(id, name string) string {
	r.Helper()
	return member(r, r.shown(id), name)
}

func member(t testing.TB, v any, name string) string {
	t.Helper()
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(encode(t, v), &members); err != nil {
		t.Fatal(err)
	}
	return string(members[name])
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// problems gives the fields that an error says are refused.
func problems(t testing.TB, err error) []string {
	t.Helper()
	list, ok := errors.AsType[fault.Problems](err)
	if !ok {
		t.Fatalf("got %v, want problems", err)
	}
	var names []string
	for _, p := range list {
		if p.Kind != fault.Invalid || p.Message == "" || !strings.HasSuffix(p.Message, ".") {
			t.Errorf("no refusal that helps: %+v", p)
		}
		names = append(names, p.Field)
	}
	return names
}

func wants(t testing.TB, kind fault.Kind, err error) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("got error %v, want one of kind %d", err, kind)
	}
}
