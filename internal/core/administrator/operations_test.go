package administrator_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/pgtest"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// both runs a test on each database.
func both(t *testing.T, test func(*rig)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(newRig(t, store.Options{Data: t.TempDir()})) })
	t.Run("PostgreSQL", func(t *testing.T) { test(newRig(t, store.Options{URL: pgtest.Database(t)})) })
}

// rig is the operations over a database of their own, with one administrator of
// the instance.
type rig struct {
	*testing.T

	ops   *administrator.Operations // as the server itself
	first *user.User
}

func newRig(t *testing.T, options store.Options) *rig {
	t.Helper()
	clock := temporary.At(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	options.Now = clock.Now
	db, err := store.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	users := user.NewRegistry(db.Users(), 1<<20)
	people := user.NewOperations(db.Users(), users, temporary.Ring(t, db, clock.Now), clock.Now)
	r := &rig{T: t, ops: administrator.NewOperations(people, users)}
	r.first = r.made("first@example.com", administrator.Access{Instance: true})
	return r
}

func (r *rig) made(email string, access administrator.Access) *user.User {
	r.Helper()
	u, err := r.ops.Create(r.Context(), audit.System(), email, access)
	if err != nil {
		r.Fatal(err)
	}
	return u
}

// as gives the operations as an administrator may use them.
func (r *rig) as(u *user.User) *administrator.Operations {
	return r.ops.By(administrator.AccessOf(r.now(u)))
}

// now is the record as it is stored.
func (r *rig) now(u *user.User) *user.User {
	r.Helper()
	found, err := r.ops.Get(r.Context(), u.UUID)
	if err != nil {
		r.Fatal(err)
	}
	return found
}

// want fails unless an error is of a kind; "": there is none.
func (r *rig) want(what string, err error, kind fault.Kind) {
	r.Helper()
	if got := fault.KindOf(err); (err == nil) != (kind == none) || got != kind {
		r.Errorf("%s: got %v, want a fault of kind %v", what, err, kind)
	}
}

var none = fault.KindOf(nil)

func roles(of string, role admin.Role) administrator.Access {
	return administrator.Access{Roles: map[string]admin.Role{of: role}}
}

func TestTheLastOfTheInstanceStays(t *testing.T) {
	both(t, func(r *rig) {
		source := audit.System()
		take := map[string]func(u *user.User) error{
			"access": func(u *user.User) error {
				_, err := r.ops.SetAccess(r.Context(), source, u.UUID, roles("shop", admin.Owner), nil)
				return err
			},
			"active": func(u *user.User) error {
				_, err := r.ops.SetActive(r.Context(), source, u.UUID, false)
				return err
			},
			"delete": func(u *user.User) error { return r.ops.Delete(r.Context(), source, u.UUID) },
		}
		r.made("owner@example.com", roles("shop", admin.Owner))
		off := r.made("off@example.com", administrator.Access{Instance: true})
		_, err := r.ops.SetActive(r.Context(), source, off.UUID, false)
		r.want("one of two", err, none)
		for what, do := range take {
			r.want(what+" of the last one", do(r.first), fault.Conflict)
			r.want(what+" of one who is inactive", do(off), none)
			second := r.made("second-"+what+"@example.com", administrator.Access{Instance: true})
			r.want(what+" of one of two", do(second), none)
			if off, err = r.ops.Create(r.Context(), source, "off-"+what+"@example.com", administrator.Access{Instance: true}); err != nil {
				r.Fatal(err)
			}
			_, err := r.ops.SetActive(r.Context(), source, off.UUID, false)
			r.want("switching off", err, none)
		}
		if got := r.now(r.first); got.Inactive || !administrator.AccessOf(got).Instance {
			r.Errorf("the last one: %+v", got)
		}
	})
}

// Two who take each other away at once do not both succeed.
func TestTheLastOfTheInstanceStaysAtOnce(t *testing.T) {
	both(t, func(r *rig) {
		last := r.first
		for round := range 5 {
			other := r.made(fmt.Sprintf("other-%d@example.com", round), administrator.Access{Instance: true})
			var group sync.WaitGroup
			errs := make([]error, 2)
			for i, u := range []*user.User{last, other} {
				group.Go(func() { errs[i] = r.ops.Delete(r.Context(), audit.System(), u.UUID) })
			}
			group.Wait()
			if errs[0] == nil {
				last, errs[0], errs[1] = other, errs[1], errs[0]
			}
			r.want("the one", errs[0], fault.Conflict)
			r.want("the other", errs[1], none)
		}
	})
}

func TestGrants(t *testing.T) {
	both(t, func(r *rig) {
		owner := r.made("owner@example.com", administrator.Access{Roles: map[string]admin.Role{"shop": admin.Owner, "other": admin.Manager}})
		ann := r.made("ann@example.com", roles("other", admin.Viewer))
		grant := func(by *user.User, app string, to *user.User, role admin.Role) error {
			_, err := r.as(by).Grant(r.Context(), audit.System(), app, to.UUID, role)
			return err
		}
		r.want("in his application", grant(owner, "shop", ann, admin.Developer), none)
		if got := administrator.AccessOf(r.now(ann)); got.In("shop") != admin.Developer || got.In("other") != admin.Viewer {
			r.Errorf("what she may: %+v", got)
		}
		r.want("where he is a manager", grant(owner, "other", ann, admin.Owner), fault.Denied)
		r.want("where he is nothing", grant(owner, "third", ann, admin.Viewer), fault.Denied)
		r.want("by a developer", grant(ann, "shop", ann, admin.Owner), fault.Denied)
		r.want("no role", grant(owner, "shop", ann, "king"), fault.Invalid)
		r.want("nobody", grant(owner, "shop", &user.User{UUID: "00000000-0000-4000-8000-000000000000"}, admin.Viewer), fault.NotFound)
		r.want("by the instance", grant(r.first, "third", ann, admin.Manager), none)
		r.want("taken away", grant(owner, "shop", ann, ""), none)
		if got := administrator.AccessOf(r.now(ann)); got.In("shop") != "" || got.In("other") != admin.Viewer || got.In("third") != admin.Manager {
			r.Errorf("what she may: %+v", got)
		}
		r.want("his own", grant(owner, "shop", owner, ""), none)
		r.want("after it", grant(owner, "shop", ann, admin.Viewer), fault.Denied)
		r.want("to one of the instance", grant(r.first, "shop", r.first, admin.Viewer), none)
		if got := administrator.AccessOf(r.now(r.first)); !got.Instance || got.In("shop") != admin.Owner {
			r.Errorf("one of the instance lost it: %+v", got)
		}
	})
}

// Accounts are the instance's to make and alter.
func TestOnlyTheInstanceMakesAccounts(t *testing.T) {
	both(t, func(r *rig) {
		owner := r.made("owner@example.com", roles("shop", admin.Owner))
		by, source := r.as(owner), audit.System()
		_, err := by.Create(r.Context(), source, "new@example.com", administrator.Access{})
		r.want("create", err, fault.Denied)
		_, err = by.SetAccess(r.Context(), source, owner.UUID, administrator.Access{Instance: true}, nil)
		r.want("raise himself", err, fault.Denied)
		_, err = by.SetActive(r.Context(), source, r.first.UUID, false)
		r.want("switch off", err, fault.Denied)
		r.want("delete", by.Delete(r.Context(), source, r.first.UUID), fault.Denied)

		_, err = r.ops.Create(r.Context(), source, "OWNER@example.com", administrator.Access{})
		r.want("an address in use", err, fault.Conflict)
		_, err = r.ops.Create(r.Context(), source, "", administrator.Access{})
		r.want("no address", err, fault.Invalid)
		found, err := by.Find(r.Context(), "Owner@Example.com")
		if err != nil || found.UUID != owner.UUID {
			r.Errorf("found %v, %v", found, err)
		}
		_, err = by.Find(r.Context(), "nobody@example.com")
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Field != "email" {
			r.Errorf("an unknown address: %v", err)
		}
		revision := owner.Revision + 1
		_, err = r.ops.SetAccess(r.Context(), source, owner.UUID, administrator.Access{}, &revision)
		r.want("a stale revision", err, fault.Precondition)
	})
}

func TestWhoHasARole(t *testing.T) {
	both(t, func(r *rig) {
		r.made("viewer@example.com", roles("shop", admin.Viewer))
		r.made("owner@example.com", roles("shop", admin.Owner))
		r.made("elsewhere@example.com", roles("shop2", admin.Owner))
		r.made("nothing@example.com", administrator.Access{})
		r.made("second@example.com", roles("shop", admin.Owner))
		want := []string{"owner@example.com", "second@example.com", "viewer@example.com"}
		for limit := 1; limit < 5; limit++ {
			var emails []string
			for at, pages := (administrator.Place{}), 1; ; pages++ {
				found, next, err := r.ops.In(r.Context(), "shop", at, limit)
				if err != nil || pages > len(want) {
					r.Fatal(pages, err)
				}
				for _, u := range found {
					emails = append(emails, u.Email)
				}
				if next == (administrator.Place{}) {
					break
				}
				var ok bool
				if at, ok = administrator.ParsePlace(next.String()); !ok || at != next {
					r.Fatalf("%v comes back as %v", next, at)
				}
			}
			if !slices.Equal(emails, want) {
				r.Errorf("in the application, by %d: %q, want %q", limit, emails, want)
			}
		}
		for _, text := range []string{"{}", "[]", `{"s":1}`, `{"s":-1,"r":"owner"}`, `{"s":1,"r":"king"}`} {
			if at, ok := administrator.ParsePlace(text); ok {
				r.Errorf("%s is taken for the place %v", text, at)
			}
		}
	})
}

func TestForget(t *testing.T) {
	both(t, func(r *rig) {
		viewer := r.made("viewer@example.com", roles("shop", admin.Viewer))
		owner := r.made("owner@example.com", administrator.Access{Roles: map[string]admin.Role{"shop": admin.Owner, "shop2": admin.Owner}})
		if err := r.ops.Forget(r.Context(), audit.System(), "shop"); err != nil {
			r.Fatal(err)
		}
		for _, of := range []*user.User{viewer, owner} {
			now, err := r.ops.Get(r.Context(), of.UUID)
			if err != nil {
				r.Fatal(err)
			}
			access := administrator.AccessOf(now)
			if access.Roles["shop"] != "" || access.Roles["shop2"] != administrator.AccessOf(of).Roles["shop2"] {
				r.Errorf("%s has %v", now.Email, access.Roles)
			}
		}
	})
}
