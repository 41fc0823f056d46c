package resource_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

const (
	app = "first"
	api = "https://api.example.com/orders"
)

var (
	source = audit.Source{Actor: "client:boss", RequestID: "r"}
	start  = time.Date(2026, 3, 4, 5, 6, 7, 890123456, time.UTC)
)

// rig is the operations over a temporary database with the scopes a, b and c
// and the clients one and two.
type rig struct {
	*testing.T
	db        *store.DB
	resources *resource.Registry
	ops       *resource.Operations
}

func newRig(t *testing.T) *rig {
	t.Helper()
	now := func() time.Time { return start }
	db := temporary.Open(t, t.TempDir(), now)
	r := &rig{T: t, db: db, resources: resource.NewRegistry(db.Resources(), 1<<20)}
	r.ops = resource.NewOperations(db.Resources(), r.resources, now)
	scopes := scope.NewOperations(db.Scopes(), scope.NewRegistry(db.Scopes(), 1<<20), now)
	for _, name := range []string{"a", "b", "c"} {
		if _, err := scopes.Create(t.Context(), source, app, scope.Fields{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range []string{"one", "two"} {
		c := &client.Client{ApplicationID: app, ID: id, Name: id, Kind: client.Service, Era: int64(i)}
		if err := db.Clients().Create(t.Context(), c, client.NameAndVersion, audit.New(source, app, "client.create", "client:"+id, start)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *rig) create(fields resource.Fields) *resource.Resource {
	r.Helper()
	made, err := r.ops.Create(r.Context(), source, app, fields)
	if err != nil {
		r.Fatal(err)
	}
	return made
}

func (r *rig) patch(identifier, patch string, revision *int64) (*resource.Resource, error) {
	return r.ops.Patch(r.Context(), source, app, identifier, []byte(patch), revision)
}

func (r *rig) wants(name string, kind fault.Kind, err error) {
	r.Helper()
	if err == nil || fault.KindOf(err) != kind {
		r.Errorf("%s: %v, want a fault of kind %d", name, err, kind)
	}
}

// refused gives the fields that an error is about.
func refused(err error) []string {
	problems, _ := errors.AsType[fault.Problems](err)
	var fields []string
	for _, p := range problems {
		fields = append(fields, p.Field)
	}
	return fields
}

func TestFieldRefusals(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name   string
		fields resource.Fields
		want   []string
	}{
		{"no identifier", resource.Fields{}, []string{"identifier"}},
		{"no URI", resource.Fields{Identifier: "orders"}, []string{"identifier"}},
		{"a fragment", resource.Fields{Identifier: api + "#x"}, []string{"identifier"}},
		{"name", resource.Fields{Identifier: api, Name: strings.Repeat("x", 256)}, []string{"name"}},
		{"name with a line break", resource.Fields{Identifier: api, Name: "a\nb"}, []string{"name"}},
		{"format", resource.Fields{Identifier: api, AccessTokenFormat: "saml"}, []string{"access_token_format"}},
		{"scopes", resource.Fields{Identifier: api, Scopes: []string{"a", "gone", "a", "x y", ""}}, []string{"scopes[2]", "scopes[3]", "scopes[4]"}},
		{"a scope that is not there", resource.Fields{Identifier: api, Scopes: []string{"a", "gone"}}, []string{"scopes[1]"}},
		{"clients", resource.Fields{Identifier: api, IntrospectingClients: []string{"one", "a b", "\x00"}}, []string{"introspecting_clients[1]", "introspecting_clients[2]"}},
		{"clients that are not there", resource.Fields{Identifier: api, IntrospectingClients: []string{"x", "one", "y"}}, []string{"introspecting_clients[0]", "introspecting_clients[2]"}},
		{"too many clients", resource.Fields{Identifier: api, IntrospectingClients: make([]string, 101)}, []string{"introspecting_clients"}},
	} {
		if _, err := r.ops.Create(t.Context(), source, app, c.fields); !slices.Equal(refused(err), c.want) {
			t.Errorf("%s: %v, want %q refused", c.name, err, c.want)
		}
	}
}

func TestResourceLife(t *testing.T) {
	r := newRig(t)
	made := r.create(resource.Fields{Identifier: api, Name: " Orders ", Scopes: []string{"b", "openid"}, IntrospectingClients: []string{"two"}})
	if made.Name != "Orders" || made.Revision != 1 {
		t.Errorf("%+v", made)
	}
	_, err := r.ops.Create(t.Context(), source, app, resource.Fields{Identifier: api})
	r.wants("again", fault.Conflict, err)
	if may, err := r.resources.MayIntrospect(t.Context(), app, []string{api}, made.Introspectors[0].Sequence); !may || err != nil {
		t.Errorf("%v, %v", may, err)
	}
	one := int64(1)
	changed, err := r.patch(api, `{"scopes": ["b", "a"], "introspecting_clients": ["one"], "access_token_format": "opaque", "name": null}`, &one)
	if err != nil || changed.Name != "" || !slices.Equal(changed.Scopes, []string{"b", "a"}) || changed.AccessTokenFormat != lifetime.Opaque || changed.Revision != 2 {
		t.Fatalf("%+v, %v", changed, err)
	}
	if may, err := r.resources.MayIntrospect(t.Context(), app, []string{"urn:x", api}, made.Introspectors[0].Sequence); may || err != nil {
		t.Errorf("out of date: %v, %v", may, err)
	}
	_, err = r.patch(api, `{"name": "x"}`, &one)
	r.wants("a stale revision", fault.Precondition, err)
	r.wants("a stale revision", fault.Precondition, r.ops.Delete(t.Context(), source, app, api, &one))
	for patch, want := range map[string]string{
		`{"identifier": "urn:x"}`: "identifier", `{"identifier": null}`: "identifier", `{"scopes": ["gone"]}`: "scopes[0]",
		`{"introspecting_clients": [1]}`: "introspecting_clients[0]", `{"aud": "x"}`: "aud",
	} {
		if _, err := r.patch(api, patch, nil); !slices.Equal(refused(err), []string{want}) {
			t.Errorf("%s: %v", patch, err)
		}
	}
	for _, identifier := range []string{"urn:nothing", "x", "\xff", "urn:\x00"} {
		_, err := r.patch(identifier, `{}`, nil)
		r.wants(identifier, fault.NotFound, err)
		r.wants(identifier, fault.NotFound, r.ops.Delete(t.Context(), source, app, identifier, nil))
		_, err = r.ops.Get(t.Context(), app, identifier)
		r.wants(identifier, fault.NotFound, err)
	}
	_, err = r.ops.Get(t.Context(), "second", api)
	r.wants("another application", fault.NotFound, err)
	if err := r.ops.Delete(t.Context(), source, app, api, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.resources.Target(t.Context(), app, []string{api}); err == nil {
		t.Error("a deleted resource is remembered")
	}
	events, _, err := r.db.Audit().Events(t.Context(), app, store.Cursor{}, 3)
	if err != nil || len(events) != 3 || events[0].Action != "resource.delete" || events[1].Action != "resource.update" || events[2].Object != "resource:"+api {
		t.Errorf("%+v, %v", events, err)
	}
	if want := `{"identifier":"` + api + `","name":"","scopes":["b","a"],"introspecting_clients":["one"],"access_token_format":"opaque"}`; string(events[1].After) != want {
		t.Errorf("after: %s", events[1].After)
	}
}

func TestList(t *testing.T) {
	r := newRig(t)
	for i := range 5 {
		r.create(resource.Fields{Identifier: fmt.Sprint("urn:", i), IntrospectingClients: []string{"one", "two"}})
	}
	var got []string
	for after := ""; ; {
		page, next, err := r.ops.List(t.Context(), app, after, 2)
		if err != nil || len(page) > 2 {
			t.Fatalf("%d in a page, %v", len(page), err)
		}
		for _, found := range page {
			got = append(got, found.Identifier)
		}
		if after = next; after == "" {
			break
		}
	}
	if !slices.Equal(got, []string{"urn:0", "urn:1", "urn:2", "urn:3", "urn:4"}) {
		t.Errorf("%q", got)
	}
	_, _, err := r.ops.List(t.Context(), app, "\xff", 2)
	r.wants("a cursor that is none", fault.Invalid, err)
}

// RFC 8707 §2.
func TestTarget(t *testing.T) {
	r := newRig(t)
	r.create(resource.Fields{Identifier: "urn:any"})
	r.create(resource.Fields{Identifier: "urn:a", Scopes: []string{"a"}, AccessTokenFormat: lifetime.JWT})
	r.create(resource.Fields{Identifier: "urn:b", Scopes: []string{"b"}, AccessTokenFormat: lifetime.Opaque})
	r.create(resource.Fields{Identifier: "urn:bc", Scopes: []string{"b", "c"}})
	many := make([]string, 11)
	for i := range many {
		many[i] = fmt.Sprint("urn:many", i)
		r.create(resource.Fields{Identifier: many[i]})
	}
	for _, c := range []struct {
		named, scopes []string
		asked         bool
		format        lifetime.Format
		want          []string
		code          string // of the refusal
	}{
		{named: nil, scopes: []string{"a", "b"}, asked: true, want: []string{"a", "b"}},
		{named: []string{"urn:any"}, scopes: []string{"a", "b"}, asked: true, want: []string{"a", "b"}},
		{named: []string{"urn:a"}, scopes: []string{"a"}, asked: true, format: lifetime.JWT, want: []string{"a"}},
		{named: []string{"urn:a"}, scopes: []string{"a", "b"}, asked: true, format: lifetime.JWT, code: "invalid_scope"},
		{named: []string{"urn:a"}, scopes: []string{"a", "b"}, format: lifetime.JWT, want: []string{"a"}},
		{named: []string{"urn:a"}, scopes: []string{"b"}, format: lifetime.JWT, code: "invalid_scope"},
		{named: []string{"urn:a"}, scopes: nil, format: lifetime.JWT, want: nil},
		{named: []string{"urn:a", "urn:bc"}, scopes: []string{"c", "a"}, asked: true, format: lifetime.JWT, want: []string{"c", "a"}},
		{named: []string{"urn:bc", "urn:b"}, scopes: []string{"a", "b"}, asked: true, format: lifetime.Opaque, code: "invalid_scope"},
		{named: []string{"urn:a", "urn:any"}, scopes: []string{"b"}, asked: true, format: lifetime.JWT, want: []string{"b"}},
		{named: []string{"urn:a", "urn:a"}, scopes: []string{"a"}, asked: true, format: lifetime.JWT, want: []string{"a"}},
		{named: []string{"urn:a", "urn:b"}, code: "invalid_target"},
		{named: []string{"urn:any", "urn:gone"}, code: "invalid_target"},
		{named: []string{"urn:ANY"}, code: "invalid_target"},
		{named: []string{"urn:any/"}, code: "invalid_target"},
		{named: []string{"\xff"}, code: "invalid_target"},
		{named: many[:10], scopes: []string{"a"}, asked: true, want: []string{"a"}},
		{named: append(many[:10:10], many[3]), scopes: []string{"a"}, asked: true, want: []string{"a"}},
		{named: many, code: "invalid_target"},
	} {
		sent := slices.Clone(c.scopes)
		target, err := r.resources.Target(t.Context(), app, c.named)
		var got []string
		if err == nil {
			got, err = target.Admit(c.scopes, c.asked)
		}
		code := ""
		if e, _ := errors.AsType[*oauth.Error](err); e != nil {
			code = e.Code
		}
		if code != c.code || (err != nil) != (c.code != "") || err == nil && !slices.Equal(got, c.want) || target.Format() != c.format {
			t.Errorf("%q for %q: %q as %q, %v", c.named, c.scopes, got, target.Format(), err)
		}
		if !slices.Equal(sent, c.scopes) {
			t.Errorf("the scopes of a shared client were altered: %q", c.scopes)
		}
		if unique := slices.Compact(slices.Clone(c.named)); err == nil && len(unique) < 3 && !slices.Equal(target.Audience(), unique) {
			t.Errorf("%q: audience %q", c.named, target.Audience())
		}
	}
}
