package session_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

// rig is a service over a temporary database.
type rig struct {
	*testing.T
	clock    *temporary.Clock
	db       *store.DB
	app      *application.Application
	users    *user.Registry
	people   *user.Operations
	sessions *session.Service
	ended    int // times that sessions ended
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, clock: temporary.At(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)), app: &application.Application{ID: "app"}}
	r.app.Settings.SessionLifetime = 3600
	r.db = temporary.Open(t, t.TempDir(), r.clock.Now)
	keys := temporary.Ring(t, r.db, r.clock.Now)
	r.users = user.NewRegistry(r.db.Users(), 1<<20)
	r.people = user.NewOperations(r.db.Users(), r.users, keys, r.clock.Now)
	r.sessions = session.NewService(r.db.Sessions(), r.users, r.clock.Now, 1<<20)
	r.sessions.OnEnd(func() { r.ended++ })
	return r
}

func (r *rig) user(email string) *user.User {
	r.Helper()
	u, err := r.people.Create(r.Context(), audit.System(), r.app.ID, user.Fields{Email: email})
	if err != nil {
		r.Fatal(err)
	}
	return u
}

var source = audit.Source{Actor: "user:x", Address: netip.MustParseAddr("192.0.2.1")}

// begun signs a user in.
func (r *rig) begun(u *user.User) (*session.Session, string) {
	r.Helper()
	s, cookie, err := r.sessions.Begin(r.Context(), source, r.app, u, session.SignIn{AMR: []string{"pwd"}, ACR: session.OneFactor, UserAgent: "Browser\n/1"})
	if err != nil {
		r.Fatal(err)
	}
	return s, cookie
}

// live reports whether a cookie opens a session.
func (r *rig) live(cookie string) bool {
	r.Helper()
	_, _, err := r.sessions.Find(r.Context(), r.app, cookie)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		r.Fatal(err)
	}
	return err == nil
}
