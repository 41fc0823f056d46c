package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/usage"
)

// withSecrets stores a client that has two secrets.
func (e *Env) withSecrets(name string) *client.Client {
	e.Helper()
	c := e.client(name)
	for _, id := range []string{"s1", "s2"} {
		c.Secrets = append(c.Secrets, client.Secret{ID: id, Hint: "abcd", Digest: []byte(id), DigestKey: 1, CreatedAt: e.Now})
	}
	e.must(e.DB.Clients().Create(e.Context(), c, client.NameAndVersion, e.event("client.create")))
	return c
}

// testUsageLast: what was used later stays, whatever comes in which order, and
// neither a revision nor a change of the client is touched by it.
func testUsageLast(e *Env) {
	ctx, store := e.Context(), e.DB.Usage()
	used, never := e.withSecrets("used"), e.withSecrets("never")
	first, second := e.Now.Add(time.Second), e.Now.Add(time.Minute)
	for _, at := range []time.Time{first, second, first} {
		e.must(store.Add(ctx, &usage.Batch{
			Uses:    []usage.Use{{Client: used.Sequence, At: at}, {Client: 1 << 40, At: at}},
			Secrets: []usage.SecretUse{{Client: used.Sequence, Secret: "gone", At: at}, {Client: used.Sequence, Secret: "s2", At: at}},
		}))
	}
	got, err := store.Last(ctx, []int64{used.Sequence, never.Sequence, 1 << 40})
	e.must(err)
	e.same(got, map[int64]usage.Last{used.Sequence: {Client: second, Secrets: map[string]time.Time{"s2": second}}})

	kept, err := e.DB.Clients().Get(ctx, appID, used.ID)
	e.must(err)
	e.same(kept, used)
	_, err = e.DB.Clients().Change(ctx, appID, used.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Secrets[1].Label = "changed"
		return e.event("client.update"), nil
	})
	e.must(err)
	again, err := store.Last(ctx, []int64{used.Sequence})
	e.must(err)
	e.same(again[used.Sequence], got[used.Sequence])
}

// testUsageUnused: those first that are unused for longest, a client that never
// was used by when it was made; pages neither repeat nor leave out.
func testUsageUnused(e *Env) {
	ctx, store := e.Context(), e.DB.Usage()
	day := 24 * time.Hour
	var want, active, inactive []string
	for i, c := range []struct {
		made, used time.Duration // before now; used 0: never
		unused     bool
	}{
		{100 * day, 0, true},
		{90 * day, 80 * day, true},
		{70 * day, 0, true},
		{100 * day, 60 * day, true},
		{60 * day, 0, true},
		{100 * day, day, false},
		{day, 0, false},
		{100 * day, 30 * day, false},
		{2 * day, day, false},
	} {
		made := e.client(fmt.Sprint("client ", i))
		made.CreatedAt, made.Inactive = e.Now.Add(-c.made), i%2 == 1
		e.must(e.DB.Clients().Create(ctx, made, client.NameAndVersion, e.event("client.create")))
		if c.used > 0 {
			e.must(store.Add(ctx, &usage.Batch{Uses: []usage.Use{{Client: made.Sequence, At: e.Now.Add(-c.used)}}}))
		}
		if !c.unused {
			continue
		}
		if want = append(want, made.ID); made.Inactive {
			inactive = append(inactive, made.ID)
		} else {
			active = append(active, made.ID)
		}
	}
	elsewhere := e.client("elsewhere")
	elsewhere.ApplicationID, elsewhere.CreatedAt = "other", e.Now.Add(-100*day)
	e.must(e.DB.Clients().Create(ctx, elsewhere, client.NameAndVersion, e.event("client.create")))
	look := func(active *bool, limit int) (got []string) {
		e.Helper()
		var after usage.Place
		for {
			page, err := store.Unused(ctx, appID, e.Now.Add(-30*day), active, after, limit)
			e.must(err)
			for _, u := range page {
				got, after = append(got, u.ID), u.Place
			}
			if len(page) < limit {
				return got
			}
		}
	}
	for _, limit := range []int{1, 2, 100} {
		// Of two that are unused for equally long the one made first comes first.
		e.same(look(nil, limit), want)
		e.same(look(new(true), limit), active)
		e.same(look(new(false), limit), inactive)
	}
}

// testUsageDenials: clients of the application that were refused for their
// address, those with most first.
func testUsageDenials(e *Env) {
	ctx, store := e.Context(), e.DB.Usage()
	now := usage.HourOf(e.Now)
	few, many, none := e.created("few"), e.created("many"), e.created("none")
	other := e.client("of another application")
	other.ApplicationID = "other"
	e.must(e.DB.Clients().Create(ctx, other, client.NameAndVersion, e.event("client.create")))
	batch := &usage.Batch{}
	for _, c := range []struct {
		of           *client.Client
		ago          usage.Hour
		kind, reason string
		n            int64
	}{
		{many, 3, "client_credentials", "access_denied", 4},
		{few, 2, "client_credentials", "access_denied", 5},
		{few, 9, "client_credentials", "access_denied", 7},
		{none, 2, "authorization", "access_denied", 9},
		{none, 2, "client_credentials", "invalid_scope", 9},
		{other, 2, "client_credentials", "access_denied", 9},
		{many, 1, "introspection", "access_denied", 3},
	} {
		batch.Clients = append(batch.Clients, usage.ClientCount{Client: c.of.Sequence, Count: usage.Count{Hour: now - c.ago, Kind: c.kind, Reason: c.reason, N: c.n}})
	}
	e.must(store.Add(ctx, batch))
	for limit, want := range map[int][]usage.Denial{1: {{ID: many.ID, N: 7}}, 5: {{ID: many.ID, N: 7}, {ID: few.ID, N: 5}}} {
		got, err := store.Denials(ctx, appID, now-5, now, limit)
		e.must(err)
		e.same(got, want)
	}
}

func testUsageCounts(e *Env) {
	ctx, store := e.Context(), e.DB.Usage()
	now := usage.HourOf(e.Now)
	count := func(ago int, kind, reason string, n int64) usage.Count {
		return usage.Count{Hour: now - usage.Hour(ago), Kind: kind, Reason: reason, N: n}
	}
	ours := []usage.Count{
		count(30, "client_credentials", "", 1), count(2, "client_credentials", "", 7),
		count(2, "client_credentials", "invalid_scope", 3), count(2, "introspection", "access_denied", 2), count(0, "client_credentials", "", 5),
	}
	batch := &usage.Batch{}
	for _, c := range ours {
		batch.Clients = append(batch.Clients, usage.ClientCount{Client: 7, Count: c}, usage.ClientCount{Client: 8, Count: c})
		batch.Totals = append(batch.Totals, usage.Total{ApplicationID: "", Count: c}, usage.Total{ApplicationID: appID, Count: c})
	}
	e.must(store.Add(ctx, batch))
	e.must(store.Add(ctx, &usage.Batch{
		Clients: []usage.ClientCount{{Client: 7, Count: ours[4]}}, Totals: []usage.Total{{ApplicationID: appID, Count: ours[4]}},
	}))
	want := slices.Clone(ours[1:])
	want[3].N = 10
	got, err := store.Clients(ctx, 7, now-3, now, usage.Hourly)
	e.must(err)
	e.same(got, want)
	got, err = store.Totals(ctx, appID, now-3, now, usage.Hourly)
	e.must(err)
	e.same(got, want)
	got, err = store.Clients(ctx, 8, now-2, now-1, usage.Hourly)
	e.must(err)
	e.same(got, ours[1:4])
	got, err = store.Totals(ctx, "", now-40, now-29, usage.Hourly)
	e.must(err)
	e.same(got, ours[:1])
	e.sameByDay(append(slices.Clone(ours[:1]), want...), now)
	got, err = store.Clients(ctx, 9, now-40, now, usage.Hourly)
	e.must(err)
	e.same(got, []usage.Count(nil))
}

// sameByDay: counts by the day are those of its hours, added up.
func (e *Env) sameByDay(ours []usage.Count, now usage.Hour) {
	e.Helper()
	var want []usage.Count
	for _, c := range ours {
		c.Hour -= c.Hour % 24
		i := slices.IndexFunc(want, func(w usage.Count) bool { return w.Hour == c.Hour && w.Kind == c.Kind && w.Reason == c.Reason })
		if i < 0 {
			want = append(want, c)
		} else {
			want[i].N += c.N
		}
	}
	slices.SortFunc(want, func(a, b usage.Count) int {
		return cmp.Or(cmp.Compare(a.Hour, b.Hour), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason))
	})
	got, err := e.DB.Usage().Clients(e.Context(), 7, now-40, now, usage.Daily)
	e.must(err)
	e.same(got, want)
	got, err = e.DB.Usage().Totals(e.Context(), appID, now-40, now, usage.Daily)
	e.must(err)
	e.same(got, want)
}

// testUsageRemove: what is old goes, in steps, and nothing else.
func testUsageRemove(e *Env) {
	ctx, store := e.Context(), e.DB.Usage()
	old := e.Now.Add(-91 * 24 * time.Hour)
	batch := &usage.Batch{Days: []ratelimit.Day{{Client: 1, Day: old.Unix() / 86400, N: 1}, {Client: 2, Day: e.Now.Unix() / 86400, N: 2}}}
	for client := range int64(7) {
		for _, at := range []time.Time{old, e.Now} {
			c := usage.Count{Hour: usage.HourOf(at), Kind: "client_credentials", N: 1}
			batch.Clients = append(batch.Clients, usage.ClientCount{Client: client, Count: c})
			batch.Totals = append(batch.Totals, usage.Total{ApplicationID: strconv.FormatInt(client, 10), Count: c})
		}
	}
	e.must(store.Add(ctx, batch))
	for _, want := range []int{5, 5, 5, 0} { // 7 of clients, 7 totals, 1 day
		n, err := store.Remove(ctx, e.Now.Add(-usage.Kept), 5)
		e.must(err)
		if n != want {
			e.Fatalf("%d removed, want %d", n, want)
		}
	}
	for client := range int64(7) {
		got, err := store.Clients(ctx, client, usage.HourOf(old), usage.HourOf(e.Now), usage.Hourly)
		e.must(err)
		total, err := store.Totals(ctx, strconv.FormatInt(client, 10), usage.HourOf(old), usage.HourOf(e.Now), usage.Hourly)
		e.must(err)
		if len(got) != 1 || len(total) != 1 || got[0].Hour != usage.HourOf(e.Now) {
			e.Fatalf("left of client %d: %v and %v", client, got, total)
		}
	}
	n, err := store.DayUse(ctx, 2, e.Now.Unix()/86400)
	e.must(err)
	if n != 2 {
		e.Fatalf("a day that is not old has %d", n)
	}
}

// testUsageDays: a day adds up, a later one begins anew, an earlier one that
// comes late changes nothing.
func testUsageDays(e *Env) {
	ctx, store := e.Context(), e.DB.Usage()
	for _, step := range []struct{ day, n, today, yesterday int64 }{
		{100, 3, 0, 3}, {100, 2, 0, 5}, {101, 4, 4, 0}, {100, 9, 4, 0}, {101, 1, 5, 0},
	} {
		e.must(store.Add(ctx, &usage.Batch{Days: []ratelimit.Day{{Client: 7, Day: step.day, N: step.n}}}))
		for day, want := range map[int64]int64{101: step.today, 100: step.yesterday} {
			got, err := store.DayUse(ctx, 7, day)
			e.must(err)
			if got != want {
				e.Fatalf("after %+v day %d has %d, want %d", step, day, got, want)
			}
		}
	}
}

// testUsageContended: nodes that add at once, and changes of the clients
// meanwhile, lose nothing.
func testUsageContended(e *Env) {
	const writers, clients, rounds = 8, 20, 5
	var made []*client.Client
	for i := range clients {
		made = append(made, e.withSecrets(fmt.Sprint("client ", i)))
	}
	hour := usage.HourOf(e.Now)
	errs := together(writers, func(i int) error {
		ctx := context.Background()
		for round := range rounds {
			if i == 0 {
				for _, c := range made {
					_, err := e.DB.Clients().Change(ctx, appID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
						c.Secrets[0].Label = fmt.Sprint("round ", round)
						return e.event("client.update"), nil
					})
					if err != nil {
						return err
					}
				}
				continue
			}
			batch := &usage.Batch{Totals: []usage.Total{{ApplicationID: appID, Count: usage.Count{Hour: hour, Kind: "k", N: 1}}}}
			for _, c := range made {
				at := e.Now.Add(time.Duration(round*writers+i) * time.Second)
				batch.Uses = append(batch.Uses, usage.Use{Client: c.Sequence, At: at})
				batch.Secrets = append(batch.Secrets, usage.SecretUse{Client: c.Sequence, Secret: "s1", At: at})
				batch.Clients = append(batch.Clients, usage.ClientCount{Client: c.Sequence, Count: usage.Count{Hour: hour, Kind: "k", N: 1}})
				batch.Days = append(batch.Days, ratelimit.Day{Client: c.Sequence, Day: 1, N: 1})
			}
			if err := e.DB.Usage().Add(ctx, batch); err != nil {
				return err
			}
		}
		return nil
	})
	e.must(errors.Join(errs...))
	const want = (writers - 1) * rounds
	latest := e.Now.Add(((rounds-1)*writers + writers - 1) * time.Second)
	for _, c := range made {
		counts, err := e.DB.Usage().Clients(e.Context(), c.Sequence, hour, hour, usage.Hourly)
		e.must(err)
		day, err := e.DB.Usage().DayUse(e.Context(), c.Sequence, 1)
		e.must(err)
		last, err := e.DB.Usage().Last(e.Context(), []int64{c.Sequence})
		e.must(err)
		if len(counts) != 1 || counts[0].N != want || day != want || !last[c.Sequence].Secrets["s1"].Equal(latest) {
			e.Fatalf("counted %v, of the day %d, last %v; want %d and %v", counts, day, last, want, latest)
		}
	}
	totals, err := e.DB.Usage().Totals(e.Context(), appID, hour, hour, usage.Hourly)
	e.must(err)
	if len(totals) != 1 || totals[0].N != want {
		e.Fatalf("in total %v, want %d", totals, want)
	}
}
