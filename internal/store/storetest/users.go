package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/user"
)

// user makes a user that is not stored yet.
func (e *Env) user(email string) *user.User {
	return &user.User{ApplicationID: appID, UUID: ident.User(), Email: email, Era: rand.Int64(), CreatedAt: e.Now, UpdatedAt: e.Now}
}

// users stores users.
func (e *Env) users(emails ...string) (list []*user.User) {
	e.Helper()
	for _, email := range emails {
		u := e.user(email)
		e.must(e.DB.Users().Create(e.Context(), u, e.event("user.create")))
		list = append(list, u)
	}
	return list
}

func (e *Env) changeUser(uuid string, change func(*user.User)) (*user.User, error) {
	return e.DB.Users().Change(context.Background(), appID, uuid, func(u *user.User) (audit.Event, error) {
		change(u)
		return e.event("user.update"), nil
	})
}

// wantTaken wants a Conflict about one field.
func (e *Env) wantTaken(field string, err error) {
	e.Helper()
	e.wants(fault.Conflict, err)
	if f, _ := errors.AsType[*fault.Error](err); f.Field != field {
		e.Fatalf("the conflict is about %q, want %q", f.Field, field)
	}
}

func testUsers(e *Env) {
	ctx, users := e.Context(), e.DB.Users()
	_, err := users.Get(ctx, appID, ident.User())
	e.wants(fault.NotFound, err)
	u := e.user("Jos\u00e9@Example.com")
	u.EmailVerifiedAt, u.Inactive, u.PasswordHash = e.Now.Add(-time.Hour), true, "$argon2id$"
	u.Roles = []string{"clerk", "Head of <sales>"}
	u.Attributes = user.Attributes{
		"givenName": "José", "children": json.Number("12345678901234567890"), "subscribed": true,
		"primaryAddress": map[string]any{"city": "Straße"}, "photos": []any{map[string]any{"value": "x"}},
	}
	e.must(users.Create(ctx, u, e.event("user.create")))
	if u.Sequence == 0 || u.Revision != 1 {
		e.Fatalf("sequence %d, revision %d", u.Sequence, u.Revision)
	}
	got, err := users.Get(ctx, appID, u.UUID)
	e.must(err)
	e.same(got, u)
	// The same address in another case, and decomposed.
	for _, email := range []string{"jos\u00e9@example.COM", "Jose\u0301@example.com"} {
		got, err = users.ByEmail(ctx, appID, email)
		e.must(err)
		e.same(got, u)
		e.wantTaken("email", users.Create(ctx, e.user(email), e.event("user.create")))
	}
	again := e.user("other@example.com")
	again.UUID = u.UUID
	e.wantTaken("uuid", users.Create(ctx, again, e.event("user.create")))

	for _, uuid := range []string{u.UUID + "x", "", "\x00", "\xff"} {
		_, err = users.Get(ctx, appID, uuid)
		e.wants(fault.NotFound, err)
	}
	_, err = users.Get(ctx, "other", u.UUID)
	e.wants(fault.NotFound, err)
	_, err = users.ByEmail(ctx, "other", u.Email)
	e.wants(fault.NotFound, err)
	elsewhere := e.user(u.Email)
	elsewhere.ApplicationID = "other"
	e.must(users.Create(ctx, elsewhere, e.event("user.create")))

	e.users("", "") // any number may have none
	_, err = users.ByEmail(ctx, appID, "")
	e.wants(fault.NotFound, err)
	e.same(e.actions(), []string{"user.create", "user.create", "user.create", "user.create"})
}

func testUserChange(e *Env) {
	ctx, users := e.Context(), e.DB.Users()
	list := e.users("a@example.com", "b@example.com")
	a, b := list[0], list[1]
	_, err := e.changeUser(ident.User(), func(*user.User) {})
	e.wants(fault.NotFound, err)

	later := e.Now.Add(time.Minute)
	changed, err := e.changeUser(a.UUID, func(u *user.User) {
		u.Email, u.EmailVerifiedAt, u.Attributes, u.Roles = "c@example.com", later, user.Attributes{"displayName": "C"}, []string{"clerk"}
		u.Inactive, u.Era, u.PasswordHash, u.UpdatedAt = true, 7, "hash", later
		u.UUID, u.ApplicationID, u.Sequence, u.Revision, u.CreatedAt, u.LastSignedInAt = "x", "y", 9, 9, later, later
	})
	e.must(err)
	want := *a
	want.Email, want.EmailVerifiedAt, want.Attributes, want.Roles = "c@example.com", later, user.Attributes{"displayName": "C"}, []string{"clerk"}
	want.Inactive, want.Era, want.PasswordHash, want.UpdatedAt, want.Revision = true, 7, "hash", later, 2
	e.same(changed, &want)
	got, err := users.Get(ctx, appID, a.UUID)
	e.must(err)
	e.same(got, &want)
	_, err = users.ByEmail(ctx, appID, "a@example.com")
	e.wants(fault.NotFound, err)

	_, err = e.changeUser(b.UUID, func(u *user.User) { u.Email = "C@example.com" })
	e.wantTaken("email", err)
	_, err = e.changeUser(b.UUID, func(u *user.User) { u.Email = "B@Example.com" }) // its own, written otherwise
	e.must(err)
	_, err = users.Change(ctx, appID, b.UUID, func(u *user.User) (audit.Event, error) {
		u.Email = "d@example.com"
		return e.event("user.update"), errRefused
	})
	if !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	_, err = users.ByEmail(ctx, appID, "d@example.com")
	e.wants(fault.NotFound, err)

	const n = 32
	e.must(errors.Join(together(n, func(i int) error {
		_, err := e.changeUser(b.UUID, func(u *user.User) { u.Roles = append(u.Roles, fmt.Sprint("role", i)) })
		return err
	})...))
	got, err = users.Get(ctx, appID, b.UUID)
	e.must(err)
	if len(got.Roles) != n || got.Revision != n+2 {
		e.Fatalf("of %d changes %d are there, revision %d", n, len(got.Roles), got.Revision)
	}
}

func testUserEmailsContended(e *Env) {
	const n = 64
	errs := together(n, func(i int) error {
		email := "One@Example.com"
		if i%2 == 1 {
			email = strings.ToLower(email)
		}
		return e.DB.Users().Create(context.Background(), e.user(email), e.event("user.create"))
	})
	if taken, made := count(errs, fault.Conflict); made != 1 || taken != n-1 {
		e.Fatalf("%d users were made of one address and %d refused: %v", made, taken, errs)
	}
	e.same(e.actions(), []string{"user.create"})

	// Users that move to one address, and one that is made with it.
	movers := e.users("", "", "", "", "", "", "", "")
	errs = together(len(movers)+1, func(i int) error {
		if i == len(movers) {
			return e.DB.Users().Create(context.Background(), e.user("two@example.com"), e.event("user.create"))
		}
		_, err := e.changeUser(movers[i].UUID, func(u *user.User) { u.Email = "two@example.com" })
		return err
	})
	if taken, made := count(errs, fault.Conflict); made != 1 || taken != len(movers) {
		e.Fatalf("%d users have one address and %d were refused: %v", made, taken, errs)
	}
}

func testUserDelete(e *Env) {
	ctx, users := e.Context(), e.DB.Users()
	remove := func(uuid string, refusal error) error {
		return users.Delete(ctx, appID, uuid, func(*user.User) (audit.Event, error) { return e.event("user.delete"), refusal })
	}
	u := e.users("a@example.com")[0]
	if err := remove(u.UUID, errRefused); !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	_, err := users.Get(ctx, appID, u.UUID)
	e.must(err)
	e.must(remove(u.UUID, nil))
	e.wants(fault.NotFound, remove(u.UUID, nil))
	_, err = users.Get(ctx, appID, u.UUID)
	e.wants(fault.NotFound, err)
	e.users("A@example.com") // the address is free
	e.same(e.actions(), []string{"user.create", "user.delete", "user.create"})

	removed, err := users.RemoveRemains(ctx, e.Now, 100)
	e.must(err)
	if removed != 0 {
		e.Fatalf("%d rows were removed while requests may be under way", removed)
	}
	for _, want := range []int{1, 0} {
		removed, err = users.RemoveRemains(ctx, e.Now.Add(time.Hour), 100)
		e.must(err)
		if removed != want {
			e.Fatalf("%d rows were removed, want %d", removed, want)
		}
	}
}
