package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/resource"
)

// resource makes a resource that is not stored yet.
func (e *Env) resource(identifier string, introspectors ...*client.Client) *resource.Resource {
	r := &resource.Resource{ApplicationID: appID, Identifier: identifier, CreatedAt: e.Now, UpdatedAt: e.Now}
	for _, c := range introspectors {
		r.Introspectors = append(r.Introspectors, resource.Introspector{ClientID: c.ID})
	}
	return r
}

func (e *Env) deleteResource(identifier string) error {
	return e.DB.Resources().Delete(context.Background(), appID, identifier, func(*resource.Resource) (audit.Event, error) {
		return e.event("resource.delete"), nil
	})
}

func testResources(e *Env) {
	ctx, resources := e.Context(), e.DB.Resources()
	const api = "https://api.example.com/orders"
	_, err := resources.Get(ctx, appID, api)
	e.wants(fault.NotFound, err)
	e.wants(fault.NotFound, e.deleteResource(api))
	e.scopes("a", "b")
	one, two := e.created("One"), e.created("Two")

	r := e.resource(api, two, one)
	r.Name, r.Scopes, r.AccessTokenFormat = "Orders", []string{"b", "ostiary:admin", "a"}, lifetime.Opaque
	e.must(resources.Create(ctx, r, e.event("resource.create")))
	if r.Revision != 1 || r.Introspectors[0].Sequence != two.Sequence {
		e.Fatalf("not set: %+v", r)
	}
	got, err := resources.Get(ctx, appID, api)
	e.must(err)
	e.same(got, r)
	_, err = resources.Get(ctx, "other", api)
	e.wants(fault.NotFound, err)
	err = resources.Create(ctx, e.resource(api), e.event("resource.create"))
	e.wants(fault.Conflict, err)
	if f, _ := errors.AsType[*fault.Error](err); f.Field != "identifier" {
		e.Fatalf("the conflict is about %q", f.Field)
	}
	bad := e.resource("urn:bad", one, &client.Client{ID: "nobody"})
	e.wantField("introspecting_clients[1]", resources.Create(ctx, bad, e.event("resource.create")))
	bad = e.resource("urn:bad")
	bad.Scopes = []string{"a", "missing"}
	e.wantField("scopes[1]", resources.Create(ctx, bad, e.event("resource.create")))
	e.wants(fault.Conflict, e.deleteScope("a"))

	changed, err := resources.Change(ctx, appID, api, func(r *resource.Resource) (audit.Event, error) {
		r.Name, r.Scopes, r.AccessTokenFormat, r.UpdatedAt = "", []string{"b"}, "", e.Now.Add(time.Second)
		r.Introspectors = []resource.Introspector{{ClientID: one.ID}}
		r.Identifier, r.ApplicationID, r.Revision, r.CreatedAt = "x", "y", 9, e.Now.Add(time.Hour)
		return e.event("resource.update"), nil
	})
	e.must(err)
	got, err = resources.Get(ctx, appID, api)
	e.must(err)
	e.same(got, changed)
	want := *e.resource(api, one)
	want.Scopes, want.UpdatedAt, want.Revision, want.Introspectors[0].Sequence = []string{"b"}, e.Now.Add(time.Second), 2, one.Sequence
	e.same(got, &want)
	e.must(e.deleteScope("a"))

	_, err = resources.Change(ctx, appID, api, func(r *resource.Resource) (audit.Event, error) {
		r.Name = "refused"
		return e.event("resource.update"), errRefused
	})
	if !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	got, err = resources.Get(ctx, appID, api)
	e.must(err)
	e.same(got, &want)
	e.must(e.deleteResource(api))
	_, err = resources.Get(ctx, appID, api)
	e.wants(fault.NotFound, err)
	e.same(e.actions()[:2], []string{"resource.delete", "scope.delete"})
}

func testResourceList(e *Env) {
	one, two := e.created("One"), e.created("Two")
	for _, identifier := range []string{"urn:c", "urn:a", "urn:b", "URN:a"} {
		e.must(e.DB.Resources().Create(e.Context(), e.resource(identifier, two, one), e.event("resource.create")))
	}
	for _, test := range []struct {
		after string
		limit int
		want  []string
	}{
		{"", 10, []string{"URN:a", "urn:a", "urn:b", "urn:c"}},
		{"", 2, []string{"URN:a", "urn:a"}},
		{"urn:a", 1, []string{"urn:b"}},
		{"urn:c", 10, nil},
	} {
		list, err := e.DB.Resources().List(e.Context(), appID, test.after, test.limit)
		e.must(err)
		var identifiers []string
		for _, r := range list {
			identifiers = append(identifiers, r.Identifier)
			if len(r.Introspectors) != 2 || r.Introspectors[0].ClientID != two.ID {
				e.Fatalf("introspectors %+v", r.Introspectors)
			}
		}
		e.same(identifiers, test.want)
	}
}

// testResourceClients: a client that is deleted leaves the resources that named
// it, and one that is made anew under its id takes nothing over.
func testResourceClients(e *Env) {
	ctx := e.Context()
	mortal, other := e.created("Mortal"), e.created("Other")
	e.must(e.DB.Resources().Create(ctx, e.resource("urn:a", mortal, other), e.event("resource.create")))
	e.must(e.DB.Clients().Delete(ctx, appID, mortal.ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil }))
	again := e.client("Mortal")
	again.ID = mortal.ID
	e.must(e.DB.Clients().Create(ctx, again, client.NameAndVersion, e.event("client.create")))
	got, err := e.DB.Resources().Get(ctx, appID, "urn:a")
	e.must(err)
	e.same(got.Introspectors, []resource.Introspector{{ClientID: other.ID, Sequence: other.Sequence}})
	if got.Revision != 2 {
		e.Fatalf("revision %d, want 2: what is shown has changed", got.Revision)
	}
	for round := range 12 {
		c := e.created(fmt.Sprint("Doomed ", round))
		errs := together(2, func(i int) error {
			if i == 0 {
				return e.DB.Clients().Delete(context.Background(), appID, c.ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil })
			}
			_, err := e.DB.Resources().Change(context.Background(), appID, "urn:a", func(r *resource.Resource) (audit.Event, error) {
				r.Introspectors = append(r.Introspectors, resource.Introspector{ClientID: c.ID})
				return e.event("resource.update"), nil
			})
			return err
		})
		e.must(errs[0])
		if errs[1] != nil {
			e.wantField("introspecting_clients[1]", errs[1])
		}
		got, err := e.DB.Resources().Get(ctx, appID, "urn:a")
		e.must(err)
		e.same(got.Introspectors, []resource.Introspector{{ClientID: other.ID, Sequence: other.Sequence}})
	}
}

// testResourceClientsContended: clients that the same resources name are deleted
// at once, while the resources are changed.
func testResourceClientsContended(e *Env) {
	ctx := context.Background()
	resources := []string{"urn:a", "urn:b", "urn:c"}
	for round := range 5 {
		var clients []*client.Client
		for i := range 4 {
			clients = append(clients, e.created(fmt.Sprintf("Doomed %d %d", round, i)))
		}
		for i, identifier := range resources {
			e.must(e.DB.Resources().Create(ctx, e.resource(identifier, slices.Concat(clients[i:], clients[:i])...), e.event("resource.create")))
		}
		e.must(errors.Join(together(len(clients)+len(resources), func(i int) error {
			if i < len(clients) {
				return e.DB.Clients().Delete(ctx, appID, clients[i].ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil })
			}
			_, err := e.DB.Resources().Change(ctx, appID, resources[i-len(clients)], func(r *resource.Resource) (audit.Event, error) {
				r.Introspectors = nil
				return e.event("resource.update"), nil
			})
			return err
		})...))
		for _, identifier := range resources {
			got, err := e.DB.Resources().Get(ctx, appID, identifier)
			e.must(err)
			e.same(len(got.Introspectors), 0)
			e.must(e.deleteResource(identifier))
		}
	}
}
