package store_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/pgtest"
	"github.com/ostiary/ostiary/internal/store"
)

// family is one that could have been issued just now.
func family(era int64) *token.Family {
	at := time.Now().UTC().Truncate(time.Microsecond)
	return &token.Family{
		ID: token.NewID(at), ApplicationID: "73jzx34tnr5ruhsze494ssgz2b", ClientID: "3bchk5hsx6v58dkn288nbybmxfyk32u7", ClientEra: era,
		GrantType: oauth.ClientCredentials, Scopes: []string{"read", "write"}, Format: lifetime.JWT, TokenKey: 1,
		IssuedAt: at, AccessExpiresAt: at.Add(time.Hour), Address: "192.0.2.1",
	}
}

func processor() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func open(b *testing.B, options store.Options) *store.DB {
	b.Helper()
	db, err := store.Open(b.Context(), options)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return db
}

// BenchmarkMint stores families from 64 requests at once; cpu-µs/op is of the
// whole process. eras is how many clients they are of.
func BenchmarkMint(b *testing.B) {
	for _, at := range []struct {
		name     string
		requests int
		eras     int
		options  func() store.Options
	}{
		{"SQLite/64", 64, 1, func() store.Options { return store.Options{Data: b.TempDir()} }},
		{"SQLite/64/1000clients", 64, 1000, func() store.Options { return store.Options{Data: b.TempDir()} }},
		{"SQLite/16", 16, 1, func() store.Options { return store.Options{Data: b.TempDir()} }},
		{"SQLite/1", 1, 1, func() store.Options { return store.Options{Data: b.TempDir()} }},
		{"PostgreSQL/64", 64, 1, func() store.Options { return store.Options{URL: pgtest.Database(b)} }},
	} {
		b.Run(at.name, func(b *testing.B) {
			db := open(b, at.options())
			eras := make([]int64, at.eras)
			for i := range eras {
				eras[i] = rand.Int64()
			}
			b.ReportAllocs()
			b.SetParallelism(max(1, at.requests/runtime.GOMAXPROCS(0)))
			if at.requests == 1 {
				runtime.GOMAXPROCS(1)
				defer runtime.GOMAXPROCS(runtime.NumCPU())
			}
			var took atomic.Pointer[[]time.Duration]
			b.ResetTimer()
			before, used := db.Stats(), processor()
			b.RunParallel(func(p *testing.PB) {
				var mine []time.Duration
				for p.Next() {
					began := time.Now()
					if _, err := db.Tokens().Mint(context.Background(), family(eras[rand.IntN(len(eras))])); err != nil {
						b.Error(err)
						return
					}
					mine = append(mine, time.Since(began))
				}
				for {
					old := took.Load()
					all := mine
					if old != nil {
						all = slices.Concat(*old, mine)
					}
					if took.CompareAndSwap(old, &all) {
						return
					}
				}
			})
			after := db.Stats()
			all := *took.Load()
			slices.Sort(all)
			b.ReportMetric(float64((processor()-used).Microseconds())/float64(b.N), "cpu-µs/op")
			b.ReportMetric(float64(after.Items-before.Items)/float64(after.Batches-before.Batches), "rows/commit")
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkGet reads a family by its id.
func BenchmarkGet(b *testing.B) {
	db := open(b, store.Options{Data: b.TempDir()})
	var stored []*token.Family
	for range 1000 {
		f := family(1)
		if _, err := db.Tokens().Mint(b.Context(), f); err != nil {
			b.Fatal(err)
		}
		stored = append(stored, f)
	}
	b.ReportAllocs()
	b.ResetTimer()
	used := processor()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			f := stored[rand.IntN(len(stored))]
			if _, err := db.Tokens().Get(context.Background(), f.ApplicationID, f.ID); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64((processor()-used).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkRemoveExpired removes 500 families of 1,000 clients in a step.
func BenchmarkRemoveExpired(b *testing.B) {
	db := open(b, store.Options{Data: b.TempDir()})
	const step, writers = 500, 250
	for b.Loop() {
		b.StopTimer()
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range step / writers {
					if _, err := db.Tokens().Mint(context.Background(), family(rand.Int64N(1000))); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
		b.StartTimer()
		if n, err := db.Tokens().RemoveExpired(b.Context(), time.Now().Add(2*time.Hour), step); n != step || err != nil {
			b.Fatal(n, err)
		}
	}
}
