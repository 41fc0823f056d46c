package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// scope makes a scope that is not stored yet.
func (e *Env) scope(name string) *scope.Scope {
	return &scope.Scope{ApplicationID: appID, Name: name, Kind: scope.Any, CreatedAt: e.Now, UpdatedAt: e.Now}
}

// scopes stores scopes.
func (e *Env) scopes(names ...string) {
	e.Helper()
	for _, name := range names {
		e.must(e.DB.Scopes().Create(e.Context(), e.scope(name), e.event("scope.create")))
	}
}

func (e *Env) deleteScope(name string) error {
	return e.DB.Scopes().Delete(context.Background(), appID, name, func(*scope.Scope) (audit.Event, error) { return e.event("scope.delete"), nil })
}

// allow gives a client scopes in place of those that it has.
func (e *Env) allow(c *client.Client, names ...string) error {
	_, err := e.DB.Clients().Change(context.Background(), appID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Settings.Scopes.Allowed = names
		return e.event("client.update"), nil
	})
	return err
}

// wantField wants a refusal of one value.
func (e *Env) wantField(field string, err error) {
	e.Helper()
	e.wants(fault.Invalid, err)
	if problems, _ := errors.AsType[fault.Problems](err); len(problems) != 1 || problems[0].Field != field {
		e.Fatalf("refused is %v, want %s", err, field)
	}
}

func testScopes(e *Env) {
	ctx, scopes := e.Context(), e.DB.Scopes()
	_, err := scopes.Get(ctx, appID, "read")
	e.wants(fault.NotFound, err)
	_, err = scopes.Change(ctx, appID, "read", func(*scope.Scope) (audit.Event, error) { return e.event("x"), nil })
	e.wants(fault.NotFound, err)
	e.wants(fault.NotFound, e.deleteScope("read"))

	made := e.scope("Orders:Read")
	made.Description, made.Kind, made.RequiredRole, made.URLPatterns = "Read orders.", scope.System, "clerk", []string{"/orders/*", "/o"}
	e.must(scopes.Create(ctx, made, e.event("scope.create")))
	got, err := scopes.Get(ctx, appID, "Orders:Read")
	e.must(err)
	e.same(got, made)
	if got.Revision != 1 {
		e.Fatalf("revision %d", got.Revision)
	}
	for _, name := range []string{"orders:read", "Orders:Rea", "ORDERS:READ"} {
		_, err = scopes.Get(ctx, appID, name)
		e.wants(fault.NotFound, err)
	}
	_, err = scopes.Get(ctx, "other", "Orders:Read")
	e.wants(fault.NotFound, err)
	err = scopes.Create(ctx, e.scope("orders:READ"), e.event("scope.create"))
	e.wants(fault.Conflict, err)
	if f, _ := errors.AsType[*fault.Error](err); f.Field != "name" {
		e.Fatalf("the conflict is about %q", f.Field)
	}

	changed, err := scopes.Change(ctx, appID, "Orders:Read", func(s *scope.Scope) (audit.Event, error) {
		s.Description, s.Kind, s.URLPatterns, s.UpdatedAt = "", scope.User, nil, e.Now.Add(time.Second)
		s.Name, s.ApplicationID, s.Revision, s.CreatedAt = "x", "y", 9, e.Now.Add(time.Hour)
		return e.event("scope.update"), nil
	})
	e.must(err)
	got, err = scopes.Get(ctx, appID, "Orders:Read")
	e.must(err)
	e.same(got, changed)
	want := *made
	want.Description, want.Kind, want.URLPatterns, want.UpdatedAt, want.Revision = "", scope.User, nil, e.Now.Add(time.Second), 2
	e.same(got, &want)

	_, err = scopes.Change(ctx, appID, "Orders:Read", func(s *scope.Scope) (audit.Event, error) {
		s.Description = "refused"
		return e.event("scope.update"), errRefused
	})
	if !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	err = scopes.Delete(ctx, appID, "Orders:Read", func(*scope.Scope) (audit.Event, error) { return e.event("scope.delete"), errRefused })
	if !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	got, err = scopes.Get(ctx, appID, "Orders:Read")
	e.must(err)
	e.same(got, &want)
	e.must(e.deleteScope("Orders:Read"))
	_, err = scopes.Get(ctx, appID, "Orders:Read")
	e.wants(fault.NotFound, err)
	e.same(e.actions(), []string{"scope.delete", "scope.update", "scope.create"})
}

func testScopeList(e *Env) {
	e.scopes("b", "C", "a", "a:b", "Z", "_")
	other := e.scope("elsewhere")
	other.ApplicationID = "other"
	e.must(e.DB.Scopes().Create(e.Context(), other, e.event("scope.create")))
	for _, test := range []struct {
		after string
		limit int
		want  []string
	}{
		{"", 10, []string{"_", "a", "a:b", "b", "C", "Z"}},
		{"", 2, []string{"_", "a"}},
		{"a", 2, []string{"a:b", "b"}},
		{"b", 10, []string{"C", "Z"}},
		{"z", 10, nil},
	} {
		list, err := e.DB.Scopes().List(e.Context(), appID, test.after, test.limit)
		e.must(err)
		var names []string
		for _, s := range list {
			names = append(names, s.Name)
		}
		e.same(names, test.want)
	}
}

func testScopesContended(e *Env) {
	e.scopes("contended")
	const n = 32
	errs := together(n, func(int) error {
		_, err := e.DB.Scopes().Change(context.Background(), appID, "contended", func(s *scope.Scope) (audit.Event, error) {
			s.URLPatterns = append(s.URLPatterns, "/"+strconv.Itoa(len(s.URLPatterns)))
			return e.event("scope.update"), nil
		})
		return err
	})
	e.must(errors.Join(errs...))
	got, err := e.DB.Scopes().Get(e.Context(), appID, "contended")
	e.must(err)
	if len(got.URLPatterns) != n || got.Revision != n+1 {
		e.Fatalf("of %d changes %d are there, revision %d", n, len(got.URLPatterns), got.Revision)
	}
	errs = together(16, func(i int) error {
		name := "once"
		if i%2 == 0 {
			name = "ONCE"
		}
		return e.DB.Scopes().Create(context.Background(), e.scope(name), e.event("scope.create"))
	})
	if conflicts, created := count(errs, fault.Conflict); created != 1 || conflicts != 15 {
		e.Fatalf("%d creations succeeded and %d met a conflict, want 1 and 15: %v", created, conflicts, errs)
	}
}

// testScopesOfClients: a client is allowed what there is, and what it is allowed
// stays.
func testScopesOfClients(e *Env) {
	ctx := e.Context()
	e.scopes("a", "b", "c")
	c := e.client("Scoped")
	c.Settings.Scopes.Allowed = []string{"a", "missing", "ostiary:introspect", "B"}
	err := e.DB.Clients().Create(ctx, c, client.NameAndVersion, e.event("client.create"))
	problems, _ := errors.AsType[fault.Problems](err)
	if len(problems) != 2 || problems[0].Field != "scopes[1]" || problems[1].Field != "scopes[3]" {
		e.Fatalf("refused is %v", err)
	}
	c.Settings.Scopes.Allowed = []string{"a", "ostiary:introspect", "openid", "a"}
	e.must(e.DB.Clients().Create(ctx, c, client.NameAndVersion, e.event("client.create")))
	e.wantField("scopes[2]", e.allow(c, "a", "b", "missing"))
	e.must(e.allow(c, "b", "c"))
	for _, name := range []string{"b", "c"} {
		e.wants(fault.Conflict, e.deleteScope(name))
	}
	e.must(e.deleteScope("a"))
	e.wantField("scopes[1]", e.allow(c, "b", "a"))
	got, err := e.DB.Clients().Get(ctx, appID, c.ID)
	e.must(err)
	e.same(got.Settings.Scopes.Allowed, []string{"b", "c"})

	e.must(e.DB.Clients().Delete(ctx, appID, c.ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil }))
	e.must(e.deleteScope("b"))
	if n := len(e.actions()); n != 8 {
		e.Fatalf("%d events, want 8: %q", n, e.actions())
	}
}

// testScopeCarried: what a live token carries stays, and only that.
func testScopeCarried(e *Env) {
	ctx := e.Context()
	alive, other := e.created("Alive"), e.client("Elsewhere")
	other.ApplicationID = "other"
	e.must(e.DB.Clients().Create(ctx, other, client.NameAndVersion, e.event("client.create")))
	mint := func(c *client.Client, expires time.Duration, names ...string) {
		f := e.family(c)
		f.Scopes, f.AccessExpiresAt = names, e.Now.Add(expires)
		if expires == 0 {
			f.AccessExpiresAt = time.Time{}
		}
		e.minted(f)
	}
	e.scopes("read", "read:all", "Write", "gone", "off", "revoked", "expired", "never", "%", "elsewhere")
	mint(alive, time.Hour, "x", "read:all", "WRITE")
	mint(alive, -time.Second, "expired")
	mint(alive, 0, "never")
	mint(other, time.Hour, "elsewhere")
	off, gone := e.created("Off"), e.created("Gone")
	mint(off, time.Hour, "off")
	mint(gone, 0, "gone")
	revoked := e.family(alive)
	revoked.Scopes = []string{"revoked"}
	e.minted(revoked)
	_, err := e.DB.Tokens().Revoke(ctx, appID, revoked.ID, "revoked", e.event("token.revoke"))
	e.must(err)
	_, err = e.DB.Clients().Change(ctx, appID, off.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Inactive, c.Era = true, c.Era+1
		return e.event("client.deactivate"), nil
	})
	e.must(err)
	e.must(e.DB.Clients().Delete(ctx, appID, gone.ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil }))

	for _, name := range []string{"read:all", "never"} {
		e.wants(fault.Conflict, e.deleteScope(name))
	}
	for _, name := range []string{"read", "Write", "gone", "off", "revoked", "expired", "%", "elsewhere"} {
		e.must(e.deleteScope(name))
	}
	list, err := e.DB.Scopes().List(ctx, appID, "", 10)
	e.must(err)
	if len(list) != 2 {
		e.Fatalf("%d scopes are left, want 2", len(list))
	}
}

// testScopeDeletedWhileGiven: of the deletion of a scope and its use at the same
// time one fails, and nothing dangles.
func testScopeDeletedWhileGiven(e *Env) {
	ctx := e.Context()
	for round := range 20 {
		name := fmt.Sprint("s", round)
		e.scopes(name)
		c := e.created("Given " + name)
		fresh := e.client("Made with " + name)
		fresh.Settings.Scopes.Allowed = []string{name}
		errs := together(4, func(i int) error {
			switch i {
			case 0:
				return e.deleteScope(name)
			case 1:
				return e.allow(c, name)
			case 2:
				return e.DB.Clients().Create(context.Background(), fresh, client.NameAndVersion, e.event("client.create"))
			default:
				return e.DB.Resources().Create(context.Background(), &resource.Resource{
					ApplicationID: appID, Identifier: "urn:" + name, Scopes: []string{name}, CreatedAt: e.Now, UpdatedAt: e.Now,
				}, e.event("resource.create"))
			}
		})
		if refused, used := count(errs[1:], fault.Invalid); errs[0] == nil && refused == 3 {
			_, err := e.DB.Scopes().Get(ctx, appID, name)
			e.wants(fault.NotFound, err)
		} else if fault.KindOf(errs[0]) != fault.Conflict || used == 0 || used+refused != 3 || refused > 0 {
			e.Fatalf("the deletion gave %v, the uses %v", errs[0], errs[1:])
		}
		got, err := e.DB.Clients().Get(ctx, appID, c.ID)
		e.must(err)
		if slices.Contains(got.Settings.Scopes.Allowed, name) == (errs[0] == nil) {
			e.Fatalf("the client is allowed %q after the deletion gave %v", got.Settings.Scopes.Allowed, errs[0])
		}
	}
}
