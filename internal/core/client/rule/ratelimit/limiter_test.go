package ratelimit_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
)

var begin = time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)

// days is what a limiter has had written.
type days struct {
	mu    sync.Mutex
	used  map[[2]int64]int64 // by client and day
	reads int
	err   error
}

func (d *days) DayUse(_ context.Context, client, day int64) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	return d.used[[2]int64{client, day}], d.err
}

func (d *days) add(list []ratelimit.Day) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used == nil {
		d.used = make(map[[2]int64]int64)
	}
	for _, x := range list {
		d.used[[2]int64{x.Client, x.Day}] += x.N
	}
}

type bed struct {
	*ratelimit.Limiter
	days *days
	now  time.Time
}

func newBed() *bed {
	b := &bed{days: &days{}, now: begin}
	b.restart()
	return b
}

func (b *bed) restart() { b.Limiter = ratelimit.NewLimiter(b.days, func() time.Time { return b.now }) }

func (b *bed) admit(t interface{ Fatal(...any) }, client int64, s ratelimit.Setting) time.Duration {
	wait, err := b.Admit(context.Background(), client, s)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

// A bucket and a quota do what a list of all the requests that were admitted
// says they must: the rate and burst by exact arithmetic, the quota by counting.
// Whoever waits as long as he is told is admitted then, and not a nanosecond before.
func TestLimiterModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBed()
		s := ratelimit.Setting{
			PerSecond: rapid.Int64Range(0, 7).Draw(t, "per second"),
			Burst:     rapid.Int64Range(0, 9).Draw(t, "burst"),
			PerDay:    rapid.SampledFrom([]int64{0, 3, 40}).Draw(t, "per day"),
		}
		model := newModel(s, b.now)
		for range 60 {
			b.now = b.now.Add(time.Duration(rapid.OneOf(
				rapid.Int64Range(0, 3), rapid.Int64Range(0, int64(time.Second)), rapid.Int64Range(0, int64(9*time.Hour)),
			).Draw(t, "pause")))
			if rapid.IntRange(0, 9).Draw(t, "write") == 0 {
				b.days.add(b.Take())
				b.Forget()
			}
			want := model.admits(b.now)
			wait := b.admit(t, 1, s)
			if (wait == 0) != want {
				t.Fatalf("wait %v at %v, want admitted %v", wait, b.now, want)
			}
			if wait > 0 {
				if model.would(b.now.Add(wait-1)) || !model.would(b.now.Add(wait)) {
					t.Fatalf("told to wait %v at %v, which is not when it is over", wait, b.now)
				}
			}
		}
	})
}

// model keeps the level in the unit 1/1e9 of a request, which needs no rounding.
type model struct {
	s     ratelimit.Setting
	level int64
	at    time.Time
	days  map[int64]int64
}

func newModel(s ratelimit.Setting, now time.Time) *model {
	m := &model{s: s, at: now, days: map[int64]int64{}}
	m.level = m.full()
	return m
}

func (m *model) full() int64 {
	if m.s.Burst > 0 {
		return m.s.Burst * 1e9
	}
	return m.s.PerSecond * 1e9
}

func (m *model) levelAt(now time.Time) int64 {
	return min(m.full(), m.level+int64(now.Sub(m.at))*m.s.PerSecond)
}

func (m *model) would(now time.Time) bool {
	day := now.Unix() / 86400
	return (m.s.PerSecond == 0 || m.levelAt(now) >= 1e9) && (m.s.PerDay == 0 || m.days[day] < m.s.PerDay)
}

func (m *model) admits(now time.Time) bool {
	if !m.would(now) {
		return false
	}
	m.level, m.at = m.levelAt(now)-1e9, now
	m.days[now.Unix()/86400]++
	return true
}

func TestLimiterBursts(t *testing.T) {
	for _, test := range []struct {
		s    ratelimit.Setting
		want int // admitted at once
		wait time.Duration
	}{
		{ratelimit.Setting{}, 1000, 0},
		{ratelimit.Setting{PerSecond: 5}, 5, 200 * time.Millisecond},
		{ratelimit.Setting{PerSecond: 3, Burst: 10}, 10, 333333334},
		{ratelimit.Setting{PerSecond: 5, Burst: 1}, 1, 200 * time.Millisecond},
		{ratelimit.Setting{PerDay: 7}, 7, begin.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(begin)},
		{ratelimit.Setting{PerSecond: 5, PerDay: 2}, 2, begin.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(begin)},
		{ratelimit.Setting{PerSecond: ratelimit.MaxPerSecond, Burst: 1}, 1, time.Microsecond},
	} {
		b := newBed()
		n, wait := 0, time.Duration(0)
		for n < 1000 && wait == 0 {
			if wait = b.admit(t, 1, test.s); wait == 0 {
				n++
			}
		}
		if n != test.want || wait != test.wait {
			t.Errorf("%+v: %d at once, then wait %v; want %d and %v", test.s, n, wait, test.want, test.wait)
		}
	}
}

// What a client used of its day outlives a restart, as far as it was written,
// and is read once.
func TestDailyCountOutlivesRestart(t *testing.T) {
	b, s := newBed(), ratelimit.Setting{PerDay: 10}
	for range 4 {
		b.admit(t, 1, s)
	}
	written := b.Take()
	if len(written) != 1 || written[0].N != 4 {
		t.Fatalf("to be written: %v", written)
	}
	b.Restore(written) // the database was busy
	b.admit(t, 1, s)
	b.days.add(b.Take())
	if again := b.Take(); len(again) > 0 {
		t.Fatalf("written twice: %v", again)
	}
	b.restart()
	n := 0
	for b.admit(t, 1, s) == 0 {
		n++
	}
	if n != 5 || b.days.reads != 2 {
		t.Errorf("%d more after 5 of 10, %d reads", n, b.days.reads)
	}
	b.now = b.now.Add(24 * time.Hour)
	if wait := b.admit(t, 1, s); wait != 0 || b.days.reads != 2 {
		t.Errorf("on the next day: wait %v, %d reads", wait, b.days.reads)
	}
}

// A count that cannot be read is no leave to go on.
func TestUnknownDay(t *testing.T) {
	b := newBed()
	b.days.err = errors.New("no database")
	if _, err := b.Admit(t.Context(), 1, ratelimit.Setting{PerDay: 1}); !errors.Is(err, b.days.err) {
		t.Errorf("admitted with error %v", err)
	}
	if _, err := b.Admit(t.Context(), 1, ratelimit.Setting{PerSecond: 1}); err != nil {
		t.Errorf("a rate needs no database: %v", err)
	}
}

// A setting that changes acts at once: a smaller burst on what was saved up, a
// new rate on a client that had only a quota.
func TestSettingChanges(t *testing.T) {
	b := newBed()
	b.admit(t, 1, ratelimit.Setting{PerSecond: 1, Burst: 100})
	for _, want := range []bool{true, true, false} {
		if wait := b.admit(t, 1, ratelimit.Setting{PerSecond: 1, Burst: 2}); (wait == 0) != want {
			t.Errorf("wait %v, want admitted %v", wait, want)
		}
	}
	b.admit(t, 2, ratelimit.Setting{PerDay: 9})
	for _, want := range []bool{true, true, false} {
		if wait := b.admit(t, 2, ratelimit.Setting{PerSecond: 2, PerDay: 9}); (wait == 0) != want {
			t.Errorf("wait %v, want admitted %v", wait, want)
		}
	}
}

// What nobody needs is forgotten, and no limit is loosened by it.
func TestForget(t *testing.T) {
	b, s := newBed(), ratelimit.Setting{PerSecond: 1, Burst: 2, PerDay: 100}
	const many = 60_000
	for client := range int64(many) {
		b.admit(t, client+1, s)
	}
	if n := ratelimit.Remembered(b.Limiter); n != many {
		t.Fatalf("%d remembered", n)
	}
	b.now = b.now.Add(11 * time.Second)
	b.Forget()
	if n := ratelimit.Remembered(b.Limiter); n != many {
		t.Errorf("%d remembered before their counts are written", n)
	}
	b.days.add(b.Take())
	b.Forget()
	if n := ratelimit.Remembered(b.Limiter); n != 0 {
		t.Errorf("%d remembered in a crowd", n)
	}
	reads := b.days.reads
	b.admit(t, 1, s)
	b.admit(t, 1, s)
	if b.admit(t, 1, s) == 0 || b.days.reads != reads+1 {
		t.Errorf("the burst is not what it was, or %d reads", b.days.reads-reads)
	}
}

// Of many at once no more are admitted than the limit says.
func TestConcurrentRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed()
		admitted := map[int64]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 400 {
			all.Go(func() {
				client := int64(i % 2)
				s := ratelimit.Setting{PerSecond: 10, Burst: 50}
				if client == 1 {
					s = ratelimit.Setting{PerDay: 70}
				}
				if wait, err := b.Admit(t.Context(), client, s); err == nil && wait == 0 {
					mu.Lock()
					admitted[client]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if want := map[int64]int{0: 50, 1: 70}; !maps.Equal(admitted, want) {
			t.Errorf("admitted %v, want %v", admitted, want)
		}
	})
}

func BenchmarkAdmit(b *testing.B) {
	for name, s := range map[string]ratelimit.Setting{
		"none":  {},
		"limit": {PerSecond: ratelimit.MaxPerSecond, Burst: ratelimit.MaxBurst, PerDay: ratelimit.MaxPerDay},
	} {
		b.Run(name, func(b *testing.B) {
			l := ratelimit.NewLimiter(&days{}, time.Now)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := l.Admit(b.Context(), 7, s); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
