// Package temporary gives a test a database of its own, the keys that are in it,
// and a clock that the test sets. It knows nothing of what is tested with them.
package temporary

import (
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/store"
)

// Open opens an SQLite database in the directory, new where there is none; it is
// closed by the end of the test.
func Open(t testing.TB, directory string, now func() time.Time) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Data: directory, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Ring opens the data keys of a database, with the same master key each time.
func Ring(t testing.TB, db *store.DB, now func() time.Time) *key.Ring {
	t.Helper()
	ring, err := key.OpenRing(t.Context(), db.Keys(), [32]byte{1, 2, 3}, now)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// Clock is the time as a server sees it. It stands still until it is told.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// At is a clock that stands at a time.
func At(now time.Time) *Clock { return &Clock{now: now} }

// Now gives the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set sets the time.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}
