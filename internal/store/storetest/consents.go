package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/user"
)

// grant adds scopes to a consent.
func (e *Env) grant(u *user.User, clientID string, scopes ...string) (*consent.Consent, error) {
	return e.DB.Consents().Change(context.Background(), appID, u.UUID, clientID, ident.Record(), func(c *consent.Consent) (audit.Event, error) {
		if c.GrantedAt.IsZero() {
			c.GrantedAt = e.Now
		}
		c.Scopes = append(c.Scopes, scopes...)
		c.UpdatedAt = c.UpdatedAt.Add(time.Second)
		return e.event("consent.grant"), nil
	})
}

func testConsents(e *Env) {
	ctx, consents := e.Context(), e.DB.Consents()
	u, c := e.users("a@example.com", "b@example.com"), e.created("One")
	_, err := consents.Find(ctx, appID, u[0].UUID, c.ID)
	e.wants(fault.NotFound, err)
	_, err = e.grant(u[0], "nobody", "openid")
	e.wants(fault.NotFound, err)
	_, err = e.grant(&user.User{UUID: "nobody"}, c.ID, "openid")
	e.wants(fault.NotFound, err)

	made, err := e.grant(u[0], c.ID, "openid", "orders:read")
	e.must(err)
	got, err := consents.Find(ctx, appID, u[0].UUID, c.ID)
	e.must(err)
	e.same(got, made)
	if got.ID == "" || got.Sequence == 0 || !slices.Equal(got.Scopes, []string{"openid", "orders:read"}) || !got.GrantedAt.Equal(e.Now) {
		e.Fatalf("%+v", got)
	}
	again, err := e.grant(u[0], c.ID, "email")
	e.must(err)
	got, err = consents.Get(ctx, appID, made.ID)
	e.must(err)
	e.same(got, again)
	if got.ID != made.ID || !slices.Equal(got.Scopes, []string{"openid", "orders:read", "email"}) {
		e.Fatalf("%+v", got)
	}
	_, err = consents.Get(ctx, "other", made.ID)
	e.wants(fault.NotFound, err)
	_, err = consents.Change(ctx, appID, u[0].UUID, c.ID, "x", func(c *consent.Consent) (audit.Event, error) {
		c.Scopes[0] = "refused"
		return audit.Event{}, errRefused
	})
	if !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	removal := func(*consent.Consent) (audit.Event, error) { return e.event("consent.revoke"), nil }
	e.wants(fault.NotFound, consents.Delete(ctx, appID, u[1].UUID, c.ID, removal))
	e.must(consents.Delete(ctx, appID, u[0].UUID, c.ID, removal))
	e.wants(fault.NotFound, consents.Delete(ctx, appID, u[0].UUID, c.ID, removal))
	_, err = consents.Get(ctx, appID, made.ID)
	e.wants(fault.NotFound, err)
	e.same(e.actions()[:3], []string{"consent.revoke", "consent.grant", "consent.grant"})
}

func testConsentList(e *Env) {
	u := e.users("a@example.com", "b@example.com")
	one, two := e.created("One"), e.created("Two")
	for _, pair := range []struct {
		u *user.User
		c *client.Client
	}{{u[0], one}, {u[1], one}, {u[0], two}, {u[1], two}} {
		_, err := e.grant(pair.u, pair.c.ID, "openid")
		e.must(err)
	}
	name := func(c *consent.Consent) string {
		who, what := "a", "1"
		if c.UserID == u[1].UUID {
			who = "b"
		}
		if c.ClientID == two.ID {
			what = "2"
		}
		return who + what
	}
	for _, test := range []struct {
		filter consent.Filter
		want   []string
	}{
		{consent.Filter{Limit: 9}, []string{"a1", "b1", "a2", "b2"}},
		{consent.Filter{Limit: 3}, []string{"a1", "b1", "a2"}},
		{consent.Filter{Limit: 9, UserID: u[1].UUID}, []string{"b1", "b2"}},
		{consent.Filter{Limit: 9, ClientID: one.ID}, []string{"a1", "b1"}},
		{consent.Filter{Limit: 1, ClientID: two.ID}, []string{"a2"}},
		{consent.Filter{Limit: 9, ClientID: two.ID, UserID: u[1].UUID}, []string{"b2"}},
		{consent.Filter{Limit: 9, ClientID: "nobody"}, nil},
		{consent.Filter{Limit: 9, UserID: "a\x00"}, nil},
	} {
		var all, rest []string
		list, err := e.DB.Consents().List(e.Context(), appID, test.filter)
		e.must(err)
		for _, c := range list {
			all = append(all, name(c))
		}
		e.same(all, test.want)
		if len(list) == 0 {
			continue
		}
		test.filter.After = list[0].Sequence
		list, err = e.DB.Consents().List(e.Context(), appID, test.filter)
		e.must(err)
		for _, c := range list {
			rest = append(rest, name(c))
		}
		if !slices.Equal(rest[:min(len(rest), len(all)-1)], all[1:]) {
			e.Fatalf("after %s comes %s, want %s", all[0], rest, all[1:])
		}
	}
}

// testConsentsOfTheGone: a client made anew under an id, and a user, have none of
// what was granted before.
func testConsentsOfTheGone(e *Env) {
	ctx, consents := e.Context(), e.DB.Consents()
	u, c := e.users("a@example.com", "b@example.com", "c@example.com"), e.created("One")
	for _, u := range u {
		_, err := e.grant(u, c.ID, "openid")
		e.must(err)
	}
	e.must(e.deleteUser(u[0].UUID))
	list, err := consents.List(ctx, appID, consent.Filter{Limit: 9})
	e.must(err)
	e.same(len(list), 2)
	e.must(e.DB.Clients().Delete(ctx, appID, c.ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil }))
	again := e.client("One")
	again.ID = c.ID
	e.must(e.DB.Clients().Create(ctx, again, client.NameAndVersion, e.event("client.create")))
	_, err = consents.Find(ctx, appID, u[1].UUID, c.ID)
	e.wants(fault.NotFound, err)
	_, err = e.grant(u[1], c.ID, "email")
	e.must(err)
	for _, want := range []int{1, 1, 0} {
		n, err := consents.RemoveOrphans(ctx, 1)
		e.must(err)
		e.same(n, want)
	}
	list, err = consents.List(ctx, appID, consent.Filter{Limit: 9})
	e.must(err)
	if len(list) != 1 || !slices.Equal(list[0].Scopes, []string{"email"}) {
		e.Fatalf("%+v", list)
	}
}

// testConsentsContended: scopes that are granted at the same time add up.
func testConsentsContended(e *Env) {
	u, c := e.users("a@example.com")[0], e.created("One")
	names := []string{"a", "b", "c", "d", "e", "f"}
	e.must(errors.Join(together(len(names), func(i int) error {
		_, err := e.grant(u, c.ID, names[i])
		return err
	})...))
	got, err := e.DB.Consents().Find(e.Context(), appID, u.UUID, c.ID)
	e.must(err)
	slices.Sort(got.Scopes)
	e.same(got.Scopes, names)
}
