package scope_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

const app = "first"

// rig is the operations over a temporary database.
type rig struct {
	*testing.T
	db     *store.DB
	scopes *scope.Registry
	ops    *scope.Operations
	now    time.Time
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, now: time.Date(2026, 3, 4, 5, 6, 7, 890123456, time.UTC)}
	r.db = temporary.Open(t, t.TempDir(), func() time.Time { return r.now })
	r.scopes = scope.NewRegistry(r.db.Scopes(), 1<<20)
	r.ops = scope.NewOperations(r.db.Scopes(), r.scopes, func() time.Time { return r.now })
	return r
}

var source = audit.Source{Actor: "client:boss", RequestID: "r"}

func (r *rig) create(fields scope.Fields) *scope.Scope {
	r.Helper()
	made, err := r.ops.Create(r.Context(), source, app, fields)
	if err != nil {
		r.Fatal(err)
	}
	return made
}

func (r *rig) patch(name, patch string, revision *int64) (*scope.Scope, error) {
	return r.ops.Patch(r.Context(), source, app, name, []byte(patch), revision)
}

func (r *rig) wants(name string, kind fault.Kind, err error) {
	r.Helper()
	if err == nil || fault.KindOf(err) != kind {
		r.Errorf("%s: %v, want a fault of kind %d", name, err, kind)
	}
}

func (r *rig) events() []audit.Event {
	r.Helper()
	events, _, err := r.db.Audit().Events(r.Context(), app, store.Cursor{}, 1000)
	if err != nil {
		r.Fatal(err)
	}
	return events
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

func TestKindsAndGrants(t *testing.T) {
	users := []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken, oauth.Password, oauth.Implicit}
	for kind, want := range map[scope.Kind][2]bool{ // with client credentials, with the grants of users
		scope.System: {true, false}, scope.User: {false, true}, scope.OpenID: {false, true}, scope.Any: {true, true}, "": {true, true},
	} {
		if kind.Suits(oauth.ClientCredentials) != want[0] {
			t.Errorf("%q with client credentials: %v", kind, !want[0])
		}
		for _, grant := range users {
			if kind.Suits(grant) != want[1] {
				t.Errorf("%q with %s: %v", kind, grant, !want[1])
			}
		}
	}
}

func TestFieldRefusals(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name   string
		fields scope.Fields
		want   []string
	}{
		{"no name", scope.Fields{}, []string{"name"}},
		{"a space", scope.Fields{Name: "a b"}, []string{"name"}},
		{"a quotation mark", scope.Fields{Name: `a"`}, []string{"name"}},
		{"a backslash", scope.Fields{Name: `a\`}, []string{"name"}},
		{"beyond ASCII", scope.Fields{Name: "é"}, []string{"name"}},
		{"a control character", scope.Fields{Name: "a\x00"}, []string{"name"}},
		{"too long", scope.Fields{Name: strings.Repeat("x", 129)}, []string{"name"}},
		{"the server's own", scope.Fields{Name: "ostiary:mine"}, []string{"name"}},
		{"the server's own, in capitals", scope.Fields{Name: "OSTIARY:mine"}, []string{"name"}},
		{"description", scope.Fields{Name: "x", Description: strings.Repeat("é", 2001)}, []string{"description"}},
		{"description with NUL", scope.Fields{Name: "x", Description: "a\x00"}, []string{"description"}},
		{"unknown kind", scope.Fields{Name: "x", Kind: "all"}, []string{"kind"}},
		{"kind of the built-in", scope.Fields{Name: "x", Kind: scope.OpenID}, []string{"kind"}},
		{"role", scope.Fields{Name: "x", RequiredRole: "a\nb\x07"}, []string{"required_role"}},
		{
			"patterns",
			scope.Fields{Name: "x", URLPatterns: []string{"/a", "a", "", "/a?b", "/a#b", "/a b", "https://", "https:///a", "ftp://a/b", `/\`, "/" + strings.Repeat("x", 1000)}},
			[]string{"url_patterns[1]", "url_patterns[2]", "url_patterns[3]", "url_patterns[4]", "url_patterns[5]", "url_patterns[6]", "url_patterns[7]", "url_patterns[8]", "url_patterns[9]", "url_patterns[10]"},
		},
		{
			"patterns that open nothing",
			scope.Fields{Name: "x", URLPatterns: []string{"GET,POST /a/*", "/a//b", "/a/../b", "/a;b", "/a%2fb", "/a%zz", "get /a", "GET  /a", "GET, /a", "GET https://a.example/b", "https://*.example/a", "https://a@b/c"}},
			[]string{"url_patterns[1]", "url_patterns[2]", "url_patterns[3]", "url_patterns[4]", "url_patterns[5]", "url_patterns[6]", "url_patterns[7]", "url_patterns[8]", "url_patterns[10]", "url_patterns[11]"},
		},
		{"too many patterns", scope.Fields{Name: "x", URLPatterns: slices.Repeat([]string{"/"}, 101)}, []string{"url_patterns"}},
		{"all at once", scope.Fields{Name: "a b", Kind: "x", URLPatterns: []string{"a"}}, []string{"name", "kind", "url_patterns[0]"}},
	} {
		if _, err := r.ops.Create(t.Context(), source, app, c.fields); !slices.Equal(refused(err), c.want) {
			t.Errorf("%s: %v, want %q refused", c.name, err, c.want)
		}
	}
	if events := r.events(); len(events) != 0 {
		t.Errorf("%d events of refused operations", len(events))
	}
}

func TestScopeLife(t *testing.T) {
	r := newRig(t)
	made := r.create(scope.Fields{Name: "Orders:Read", URLPatterns: []string{"/orders/*", "https://api.example.com/o"}})
	if made.Kind != scope.Any || made.Revision != 1 || !made.CreatedAt.Equal(r.now.Truncate(time.Microsecond)) {
		t.Errorf("made: %+v", made)
	}
	for _, name := range []string{"orders:read", "openid", "OpenID", "EMAIL"} {
		_, err := r.ops.Create(t.Context(), source, app, scope.Fields{Name: name})
		r.wants(name, fault.Conflict, err)
		if f, _ := errors.AsType[*fault.Error](err); f == nil || f.Field != "name" {
			t.Errorf("%s: the conflict is about %v", name, err)
		}
	}
	got, err := r.ops.Get(t.Context(), app, "Orders:Read") // remembered from here on
	if err != nil || got.Kind != scope.Any {
		t.Fatalf("%+v, %v", got, err)
	}
	r.now = r.now.Add(time.Hour)
	one := int64(1)
	changed, err := r.patch("Orders:Read", `{"kind": "system", "description": "Read.", "url_patterns": null, "name": "Orders:Read"}`, &one)
	if err != nil || changed.Kind != scope.System || changed.Description != "Read." || changed.URLPatterns != nil || changed.Revision != 2 || changed.UpdatedAt.Equal(changed.CreatedAt) {
		t.Fatalf("%+v, %v", changed, err)
	}
	if got, err = r.ops.Get(t.Context(), app, "Orders:Read"); err != nil || got.Kind != scope.System {
		t.Errorf("out of date: %+v, %v", got, err)
	}
	_, err = r.patch("Orders:Read", `{"kind": null}`, &one)
	r.wants("a stale revision", fault.Precondition, err)
	r.wants("a stale revision", fault.Precondition, r.ops.Delete(t.Context(), source, app, "Orders:Read", &one))
	for patch, want := range map[string]string{`{"name": "other"}`: "name", `{"name": null}`: "name", `{"kind": 1}`: "kind", `{"revision": 1}`: "revision", `[]`: ""} {
		if _, err := r.patch("Orders:Read", patch, nil); !slices.Equal(refused(err), []string{want}) {
			t.Errorf("%s: %v", patch, err)
		}
	}
	for _, name := range []string{"orders:read", "nothing", "a b", "\xff", "a\x00"} {
		_, err := r.patch(name, `{}`, nil)
		r.wants(name, fault.NotFound, err)
		r.wants(name, fault.NotFound, r.ops.Delete(t.Context(), source, app, name, nil))
		_, err = r.ops.Get(t.Context(), app, name)
		r.wants(name, fault.NotFound, err)
	}
	if err := r.ops.Delete(t.Context(), source, app, "Orders:Read", nil); err != nil {
		t.Fatal(err)
	}
	_, err = r.ops.Get(t.Context(), app, "Orders:Read")
	r.wants("deleted", fault.NotFound, err)
	want := []string{
		`scope.delete {"name":"Orders:Read","description":"Read.","kind":"system","required_role":"","url_patterns":[]} `,
		`scope.update {"name":"Orders:Read","description":"","kind":"any","required_role":"","url_patterns":["/orders/*","https://api.example.com/o"]} {"name":"Orders:Read","description":"Read.","kind":"system","required_role":"","url_patterns":[]}`,
		`scope.create  {"name":"Orders:Read","description":"","kind":"any","required_role":"","url_patterns":["/orders/*","https://api.example.com/o"]}`,
	}
	for i, e := range r.events() {
		if text := e.Action + " " + string(e.Before) + " " + string(e.After); text != want[i] || e.Object != "scope:Orders:Read" || e.Actor != source.Actor {
			t.Errorf("event %d: %s of %s by %s", i, text, e.Object, e.Actor)
		}
	}
}

func TestBuiltInScopesStay(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"openid", "profile", "email", "address", "phone", "offline_access", "ostiary:introspect", "ostiary:admin"} {
		s, err := r.ops.Get(t.Context(), app, name)
		if err != nil || !s.BuiltIn || s.ApplicationID != app || s.Description == "" || (s.Kind == scope.System) != strings.HasPrefix(name, scope.Prefix) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		_, err = r.patch(name, `{"description": "x"}`, nil)
		r.wants(name, fault.Conflict, err)
		r.wants(name, fault.Conflict, r.ops.Delete(t.Context(), source, app, name, nil))
	}
}

func TestListMergesWhatIsBuiltIn(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"Zebra", "apple", "Order", "p", "phonebook"} {
		r.create(scope.Fields{Name: name})
	}
	want := []string{"address", "apple", "email", "offline_access", "openid", "Order", "ostiary:admin", "ostiary:introspect", "p", "phone", "phonebook", "profile", "Zebra"}
	for _, limit := range []int{1, 2, 3, 5, 13, 100} {
		var got []string
		for after, pages := "", 0; ; pages++ {
			page, next, err := r.ops.List(t.Context(), app, after, limit)
			if err != nil || len(page) > limit || pages > len(want) {
				t.Fatalf("limit %d: %d in a page, %v", limit, len(page), err)
			}
			for _, s := range page {
				got = append(got, s.Name)
			}
			if after = next; after == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %q", limit, got)
		}
	}
	for _, cursor := range []string{"\xff", "a\x00"} {
		_, _, err := r.ops.List(t.Context(), app, cursor, 10)
		r.wants("a cursor that is none", fault.Invalid, err)
	}
}

func TestScopesOfAnotherApplication(t *testing.T) {
	r := newRig(t)
	r.create(scope.Fields{Name: "mine"})
	_, err := r.ops.Get(t.Context(), "second", "mine")
	r.wants("Get", fault.NotFound, err)
	_, err = r.ops.Patch(t.Context(), source, "second", "mine", []byte(`{}`), nil)
	r.wants("Patch", fault.NotFound, err)
	r.wants("Delete", fault.NotFound, r.ops.Delete(t.Context(), source, "second", "mine", nil))
}

func TestKindsOfScopes(t *testing.T) {
	r := newRig(t)
	r.create(scope.Fields{Name: "machine", Kind: scope.System})
	got, err := r.scopes.Scopes(t.Context(), app, []string{"machine", "nothing", "a b", "\xff", "openid", "Machine"})
	if err != nil || len(got) != 2 || got["machine"] != scope.System || got["openid"] != scope.OpenID {
		t.Errorf("%v, %v", got, err)
	}
	before := r.db.Statements()
	for range 3 {
		_, _ = r.scopes.Scopes(t.Context(), app, []string{"machine", "openid", "a b"})
	}
	if r.db.Statements() != before {
		t.Error("what is remembered, and what none can be called, costs SQL")
	}
}

func TestAdmit(t *testing.T) {
	r := newRig(t)
	for name, kind := range map[string]scope.Kind{"machine": scope.System, "person": scope.User, "both": scope.Any} {
		r.create(scope.Fields{Name: name, Kind: kind})
	}
	all := []string{"person", "machine", "gone", "both", "openid", scope.Introspect}
	for _, c := range []struct {
		grant oauth.GrantType
		names []string
		asked bool
		want  []string // nil: refused
	}{
		{oauth.ClientCredentials, []string{"machine", "both"}, true, []string{"machine", "both"}},
		{oauth.ClientCredentials, []string{"machine", "person"}, true, nil},
		{oauth.ClientCredentials, []string{"openid"}, true, nil},
		{oauth.ClientCredentials, []string{"gone"}, true, nil},
		{oauth.ClientCredentials, all, false, []string{"machine", "both", scope.Introspect}},
		{oauth.ClientCredentials, []string{"person", "openid"}, false, nil},
		{oauth.ClientCredentials, nil, false, []string{}},
		{oauth.AuthorizationCode, all, false, []string{"person", "both", "openid"}},
		{oauth.AuthorizationCode, []string{"machine"}, true, nil},
		{oauth.AuthorizationCode, []string{"both", "openid"}, true, []string{"both", "openid"}},
	} {
		sent := slices.Clone(c.names)
		got, err := r.scopes.Admit(t.Context(), app, c.grant, c.names, c.asked)
		if c.want == nil {
			if e, _ := errors.AsType[*oauth.Error](err); e == nil || e.Code != "invalid_scope" {
				t.Errorf("%s %q: %q, %v", c.grant, c.names, got, err)
			}
		} else if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s %q: %q, %v, want %q", c.grant, c.names, got, err, c.want)
		}
		if !slices.Equal(sent, c.names) {
			t.Errorf("the names of a shared client were altered: %q", c.names)
		}
	}
}

func TestPublished(t *testing.T) {
	r := newRig(t)
	grants := []oauth.GrantType{oauth.ClientCredentials}
	published := func() *scope.Published {
		p, err := r.scopes.Published(t.Context(), app, grants)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := published(); len(p.Names) != 0 {
		t.Errorf("%q", p.Names)
	}
	r.create(scope.Fields{Name: "b", Kind: scope.System})
	r.create(scope.Fields{Name: "A"})
	r.create(scope.Fields{Name: "person", Kind: scope.User})
	first := published()
	if !slices.Equal(first.Names, []string{"A", "b"}) || published() != first {
		t.Errorf("%q", first.Names)
	}
	if _, err := r.patch("b", `{"kind": "user"}`, nil); err != nil {
		t.Fatal(err)
	}
	if p := published(); !slices.Equal(p.Names, []string{"A"}) {
		t.Errorf("after a change: %q", p.Names)
	}
	for i := range 200 {
		r.create(scope.Fields{Name: "many" + strings.Repeat("x", i%10) + string(rune('a'+i/10))})
	}
	if p := published(); len(p.Names) != 0 {
		t.Errorf("%d names are too many to announce", len(p.Names))
	}
}

func TestAClosedStoreIsNoAnswer(t *testing.T) {
	r := newRig(t)
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	if kinds, err := r.scopes.Scopes(t.Context(), app, []string{"x"}); err == nil || fault.KindOf(err) == fault.NotFound {
		t.Errorf("%v, %v", kinds, err)
	}
	if _, err := r.scopes.Admit(t.Context(), app, oauth.ClientCredentials, []string{"x"}, true); err == nil {
		t.Error("a scope that cannot be known is given")
	} else if _, ok := errors.AsType[*oauth.Error](err); ok {
		t.Errorf("it is refused for good: %v", err)
	}
}

func TestForUser(t *testing.T) {
	r := newRig(t)
	r.create(scope.Fields{Name: "read"})
	r.create(scope.Fields{Name: "write", RequiredRole: " chargee\u0301 "}) // kept in NFC, as roles of users are
	r.create(scope.Fields{Name: "audit", RequiredRole: "auditor"})
	check := func(scopes, roles []string, want string) {
		t.Helper()
		got, err := r.scopes.ForUser(t.Context(), app, scopes, roles)
		text := fmt.Sprint(got)
		if refusal, ok := errors.AsType[*oauth.Error](err); ok {
			text = refusal.Code
		} else if err != nil {
			t.Fatal(err)
		}
		if text != want {
			t.Errorf("of %v with the roles %v: %s, want %s", scopes, roles, text, want)
		}
	}
	check(nil, nil, "[]")
	check([]string{"read", "write", "audit"}, nil, "[read]")
	check([]string{"read", "write", "audit"}, []string{"charge\u00e9", "x"}, "[read write]")
	check([]string{"audit", "write", "openid", "gone"}, []string{"auditor"}, "[audit openid]")
	check([]string{"write", "gone"}, []string{"auditor", ""}, "invalid_scope")
	check([]string{"audit"}, nil, "invalid_scope")
	if _, err := r.patch("audit", `{"required_role":null}`, nil); err != nil {
		t.Fatal(err)
	}
	check([]string{"audit"}, nil, "[audit]")
}
