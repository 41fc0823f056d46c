package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/store"
)

func testFamilies(e *Env) {
	ctx := e.Context()
	c := e.created("Minter")
	f := e.family(c)
	f.Scopes, f.Audience = []string{"read", "write"}, []string{"https://api.example"}
	f.Generation = 3
	e.minted(f)
	got, err := e.DB.Tokens().Get(ctx, appID, f.ID)
	e.must(err)
	e.same(got, f)
	_, err = e.DB.Tokens().Get(ctx, "other", f.ID)
	e.wants(fault.NotFound, err)
	_, err = e.DB.Tokens().Get(ctx, appID, token.NewID(e.Now))
	e.wants(fault.NotFound, err)

	families := make([]*token.Family, 300)
	for i := range families {
		families[i] = e.family(c)
	}
	errs := together(len(families), func(i int) error {
		_, err := e.DB.Tokens().Mint(context.Background(), families[i])
		return err
	})
	e.must(errors.Join(errs...))
	for _, f := range families {
		got, err := e.DB.Tokens().Get(ctx, appID, f.ID)
		e.must(err)
		e.same(got, f)
	}
	if s := e.DB.Stats(); s.Batches >= s.Items {
		e.Fatalf("%d writes took %d transactions: commits are not shared", s.Items, s.Batches)
	}
}

// testFamilyDuplicates: in commits that many share, a duplicate fails alone.
func testFamilyDuplicates(e *Env) {
	c := e.created("Minter")
	stored := e.minted(e.family(c))
	const n = 90
	twice := e.family(c)
	families := make([]*token.Family, n)
	for i := range families {
		families[i] = e.family(c)
		switch i % 30 {
		case 7:
			families[i].ID = stored.ID
		case 11:
			families[i].ID = twice.ID
		}
	}
	errs := together(n, func(i int) error {
		_, err := e.DB.Tokens().Mint(context.Background(), families[i])
		return err
	})
	// Three met the one stored before; of the three with one id, two lost.
	if conflicts, minted := count(errs, fault.Conflict); conflicts != 5 || minted != n-5 {
		e.Fatalf("%d of %d were minted, %d met a conflict: %v", minted, n, conflicts, errs)
	}
	for i, f := range families {
		if errs[i] != nil {
			continue
		}
		got, err := e.DB.Tokens().Get(e.Context(), appID, f.ID)
		e.must(err)
		e.same(got, f)
	}
	got, err := e.DB.Tokens().Get(e.Context(), appID, stored.ID)
	e.must(err)
	e.same(got, stored)
}

func testFamilyRevoke(e *Env) {
	ctx, tokens := e.Context(), e.DB.Tokens()
	f := e.minted(e.family(e.created("Minter")))
	before := e.actions()
	for _, other := range []struct {
		app string
		id  token.ID
	}{{"other", f.ID}, {appID, token.NewID(e.Now)}} {
		ok, err := tokens.Revoke(ctx, other.app, other.id, "revoked", e.event("token.revoke"))
		e.must(err)
		if ok {
			e.Fatal("a family that is not there was revoked")
		}
	}
	e.same(e.actions(), before)
	revoked := make([]bool, 16)
	errs := together(len(revoked), func(i int) (err error) {
		revoked[i], err = tokens.Revoke(context.Background(), appID, f.ID, "revoked", e.event("token.revoke"))
		return err
	})
	e.must(errors.Join(errs...))
	if n := len(slices.DeleteFunc(revoked, func(ok bool) bool { return !ok })); n != 1 {
		e.Fatalf("%d of 16 revoked the family, want 1", n)
	}
	if n := len(e.actions()) - len(before); n != 1 {
		e.Fatalf("%d events for one revocation", n)
	}
	got, err := tokens.Get(ctx, appID, f.ID)
	e.must(err)
	if !got.RevokedAt.Equal(e.Now) || got.RevokedFor != "revoked" {
		e.Fatalf("revoked at %v for %q", got.RevokedAt, got.RevokedFor)
	}
}

func testFamilyExpiry(e *Env) {
	ctx, tokens := e.Context(), e.DB.Tokens()
	c := e.created("Minter")
	const n = 25
	var families []*token.Family
	for i := range n {
		f := e.family(c)
		f.AccessExpiresAt = e.Now.Add(time.Duration(i) * time.Second)
		families = append(families, e.minted(f))
	}
	forever := e.family(c)
	forever.AccessExpiresAt = time.Time{}
	e.minted(forever)

	for _, step := range []struct {
		after time.Duration
		limit int
		want  int
	}{
		{0, 100, 0},
		{token.Retention - 1, 100, 0},
		{token.Retention, 100, 1},
		{token.Retention + 10*time.Second, 4, 4},
		{token.Retention + 10*time.Second, 100, 6},
		{time.Hour, 100, 14},
		{1000 * time.Hour, 100, 0},
	} {
		got, err := tokens.RemoveExpired(ctx, e.Now.Add(step.after), step.limit)
		e.must(err)
		if got != step.want {
			e.Fatalf("after %v: %d removed, want %d", step.after, got, step.want)
		}
	}
	_, err := tokens.Get(ctx, appID, families[0].ID)
	e.wants(fault.NotFound, err)
	got, err := tokens.Get(ctx, appID, forever.ID)
	e.must(err)
	if !got.Never() {
		e.Fatal("the never-expiring family expires")
	}
	_, err = tokens.Revoke(ctx, appID, forever.ID, "revoked", e.event("token.revoke"))
	e.must(err)
	removed, err := tokens.RemoveExpired(ctx, e.Now.Add(token.Retention), 10)
	e.must(err)
	if removed != 1 {
		e.Fatal("a revoked family that never expires stays for ever")
	}
}

// deactivate gives the client another era.
func (e *Env) deactivate(c *client.Client) *client.Client {
	e.Helper()
	changed, err := e.DB.Clients().Change(e.Context(), appID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Inactive, c.Era = true, c.Era+1
		return e.event("client.deactivate"), nil
	})
	e.must(err)
	return changed
}

func testFamilyDeath(e *Env) {
	ctx, tokens := e.Context(), e.DB.Tokens()
	c, other := e.created("Minter"), e.created("Other")
	for range 10 {
		e.minted(e.family(c))
	}
	stays := e.minted(e.family(other))
	changed := e.deactivate(c)
	renewed := e.minted(e.family(changed))

	for _, want := range []int{4, 4, 2, 0} {
		n, err := tokens.RemoveDead(ctx, e.Now, 4)
		e.must(err)
		if n != want {
			e.Fatalf("%d removed, want %d", n, want)
		}
	}
	for _, f := range []*token.Family{stays, renewed} {
		got, err := tokens.Get(ctx, appID, f.ID)
		e.must(err)
		e.same(got, f)
	}
	// A request that was under way when the client died stores a row later.
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{9 * time.Minute, 1}, {10 * time.Minute, 0}} {
		late := e.minted(e.family(c))
		_, err := tokens.RemoveDead(ctx, e.Now.Add(step.after-time.Second), 10)
		e.must(err)
		_, err = tokens.Get(ctx, appID, late.ID)
		e.wants(fault.NotFound, err)
		_, err = tokens.RemoveDead(ctx, e.Now.Add(step.after), 10)
		e.must(err)
	}
	late := e.minted(e.family(c))
	n, err := tokens.RemoveDead(ctx, e.Now.Add(time.Hour), 10)
	e.must(err)
	if n != 0 {
		e.Fatal("an era is swept for ever")
	}
	_, err = tokens.Get(ctx, appID, late.ID)
	e.must(err)
}

func testFamilyNever(e *Env) {
	ctx, tokens := e.Context(), e.DB.Tokens()
	c, other := e.created("Minter"), e.created("Other")
	never := func(c *client.Client, i int) *token.Family {
		f := e.family(c)
		f.ID = token.NewID(e.Now.Add(time.Duration(i) * time.Millisecond))
		f.AccessExpiresAt = time.Time{}
		return f
	}
	var ids []token.ID
	for base := 0; base < token.MaxNever; base += 250 {
		families := make([]*token.Family, 250)
		for i := range families {
			families[i] = never(c, base+i)
			ids = append(ids, families[i].ID)
		}
		e.must(errors.Join(together(250, func(i int) error {
			died, err := tokens.Mint(context.Background(), families[i])
			if len(died) > 0 {
				return fmt.Errorf("%d died", len(died))
			}
			return err
		})...))
	}
	e.minted(never(other, 0))
	e.minted(e.family(c)) // one that expires does not count
	before := len(e.actions())
	for i := range 3 {
		died, err := tokens.Mint(ctx, never(c, token.MaxNever+i))
		e.must(err)
		e.same(died, []token.ID{ids[i]})
		got, err := tokens.Get(ctx, appID, ids[i])
		e.must(err)
		if got.RevokedFor != "replaced" || !got.RevokedAt.Equal(e.Now) {
			e.Fatalf("revoked at %v for %q", got.RevokedAt, got.RevokedFor)
		}
	}
	events, _, err := e.DB.Audit().Events(ctx, appID, store.Cursor{}, 3)
	e.must(err)
	if n := len(e.actions()) - before; n != 3 || events[0].Action != "token.revoke" || events[0].Actor != "system" || events[0].Object != "family:"+ids[2].String() {
		e.Fatalf("%d events, the newest %+v", n, events[0])
	}
	// One that was revoked makes room.
	ok, err := tokens.Revoke(ctx, appID, ids[500], "revoked", e.event("token.revoke"))
	e.must(err)
	if !ok {
		e.Fatal("not revoked")
	}
	e.minted(never(c, token.MaxNever+10))
}

// testFamilyRequestGone: a request that ended before its turn writes nothing.
func testFamilyRequestGone(e *Env) {
	c := e.created("Minter")
	ctx, cancel := context.WithCancel(e.Context())
	cancel()
	f := e.family(c)
	if _, err := e.DB.Tokens().Mint(ctx, f); err == nil {
		e.Fatal("a request that had ended stored a family")
	}
	e.minted(e.family(c)) // whatever was queued before this is decided
	_, err := e.DB.Tokens().Get(e.Context(), appID, f.ID)
	e.wants(fault.NotFound, err)
}

// testDeactivationIsOneWrite: to deactivate a client runs as many statements
// with 100,000 families as with one.
func testDeactivationIsOneWrite(e *Env) {
	one, many := e.created("one"), e.created("many")
	e.minted(e.family(one))
	const n = 100_000
	errs := together(250, func(int) error {
		for range n / 250 {
			if _, err := e.DB.Tokens().Mint(context.Background(), e.family(many)); err != nil {
				return err
			}
		}
		return nil
	})
	e.must(errors.Join(errs...))
	statements := func(c *client.Client) uint64 {
		before := e.DB.Statements()
		e.deactivate(c)
		return e.DB.Statements() - before
	}
	a, b := statements(one), statements(many)
	if a != b || a > 12 {
		e.Fatalf("%d statements with one family, %d with %d", a, b, n)
	}
	removed, err := e.DB.Tokens().RemoveDead(e.Context(), e.Now, 500)
	e.must(err)
	if removed != 500 {
		e.Fatalf("a step removed %d families, want 500", removed)
	}
}
