package storetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
)

// credential makes a credential of u that is not stored yet.
func (e *Env) credential(u *user.User, kind signin.Kind, key string) *signin.Credential {
	c := &signin.Credential{
		ID: ident.Record(), ApplicationID: appID, UserID: u.UUID, Kind: kind, Label: "Phone", Data: []byte{0, 1, 255}, Counter: 7, CreatedAt: e.Now,
	}
	if key != "" {
		c.Key = []byte(key)
	}
	return c
}

func (e *Env) added(u *user.User, kind signin.Kind, key string, codes ...string) *signin.Credential {
	e.Helper()
	c := e.credential(u, kind, key)
	e.must(e.DB.Credentials().Add(e.Context(), c, digests(codes...), e.event("user.credential.add")))
	return c
}

func digests(codes ...string) (list []signin.RecoveryDigest) {
	for i, code := range codes {
		list = append(list, signin.RecoveryDigest{Digest: []byte(code), Key: int32(i)})
	}
	return list
}

func (e *Env) recovery(u *user.User) int {
	e.Helper()
	list, err := e.DB.Credentials().Recovery(e.Context(), appID, u.UUID)
	e.must(err)
	return len(list)
}

func testCredentials(e *Env) {
	ctx, credentials := e.Context(), e.DB.Credentials()
	u := e.users("a@example.com", "b@example.com")
	e.wants(fault.NotFound, credentials.Add(ctx, e.credential(&user.User{UUID: "nobody"}, signin.TOTP, ""), nil, e.event("x")))
	totp, passkey := e.added(u[0], signin.TOTP, "", "c1", "c2"), e.added(u[0], signin.Passkey, "key\x00\xff")
	e.added(u[1], signin.TOTP, "")
	list, err := credentials.List(ctx, appID, u[0].UUID)
	e.must(err)
	slices.SortFunc(list, func(a, b signin.Credential) int { return len(a.Key) - len(b.Key) })
	e.same(list, []signin.Credential{*totp, *passkey})
	got, err := credentials.ByKey(ctx, appID, passkey.Key)
	e.must(err)
	e.same(got, passkey)
	for _, key := range []string{"", "other"} {
		_, err = credentials.ByKey(ctx, appID, []byte(key))
		e.wants(fault.NotFound, err)
	}
	_, err = credentials.ByKey(ctx, "other", passkey.Key)
	e.wants(fault.NotFound, err)
	e.wants(fault.Conflict, credentials.Add(ctx, e.credential(u[1], signin.Passkey, string(passkey.Key)), nil, e.event("x")))

	for _, test := range []struct {
		counter int64
		want    bool
	}{{7, false}, {0, false}, {8, true}, {8, false}} {
		ok, err := credentials.Use(ctx, appID, totp.ID, test.counter, []byte("new"), e.Now.Add(time.Minute))
		e.must(err)
		if ok != test.want {
			e.Fatalf("counter %d: %v", test.counter, ok)
		}
	}
	list, err = credentials.List(ctx, appID, u[0].UUID)
	e.must(err)
	i := slices.IndexFunc(list, func(c signin.Credential) bool { return c.ID == totp.ID })
	totp.Counter, totp.Data, totp.UsedAt = 8, []byte("new"), e.Now.Add(time.Minute)
	e.same(list[i], *totp)

	e.wants(fault.NotFound, credentials.Remove(ctx, appID, u[1].UUID, totp.ID, e.event("x")))
	e.must(credentials.Remove(ctx, appID, u[0].UUID, passkey.ID, e.event("user.credential.remove")))
	e.same(e.recovery(u[0]), 2)
	e.must(credentials.Remove(ctx, appID, u[0].UUID, totp.ID, e.event("user.credential.remove")))
	e.same(e.recovery(u[0]), 0)
	e.wants(fault.NotFound, credentials.Remove(ctx, appID, u[0].UUID, totp.ID, e.event("x")))
	e.same(e.actions()[:3], []string{"user.credential.remove", "user.credential.remove", "user.credential.add"})
}

// testCredentialsContended: of many uses of one code one is let through, and
// nobody gets more credentials than there may be.
func testCredentialsContended(e *Env) {
	u := e.users("a@example.com")[0]
	totp := e.added(u, signin.TOTP, "", "code")
	taken, used := make([]bool, 8), make([]bool, 8)
	for i, err := range together(8, func(i int) (err error) {
		if taken[i], err = e.DB.Credentials().TakeRecovery(context.Background(), appID, u.UUID, digests("code")[0], e.event("user.recovery")); err != nil {
			return err
		}
		used[i], err = e.DB.Credentials().Use(context.Background(), appID, totp.ID, 8, nil, e.Now)
		return err
	}) {
		if err != nil {
			e.Fatal(i, err)
		}
	}
	if !once(taken) || !once(used) {
		e.Fatalf("taken %v, used %v", taken, used)
	}
	errs := together(signin.MaxCredentials+3, func(i int) error {
		return e.DB.Credentials().Add(context.Background(), e.credential(u, signin.Passkey, fmt.Sprint("key", i)), nil, e.event("user.credential.add"))
	})
	if full, added := count(errs, fault.Conflict); full != 4 || added != signin.MaxCredentials-1 {
		e.Fatalf("%d added, %d refused: %v", added, full, errs)
	}
	e.must(e.deleteUser(u.UUID))
	list, err := e.DB.Credentials().List(e.Context(), appID, u.UUID)
	e.must(err)
	e.same(len(list), 0)
}

func once(list []bool) bool {
	n := 0
	for _, v := range list {
		if v {
			n++
		}
	}
	return n == 1
}

func testRecovery(e *Env) {
	ctx, credentials := e.Context(), e.DB.Credentials()
	u := e.users("a@example.com", "b@example.com")
	e.must(credentials.SetRecovery(ctx, appID, u[0].UUID, digests("a", "b"), e.event("user.recovery.set")))
	e.must(credentials.SetRecovery(ctx, appID, u[0].UUID, digests("c", "d", "e"), e.event("user.recovery.set")))
	e.must(credentials.SetRecovery(ctx, appID, u[1].UUID, digests("c"), e.event("user.recovery.set")))
	list, err := credentials.Recovery(ctx, appID, u[0].UUID)
	e.must(err)
	e.same(list, digests("c", "d", "e"))
	for _, test := range []struct {
		code string
		want bool
	}{{"a", false}, {"d", true}, {"d", false}, {"c", true}} {
		ok, err := credentials.TakeRecovery(ctx, appID, u[0].UUID, digests(test.code)[0], e.event("user.recovery.use"))
		e.must(err)
		if ok != test.want {
			e.Fatalf("%s: %v", test.code, ok)
		}
	}
	e.same([]int{e.recovery(u[0]), e.recovery(u[1])}, []int{1, 1})
	e.same(e.actions()[:3], []string{"user.recovery.use", "user.recovery.use", "user.recovery.set"})
}

// link stores a link of u, or of nobody.
func (e *Env) link(token byte, u *user.User) *signin.Link {
	e.Helper()
	l := &signin.Link{
		Digest: [32]byte{token, 255}, ApplicationID: appID, Purpose: signin.ForRegister, Email: "new@example.com", Request: "r", ExpiresAt: e.Now.Add(time.Hour),
	}
	if u != nil {
		l.Purpose, l.UserID, l.UserEra, l.Email = signin.ForReset, u.UUID, u.Era, u.Email
	}
	e.must(e.DB.Links().Put(e.Context(), l, nil))
	return l
}

func testLinks(e *Env) {
	ctx, links := e.Context(), e.DB.Links()
	u := e.users("a@example.com", "b@example.com")
	l, other, nobodys := e.link(1, u[0]), e.link(2, u[1]), e.link(3, nil)
	for _, want := range []*signin.Link{l, other, nobodys} {
		got, err := links.Get(ctx, appID, want.Digest, e.Now)
		e.must(err)
		e.same(got, want)
	}
	for _, wrong := range []struct {
		app    string
		digest [32]byte
		now    time.Time
	}{{"other", l.Digest, e.Now}, {appID, [32]byte{9}, e.Now}, {appID, l.Digest, l.ExpiresAt}} {
		_, err := links.Get(ctx, wrong.app, wrong.digest, wrong.now)
		e.wants(fault.NotFound, err)
		_, err = links.Redeem(ctx, wrong.app, wrong.digest, wrong.now, newPassword(e))
		e.wants(fault.NotFound, err)
	}
	// Refused, the link stays; used, it is gone, and so are the user's sessions.
	_, err := links.Redeem(ctx, appID, l.Digest, e.Now, func(*user.User) (audit.Event, error) { return audit.Event{}, errRefused })
	if err == nil {
		e.Fatal("not refused")
	}
	e.begun(u[0], e.Now)
	second := e.link(4, u[0])
	after, err := links.Redeem(ctx, appID, l.Digest, e.Now, newPassword(e))
	e.must(err)
	if after.PasswordHash != "new" || len(e.sids(u[0])) != 0 {
		e.Fatalf("%+v", after)
	}
	for _, dead := range []*signin.Link{l, second} { // the second by the password's change
		_, err := links.Redeem(ctx, appID, dead.Digest, e.Now, newPassword(e))
		e.wants(fault.NotFound, err)
	}
	errs := together(8, func(int) error {
		_, err := links.Redeem(context.Background(), appID, other.Digest, e.Now, newPassword(e))
		return err
	})
	if gone, done := count(errs, fault.NotFound); done != 1 || gone != 7 {
		e.Fatalf("one link was used %d times: %v", done, errs)
	}
	n, err := links.RemoveExpired(ctx, nobodys.ExpiresAt.Add(-time.Second), 10)
	e.must(err)
	e.same(n, 0)
	n, err = links.RemoveExpired(ctx, nobodys.ExpiresAt, 10)
	e.must(err)
	e.same(n, 2) // nobody's, and the dead one
}

func newPassword(e *Env) func(*user.User) (audit.Event, error) {
	return func(u *user.User) (audit.Event, error) {
		u.PasswordHash = "new"
		u.Era++
		return e.event("user.password"), nil
	}
}

func testLinkRegister(e *Env) {
	ctx, links := e.Context(), e.DB.Links()
	e.users("taken@example.com")
	l := e.link(1, nil)
	e.wants(fault.Conflict, links.Register(ctx, l.Digest, e.Now, e.user("Taken@example.com"), e.event("user.create")))
	u := e.user("new@example.com")
	e.must(links.Register(ctx, l.Digest, e.Now, u, e.event("user.create")))
	got, err := e.DB.Users().Get(ctx, appID, u.UUID)
	e.must(err)
	e.same(got, u)
	e.wants(fault.NotFound, links.Register(ctx, l.Digest, e.Now, e.user("third@example.com"), e.event("user.create")))
	e.same(e.actions()[:2], []string{"user.create", "user.create"})
}

func testOwnPassword(e *Env) {
	ctx := e.Context()
	u := e.users("a@example.com")[0]
	mine, other := e.begun(u, e.Now, "c1"), e.begun(u, e.Now, "c2")
	after := *mine
	after.ID = [32]byte{1}
	changed, err := e.DB.Links().ChangePassword(ctx, mine.ID, &after, newPassword(e))
	e.must(err)
	e.same(e.sids(u), []string{mine.SID})
	e.same(e.notices(e.Now), []string{other.SID + " c2"})
	got, err := e.DB.Sessions().Get(ctx, after.ID)
	e.must(err)
	if got.UserEra != changed.Era || changed.Era == u.Era {
		e.Fatalf("the session has era %d, the user %d", got.UserEra, changed.Era)
	}
	_, err = e.DB.Sessions().Get(ctx, mine.ID)
	e.wants(fault.NotFound, err)
	_, err = e.DB.Links().ChangePassword(ctx, mine.ID, &after, newPassword(e))
	e.wants(fault.NotFound, err)
	same, err := e.DB.Users().Get(ctx, appID, u.UUID)
	e.must(err)
	e.same(same, changed)
}
