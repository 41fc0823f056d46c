package cache_test

import (
	"errors"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/ostiary/ostiary/internal/cache"
)

func newCache(limit int) *cache.Cache[int, int] {
	return cache.New(limit, func(int, int) int { return 1 })
}

func TestLoadAsksOnce(t *testing.T) {
	c := newCache(1 << 20)
	calls := 0
	load := func() (int, error) { calls++; return 7, nil }
	for range 3 {
		if v, err := c.Load(1, load); v != 7 || err != nil {
			t.Fatalf("Load = %d, %v", v, err)
		}
	}
	if calls != 1 {
		t.Errorf("the database was asked %d times, want once", calls)
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	c := newCache(1 << 20)
	broken := errors.New("broken")
	if _, err := c.Load(1, func() (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Fatalf("Load = %v, want the loader's error", err)
	}
	if _, ok := c.Get(1); ok {
		t.Error("a failed load left something behind")
	}
}

// What was read before a Void must not be remembered after it: this is the race
// between a reader and a revocation.
func TestVoidReachesReadsUnderWay(t *testing.T) {
	c := newCache(1 << 20)
	v, err := c.Load(1, func() (int, error) {
		c.Void(1) // the revocation commits while the old row is on its way
		return 7, nil
	})
	if v != 7 || err != nil {
		t.Fatalf("Load = %d, %v", v, err)
	}
	if _, ok := c.Get(1); ok {
		t.Error("a value read before Void came back after it")
	}
	t1 := c.Ticket(2)
	c.VoidAll()
	c.Fill(t1, 2, 9)
	if _, ok := c.Get(2); ok {
		t.Error("a value read before VoidAll came back after it")
	}
}

func TestVoidForgetsBothGenerations(t *testing.T) {
	c := newCache(16 * 2 * 4) // 4 entries a shard and generation
	for k := range 200 {
		c.Fill(c.Ticket(k), k, k)
	}
	for k := range 200 {
		c.Void(k)
	}
	for k := range 200 {
		if _, ok := c.Get(k); ok {
			t.Fatalf("%d is still there", k)
		}
	}
}

func TestBounded(t *testing.T) {
	const limit = 1600
	c := newCache(limit)
	for k := range 100_000 {
		c.Fill(c.Ticket(k), k, k)
	}
	kept := 0
	for k := range 100_000 {
		if _, ok := c.Get(k); ok {
			kept++
		}
	}
	if kept > limit {
		t.Errorf("%d entries are kept, the limit is %d", kept, limit)
	}
	if kept < limit/4 {
		t.Errorf("only %d entries are kept of at most %d", kept, limit)
	}
}

// Against a map: what the cache gives is what was filled last and not voided.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCache(rapid.IntRange(32, 4096).Draw(t, "limit"))
		model := map[int]int{}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			k := rapid.IntRange(0, 20).Draw(t, "key")
			switch rapid.IntRange(0, 2).Draw(t, "op") {
			case 0:
				v := rapid.Int().Draw(t, "value")
				c.Fill(c.Ticket(k), k, v)
				model[k] = v
			case 1:
				c.Void(k)
				delete(model, k)
			default:
				want, there := model[k]
				if v, ok := c.Get(k); ok && (!there || v != want) {
					t.Fatalf("Get(%d) = %d, want %d (%v)", k, v, want, there)
				}
			}
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	c := newCache(1000)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				k := (g*31 + i) % 100
				_, _ = c.Load(k, func() (int, error) { return k, nil })
				if v, ok := c.Get(k); ok && v != k {
					t.Errorf("Get(%d) = %d", k, v)
				}
				if i%10 == 0 {
					c.Void(k)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkGet(b *testing.B) {
	c := newCache(1 << 20)
	c.Fill(c.Ticket(1), 1, 1)
	b.ReportAllocs()
	for b.Loop() {
		c.Get(1)
	}
}
