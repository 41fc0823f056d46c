package consent_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

const app = "app"

// rig is a service over a temporary database.
type rig struct {
	*testing.T
	clock    *temporary.Clock
	db       *store.DB
	clients  *client.Registry
	consents *consent.Service
	revoked  []string // user and client whose tokens were taken back
	failing  error    // why tokens cannot be taken back
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, clock: temporary.At(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))}
	r.db = temporary.Open(t, t.TempDir(), r.clock.Now)
	r.clients = client.NewRegistry(r.db.Clients(), nil, r.clock.Now, 1<<20)
	users := user.NewRegistry(r.db.Users(), 1<<20)
	r.consents = consent.NewService(r.db.Consents(), users, r.clients, func(_ context.Context, _ audit.Source, _, user, client string) (int, error) {
		r.revoked = append(r.revoked, user+" "+client)
		return 1, r.failing
	}, r.clock.Now, 1<<20)
	u := &user.User{ApplicationID: app, UUID: "u", CreatedAt: r.clock.Now(), UpdatedAt: r.clock.Now()}
	if err := r.db.Users().Create(t.Context(), u, r.event("user.create")); err != nil {
		t.Fatal(err)
	}
	r.made("c")
	return r
}

func (r *rig) event(action string) audit.Event {
	return audit.New(audit.System(), app, action, "x", r.clock.Now())
}

// made makes a client.
func (r *rig) made(id string) {
	r.Helper()
	c := &client.Client{ApplicationID: app, ID: id, Name: id, Kind: client.Web, Era: 1, CreatedAt: r.clock.Now(), UpdatedAt: r.clock.Now()}
	if err := r.db.Clients().Create(r.Context(), c, client.NameAndVersion, r.event("client.create")); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) grant(scopes ...string) {
	r.Helper()
	if _, err := r.consents.Grant(r.Context(), audit.System(), app, "u", "c", scopes); err != nil {
		r.Fatal(err)
	}
}

// scopes are those that are granted, as they are remembered.
func (r *rig) scopes() []string {
	r.Helper()
	c, err := r.consents.Find(r.Context(), app, "u", "c")
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		r.Fatal(err)
	}
	return c.Scopes
}

func (r *rig) wants(scopes ...string) {
	r.Helper()
	for range 2 { // from the database, then from memory
		if got := r.scopes(); !slices.Equal(got, scopes) {
			r.Fatalf("granted: %v, want %v", got, scopes)
		}
	}
}

// Scopes add up; what is remembered follows at once, and costs nothing.
func TestGrant(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.wants()
	r.grant("openid", "email", "openid")
	r.wants("email", "openid")
	first := r.clock.Now()
	r.clock.Advance(time.Hour)
	r.grant("orders:read")
	r.wants("email", "openid", "orders:read")
	c, err := r.consents.Find(t.Context(), app, "u", "c")
	if err != nil || !c.GrantedAt.Equal(first) || !c.UpdatedAt.Equal(r.clock.Now()) {
		t.Errorf("%+v, %v", c, err)
	}
	before := r.db.Statements()
	r.wants("email", "openid", "orders:read")
	if n := r.db.Statements() - before; n != 0 {
		t.Errorf("%d statements for what is remembered", n)
	}
}

// With a consent go the client's tokens of the user; they go even where nothing
// was granted, or was not found.
func TestRevoke(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.grant("openid")
	r.wants("openid")
	revoke := func() error { return r.consents.Revoke(t.Context(), audit.System(), app, "u", "c") }
	if err := revoke(); err != nil {
		t.Fatal(err)
	}
	r.wants()
	if err := revoke(); fault.KindOf(err) != fault.NotFound || !slices.Equal(r.revoked, []string{"u c", "u c"}) {
		t.Errorf("%v, %v", err, r.revoked)
	}
	for _, of := range [][2]string{{"u", ""}, {"", "c"}} { // "" selects all families, or those of all users
		if err := r.consents.Revoke(t.Context(), audit.System(), app, of[0], of[1]); fault.KindOf(err) != fault.NotFound || len(r.revoked) != 2 {
			t.Errorf("%q: %v, %v", of, err, r.revoked)
		}
	}
	r.grant("openid")
	r.failing = errors.New("no database")
	if err := revoke(); !errors.Is(err, r.failing) {
		t.Errorf("tokens live and nobody hears of it: %v", err)
	}
}

// A client made anew under an id inherits nothing, remembered or not.
func TestAnotherClientOfTheSameID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.grant("openid")
	r.wants("openid")
	if err := r.db.Clients().Delete(t.Context(), app, "c", func(*client.Client) (audit.Event, error) { return r.event("client.delete"), nil }); err != nil {
		t.Fatal(err)
	}
	r.clients.Void(app, "c")
	r.wants()
	r.made("c")
	r.wants()
	r.grant("email")
	r.wants("email")
	if n, err := r.consents.Sweep(t.Context(), 10); n != 1 || err != nil {
		t.Errorf("%d swept, %v", n, err)
	}
	r.wants("email")
}
