package usage_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

const app = "app-one"

var begin = time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)

// bed is a meter over a temporary database.
type bed struct {
	*usage.Meter
	t       testing.TB
	db      *store.DB
	clients client.Store
	limits  *ratelimit.Limiter
	now     time.Time
}

func newBed(t testing.TB, wrap func(usage.Store) usage.Store) *bed {
	t.Helper()
	b := &bed{t: t, now: begin}
	clock := func() time.Time { return b.now }
	b.db = temporary.Open(t, t.TempDir(), clock)
	b.clients = b.db.Clients()
	b.limits = ratelimit.NewLimiter(b.db.Usage(), clock)
	b.Meter = usage.NewMeter(wrap(b.db.Usage()), b.limits, clock)
	return b
}

func plain(s usage.Store) usage.Store { return s }

// client makes a client with a secret of the id s1, a time before the beginning.
func (b *bed) client(age time.Duration) *client.Client {
	b.t.Helper()
	c := &client.Client{
		ApplicationID: app, ID: ident.Client(), Name: ident.Record(), Kind: client.Service, CreatedAt: begin.Add(-age), UpdatedAt: begin,
		Secrets: []client.Secret{{ID: "s1", Digest: []byte{1}, CreatedAt: begin}},
	}
	if err := b.clients.Create(b.t.Context(), c, client.NameAndVersion, audit.New(audit.System(), app, "client.create", "client:"+c.ID, begin)); err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *bed) flush() {
	b.t.Helper()
	if err := b.Flush(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// counted gives what is written of a client, added up over the hours.
func (b *bed) counted(c *client.Client) map[string]int64 {
	b.t.Helper()
	counts, err := b.Clients(b.t.Context(), c.Sequence, begin.Add(-time.Hour), b.now)
	if err != nil {
		b.t.Fatal(err)
	}
	return added(counts)
}

func added(counts []usage.Count) map[string]int64 {
	sum := map[string]int64{}
	for _, c := range counts {
		sum[c.Kind+" "+c.Reason] += c.N
	}
	return sum
}

func (b *bed) same(got, want any) {
	b.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Fatalf("(-want +got):\n%s", diff)
	}
}

func TestCounts(t *testing.T) {
	b := newBed(t, plain)
	c := b.client(0)
	scope, denied := usage.ReasonOf("invalid_scope"), usage.ReasonOf("access_denied")
	for range 3 {
		b.Count(app, c.Sequence, usage.ClientCredentials, usage.Issued)
	}
	b.Count(app, c.Sequence, usage.ClientCredentials, scope)
	b.Count(app, c.Sequence, usage.Introspection, denied)
	b.Count(app, 0, usage.ClientCredentials, usage.ReasonOf("invalid_client"))
	b.Count("", 0, usage.OtherGrant, usage.ReasonOf("of a later protocol"))
	b.now = b.now.Add(time.Hour)
	b.Count(app, c.Sequence, usage.ClientCredentials, usage.Issued)
	b.flush()
	b.flush()

	got, err := b.Clients(t.Context(), c.Sequence, begin, b.now)
	if err != nil {
		t.Fatal(err)
	}
	hour := usage.HourOf(begin)
	b.same(got, []usage.Count{
		{Hour: hour, Kind: "client_credentials", N: 3},
		{Hour: hour, Kind: "client_credentials", Reason: "invalid_scope", N: 1},
		{Hour: hour, Kind: "introspection", Reason: "access_denied", N: 1},
		{Hour: hour + 1, Kind: "client_credentials", N: 1},
	})
	totals, err := b.Totals(t.Context(), app, begin, b.now)
	if err != nil {
		t.Fatal(err)
	}
	b.same(added(totals), map[string]int64{
		"client_credentials ": 4, "client_credentials invalid_scope": 1, "introspection access_denied": 1, "client_credentials invalid_client": 1,
	})
	nobody, err := b.Totals(t.Context(), "", begin, b.now)
	if err != nil {
		t.Fatal(err)
	}
	b.same(added(nobody), map[string]int64{"other other": 1}) //nolint:dupword // kind and reason
	requests := map[string]uint64{}
	b.Requests(func(k usage.Kind, r usage.Reason, n uint64) { requests[k.String()+" "+r.String()] = n })
	b.same(requests, map[string]uint64{
		"client_credentials ": 4, "client_credentials invalid_scope": 1, "introspection access_denied": 1,
		"client_credentials invalid_client": 1, "other other": 1, //nolint:dupword // kind and reason
	})
}

// What is not yet written is seen all the same, and what is being written too.
func TestLastUsed(t *testing.T) {
	b := newBed(t, plain)
	c, never := b.client(0), b.client(0)
	last := func() usage.Last {
		t.Helper()
		found, err := b.Last(t.Context(), c.Sequence, never.Sequence)
		if err != nil || len(found) > 1 {
			t.Fatal(found, err)
		}
		return found[c.Sequence]
	}
	b.same(last(), usage.Last{})
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	b.Used(app, c.Sequence, "s1", at(5))
	for range 2 {
		b.same(last(), usage.Last{Client: at(5), Secrets: map[string]time.Time{"s1": at(5)}})
		b.flush()
	}
	b.Used(app, c.Sequence, "s1", at(3)) // an answer that took its time
	b.now = at(9)
	b.Count(app, c.Sequence, usage.ClientCredentials, usage.Issued)
	for range 2 {
		b.same(last(), usage.Last{Client: at(9), Secrets: map[string]time.Time{"s1": at(5)}})
		b.flush()
	}
	b.now = at(20)
	b.Count(app, c.Sequence, usage.ClientCredentials, usage.ReasonOf("invalid_client"))
	b.same(last().Client, at(9)) // a refusal is no use
}

func TestUnused(t *testing.T) {
	b := newBed(t, plain)
	day := 24 * time.Hour
	old, older, used := b.client(40*day), b.client(50*day), b.client(60*day)
	b.client(day)
	b.Used(app, used.Sequence, "s1", begin)
	for range 2 {
		var got []string
		var place usage.Place
		for done := false; !done; {
			var page []usage.Unused
			var err error
			if page, place, done, err = b.Unused(t.Context(), app, begin.Add(-30*day), nil, place, 1); err != nil {
				t.Fatal(err)
			}
			for _, u := range page {
				got = append(got, u.ID)
			}
		}
		b.same(got, []string{older.ID, old.ID})
		b.flush()
	}
}

// flaky fails as often as it is told to, before or after it has passed some
// batches on.
type flaky struct {
	usage.Store
	mu     sync.Mutex
	passes int // batches to pass before the next failure
	fails  int
}

var errFull = errors.New("no room")

func (f *flaky) Add(ctx context.Context, b *usage.Batch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails > 0 {
		if f.passes--; f.passes < 0 {
			f.fails--
			return errFull
		}
	}
	return f.Store.Add(ctx, b)
}

// Whatever fails on the way, each request is counted once: those of the batches
// before the failure, those after it, and those that come meanwhile.
func TestNothingIsLostOrCountedTwice(t *testing.T) {
	var f *flaky
	b := newBed(t, func(s usage.Store) usage.Store { f = &flaky{Store: s}; return f })
	var clients []*client.Client
	for range 700 { // more than a step holds
		clients = append(clients, b.client(0))
	}
	want := int64(0)
	for round := range 4 {
		for _, c := range clients {
			b.Used(app, c.Sequence, "s1", b.now)
			b.Count(app, c.Sequence, usage.ClientCredentials, usage.Issued)
			if wait, err := b.limits.Admit(t.Context(), c.Sequence, ratelimit.Setting{PerDay: 100}); wait > 0 || err != nil {
				t.Fatal(wait, err)
			}
		}
		b.Count("", 0, usage.OtherGrant, usage.ReasonOf("invalid_request"))
		want++
		f.passes, f.fails = round, 1
		if err := b.Flush(t.Context()); !errors.Is(err, errFull) {
			t.Fatalf("round %d: %v", round, err)
		}
		b.now = b.now.Add(time.Second)
	}
	b.flush()
	for i, c := range clients {
		b.same(b.counted(c), map[string]int64{"client_credentials ": want})
		n, err := b.db.Usage().DayUse(t.Context(), c.Sequence, begin.Unix()/86400)
		if err != nil || n != want {
			t.Fatalf("client %d used %d of its day, want %d; %v", i, n, want, err)
		}
	}
	totals, err := b.Totals(t.Context(), app, begin, b.now)
	if err != nil {
		t.Fatal(err)
	}
	b.same(added(totals), map[string]int64{"client_credentials ": want * 700})
	nobody, err := b.Totals(t.Context(), "", begin, b.now)
	if err != nil {
		t.Fatal(err)
	}
	b.same(added(nobody), map[string]int64{"other invalid_request": want})
	if b.Lost() != 0 {
		t.Errorf("%d lost", b.Lost())
	}
}

func TestConcurrentCounting(t *testing.T) {
	b := newBed(t, plain)
	clients := []*client.Client{b.client(0), b.client(0), b.client(0)}
	const workers, each = 16, 500
	var counting, writing sync.WaitGroup
	var over atomic.Bool
	writing.Go(func() {
		for !over.Load() {
			if err := b.Flush(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	for range workers {
		counting.Go(func() {
			for i := range each {
				c := clients[i%len(clients)]
				b.Used(app, c.Sequence, "s1", begin)
				b.Count(app, c.Sequence, usage.ClientCredentials, usage.Issued)
			}
		})
	}
	counting.Wait()
	over.Store(true)
	writing.Wait()
	b.flush()
	var sum int64
	for _, c := range clients {
		sum += b.counted(c)["client_credentials "]
	}
	if sum != workers*each {
		t.Errorf("%d counted, want %d", sum, workers*each)
	}
}

// recorder takes batches and keeps no more than when they came.
type recorder struct {
	usage.Store
	mu   sync.Mutex
	at   []time.Duration
	uses int
	err  error
	now  func() time.Duration
}

func (r *recorder) Add(_ context.Context, b *usage.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, r.now())
	if r.err == nil {
		r.uses += len(b.Uses)
	}
	return r.err
}

// What is counted is on disk within the time, whether there is little of it,
// much, or the database fails now and then; and what is left at the stop is not
// written by Run.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := &recorder{now: func() time.Duration { return time.Since(start) }}
		limits := ratelimit.NewLimiter(nil, time.Now)
		m := usage.NewMeter(r, limits, time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		var failures atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			m.Run(ctx, 5*time.Second, func(error) { failures.Add(1) })
		}()
		written := func() int {
			synctest.Wait()
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.uses
		}
		m.Used(app, 1, "s1", time.Now())
		if n := written(); n != 0 {
			t.Errorf("%d written at once", n)
		}
		time.Sleep(5 * time.Second)
		if n := written(); n != 1 {
			t.Errorf("%d written after 5 seconds", n)
		}
		for client := range int64(30_000) {
			m.Used(app, client+1, "s1", time.Now())
		}
		if n := written(); n < 25_000 {
			t.Errorf("%d written early", n)
		}
		r.mu.Lock()
		r.err, r.at = errFull, nil
		r.mu.Unlock()
		for client := range int64(120_000) {
			m.Used(app, client+1, "s1", time.Now())
		}
		time.Sleep(60 * time.Second)
		if len(r.at) < 5 || len(r.at) > 13 || failures.Load() != int64(len(r.at)) || m.Lost() != 20_000 {
			t.Errorf("%d attempts in a minute, %d failures, %d lost", len(r.at), failures.Load(), m.Lost())
		}
		before := written()
		r.mu.Lock()
		r.err = nil
		r.mu.Unlock()
		time.Sleep(10 * time.Second)
		if n := written() - before; n != 100_000 {
			t.Errorf("%d written of those kept", n)
		}
		cancel()
		<-done
	})
}

// The hot path: one of 10,000 clients proves its secret and gets a token.
func BenchmarkCount(b *testing.B) {
	for _, clients := range []int64{1, 10_000} {
		b.Run(strconv.FormatInt(clients, 10), func(b *testing.B) {
			m := usage.NewMeter(&recorder{now: func() time.Duration { return 0 }}, ratelimit.NewLimiter(nil, time.Now), func() time.Time { return begin })
			var next atomic.Int64
			for i := range clients {
				m.Used(app, i+1, "s1", begin)
				m.Count(app, i+1, usage.ClientCredentials, usage.Issued)
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := next.Add(7919); pb.Next(); i++ {
					client := i%clients + 1
					m.Used(app, client, "s1", begin)
					m.Count(app, client, usage.ClientCredentials, usage.Issued)
				}
			})
		})
	}
}
