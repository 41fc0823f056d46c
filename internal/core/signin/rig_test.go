package signin_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

const (
	origin = "https://id.example.com"

	good  = "correct horse battery"
	wrong = "incorrect horse battery"
)

// rig is a service over a temporary database.
type rig struct {
	testing.TB
	clock    *temporary.Clock
	db       *store.DB
	keys     *key.Ring
	app      *application.Application
	users    *user.Registry
	records  *user.Operations
	sessions *session.Service
	signin   *signin.Service
	mail     outbox
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, clock: temporary.At(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)), app: &application.Application{ID: "app", Name: "Shop"}}
	r.db = temporary.Open(t, t.TempDir(), r.clock.Now)
	r.keys = temporary.Ring(t, r.db, r.clock.Now)
	r.users = user.NewRegistry(r.db.Users(), 1<<20)
	r.records = user.NewOperations(r.db.Users(), r.users, r.keys, r.clock.Now)
	r.sessions = session.NewService(r.db.Sessions(), r.users, r.clock.Now, 1<<20)
	r.restart()
	return r
}

// restart makes a service that remembers nothing.
func (r *rig) restart() {
	r.Helper()
	var err error
	r.signin, err = signin.NewService(signin.Deps{
		Credentials: r.db.Credentials(), Links: r.db.Links(), Users: r.users, Records: r.db.Users(), People: r.records, Sessions: r.sessions,
		Keys: r.keys, Audit: r.db.Audit(), PublicURL: origin, Mailer: &r.mail, Now: r.clock.Now,
	})
	if err != nil {
		r.Fatal(err)
	}
	r.signin.Write(func(l *signin.Letter) (string, string) {
		r.mail.letters = append(r.mail.letters, *l)
		return string(l.Purpose), l.Token
	})
}

// user makes a user; one without a password where it is "".
func (r *rig) user(email, password string) *user.User {
	r.Helper()
	u, err := r.records.Create(r.Context(), audit.System(), r.app.ID, user.Fields{Email: email, Password: &password})
	if err != nil {
		r.Fatal(err)
	}
	return u
}

// from is an attempt from an address.
func from(address string) signin.From {
	return signin.From{Source: audit.Source{Actor: "anonymous", Address: netip.MustParseAddr(address)}}
}

const home = "192.0.2.1"

func (r *rig) password(email, password string, from signin.From) (*signin.Outcome, error) {
	return r.signin.Password(r.Context(), r.app, email, password, from)
}

// events gives how many of the newest events have an action.
func (r *rig) events(action string) int {
	r.Helper()
	list, _, err := r.db.Audit().Search(r.Context(), r.app.ID, audit.Filter{Action: action, Limit: 1000})
	if err != nil {
		r.Fatal(err)
	}
	return len(list)
}

// wants fails the test where err is not a fault of the kind.
func wants(t testing.TB, kind fault.Kind, err error) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("got %v, want a fault of kind %d", err, kind)
	}
}

func slow(err error) bool {
	_, ok := errors.AsType[*signin.SlowError](err)
	return ok
}
