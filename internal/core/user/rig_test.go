package user_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/store"
)

const (
	app  = "app"
	good = "correct horse battery"
)

// rig is the operations over a database of their own.
type rig struct {
	testing.TB

	db     *store.DB
	keys   *key.Ring
	users  *user.Registry
	ops    *user.Operations
	source audit.Source

	mu    sync.Mutex
	now   time.Time
	ended []string // whose sessions were ended
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, now: time.Date(2026, 3, 4, 5, 6, 7, 890123456, time.UTC), source: audit.Source{Actor: "client:tester"}}
	var err error
	if r.db, err = store.Open(t.Context(), store.Options{Data: t.TempDir(), Now: r.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.db.Close() })
	if r.keys, err = key.OpenRing(t.Context(), r.db.Keys(), [32]byte{1, 2, 3}, r.clock); err != nil {
		t.Fatal(err)
	}
	r.users = user.NewRegistry(r.db.Users(), 1<<20)
	r.ops = user.NewOperations(r.db.Users(), r.users, r.keys, r.clock)
	r.ops.OnEnd(func(_ context.Context, applicationID, uuid string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = append(r.ended, applicationID+" "+uuid)
	})
	return r
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// endings gives whose sessions were ended since it was last asked.
func (r *rig) endings() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ended := r.ended
	r.ended = nil
	return ended
}

// create makes a user from a document.
func (r *rig) create(document string) (*user.User, error) {
	var fields user.Fields
	if err := fields.Patch([]byte(document)); err != nil {
		return nil, err
	}
	return r.ops.Create(r.Context(), r.source, app, fields)
}

func (r *rig) made(document string) *user.User {
	r.Helper()
	u, err := r.create(document)
	if err != nil {
		r.Fatalf("%s: %v", document, err)
	}
	return u
}

func (r *rig) patch(u *user.User, document string) (*user.User, error) {
	return r.ops.Patch(r.Context(), r.source, app, u.UUID, []byte(document), nil)
}

func (r *rig) patched(u *user.User, document string) *user.User {
	r.Helper()
	after, err := r.patch(u, document)
	if err != nil {
		r.Fatalf("%s: %v", document, err)
	}
	return after
}

// known is the user as the registry has it.
func (r *rig) known(u *user.User) *user.User {
	r.Helper()
	known, err := r.users.Get(r.Context(), app, u.UUID)
	if err != nil {
		r.Fatal(err)
	}
	return known
}

func (r *rig) wants(kind fault.Kind, err error) {
	r.Helper()
	if err == nil || fault.KindOf(err) != kind {
		r.Fatalf("got error %v, want one of kind %d", err, kind)
	}
}

// event gives the newest event.
func (r *rig) event() audit.Event {
	r.Helper()
	events, _, err := r.db.Audit().Search(r.Context(), app, audit.Filter{Limit: 1})
	if err != nil || len(events) == 0 {
		r.Fatalf("no event: %v", err)
	}
	return events[0]
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
