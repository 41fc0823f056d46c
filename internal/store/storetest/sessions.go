package storetest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

// ofUsers is what is kept of users beside their records.
var ofUsers = []test{
	{"Sessions", testSessions},
	{"SessionsOfWhoMayNot", testSessionsOfWhoMayNot},
	{"SessionEnd", testSessionEnd},
	{"SessionEndings", testSessionEndings},
	{"SessionContended", testSessionContended},
	{"SessionsContended", testSessionsContended},
	{"SessionsShortened", testSessionsShortened},
	{"Notices", testNotices},
	{"Consents", testConsents},
	{"ConsentList", testConsentList},
	{"ConsentsOfTheGone", testConsentsOfTheGone},
	{"ConsentsContended", testConsentsContended},
	{"Credentials", testCredentials},
	{"CredentialsContended", testCredentialsContended},
	{"Recovery", testRecovery},
	{"Links", testLinks},
	{"LinkRegister", testLinkRegister},
	{"OwnPassword", testOwnPassword},
}

// session makes a session of u that is not stored yet.
func (e *Env) session(u *user.User, signedIn time.Time) *session.Session {
	s := &session.Session{
		SID: ident.Record(), ApplicationID: appID, UserID: u.UUID, UserEra: u.Era, AuthTime: signedIn, AMR: []string{"pwd", "otp"}, ACR: session.TwoFactors,
		CreatedAt: signedIn, SeenAt: signedIn, ExpiresAt: signedIn.Add(time.Hour), Address: "192.0.2.7", UserAgent: "Browser/1 (é)",
	}
	_, _ = rand.Read(s.ID[:])
	return s
}

// begun stores a session in which clients took part.
func (e *Env) begun(u *user.User, signedIn time.Time, clients ...string) *session.Session {
	e.Helper()
	s := e.session(u, signedIn)
	_, err := e.DB.Sessions().Begin(e.Context(), s, e.event("session.begin"))
	e.must(err)
	for _, c := range clients {
		e.must(e.DB.Sessions().Join(e.Context(), s, c))
	}
	s.Clients = clients
	return s
}

// sids gives the sessions that a user has, sorted.
func (e *Env) sids(u *user.User) []string {
	e.Helper()
	list, err := e.DB.Sessions().List(e.Context(), appID, u.UUID)
	e.must(err)
	var sids []string
	for _, s := range list {
		sids = append(sids, s.SID)
	}
	slices.Sort(sids)
	return sids
}

// notices gives what is due by the time at, as "sid client".
func (e *Env) notices(at time.Time) []string {
	e.Helper()
	list, err := e.DB.Notices().Due(e.Context(), at, 1000)
	e.must(err)
	var texts []string
	for _, n := range list {
		texts = append(texts, n.SID+" "+n.ClientID)
	}
	slices.Sort(texts)
	return texts
}

func sorted(texts ...string) []string {
	slices.Sort(texts)
	return texts
}

func testSessions(e *Env) {
	ctx, sessions := e.Context(), e.DB.Sessions()
	u := e.users("a@example.com", "b@example.com")
	s := e.session(u[0], e.Now)
	_, err := sessions.Get(ctx, s.ID)
	e.wants(fault.NotFound, err)
	e.wants(fault.NotFound, sessions.Join(ctx, s, "c1"))
	s = e.begun(u[0], e.Now, "c2", "c1", "c2")
	s.Clients = []string{"c1", "c2"}
	got, err := sessions.Get(ctx, s.ID)
	e.must(err)
	e.same(got, s)
	dated, err := e.DB.Users().Get(ctx, appID, u[0].UUID)
	e.must(err)
	if !dated.LastSignedInAt.Equal(e.Now) {
		e.Fatalf("signed in last at %v", dated.LastSignedInAt)
	}

	after := *s
	_, _ = rand.Read(after.ID[:])
	after.AuthTime, after.ExpiresAt, after.AMR, after.ACR = e.Now.Add(time.Minute), e.Now.Add(2*time.Hour), []string{"hwk"}, "1"
	after.SeenAt, after.Address, after.UserAgent = e.Now.Add(time.Minute), "", "other"
	e.must(sessions.Renew(ctx, s.ID, &after, e.event("session.renew")))
	got, err = sessions.Get(ctx, after.ID)
	e.must(err)
	e.same(got, &after)
	_, err = sessions.Get(ctx, s.ID)
	e.wants(fault.NotFound, err)
	e.wants(fault.NotFound, sessions.Renew(ctx, s.ID, &after, e.event("session.renew")))

	later := e.Now.Add(time.Hour)
	e.must(sessions.Seen(ctx, map[string]time.Time{s.SID: later, "nobody": later}))
	e.must(sessions.Seen(ctx, map[string]time.Time{s.SID: e.Now}))
	got, err = sessions.Get(ctx, after.ID)
	e.must(err)
	if !got.SeenAt.Equal(later) {
		e.Fatalf("seen at %v, want the later time", got.SeenAt)
	}
	other, second := e.begun(u[1], e.Now), e.begun(u[0], e.Now.Add(time.Hour))
	list, err := sessions.List(ctx, appID, u[0].UUID)
	e.must(err)
	if len(list) != 2 || list[0].SID != second.SID || list[1].SID != s.SID || len(list[1].Clients) != 2 {
		e.Fatalf("not the user's sessions, the last first: %+v", list)
	}
	list, err = sessions.List(ctx, "other", u[0].UUID)
	e.must(err)
	e.same(len(list), 0)
	e.same(e.sids(u[1]), []string{other.SID})
	e.same(e.actions()[:4], []string{"session.begin", "session.begin", "session.renew", "session.begin"})
}

// testSessionsOfWhoMayNot: nobody signs in who was deactivated, deleted, or got
// another password while he did.
func testSessionsOfWhoMayNot(e *Env) {
	ctx, u := e.Context(), e.users("a@example.com", "b@example.com", "c@example.com")
	s := e.begun(u[0], e.Now)
	_, err := e.changeUser(u[0].UUID, func(u *user.User) { u.Era++ })
	e.must(err)
	_, err = e.changeUser(u[1].UUID, func(u *user.User) { u.Inactive = true })
	e.must(err)
	e.must(e.deleteUser(u[2].UUID))
	for i, u := range u {
		if _, err := e.DB.Sessions().Begin(ctx, e.session(u, e.Now), e.event("session.begin")); fault.KindOf(err) != fault.NotFound {
			e.Fatalf("%d: %v", i, err)
		}
	}
	e.wants(fault.NotFound, e.DB.Sessions().Renew(ctx, s.ID, s, e.event("session.renew")))
	e.same(len(e.sids(u[0])), 0)
}

func testSessionEnd(e *Env) {
	ctx, sessions := e.Context(), e.DB.Sessions()
	u := e.users("a@example.com", "b@example.com")
	one := e.begun(u[0], e.Now, "c1", "c2")
	for _, wrong := range [][3]string{{"other", "", one.SID}, {appID, u[1].UUID, one.SID}, {appID, "", "nobody"}, {appID, "", "a\x00"}} {
		_, ok, err := sessions.End(ctx, wrong[0], wrong[1], wrong[2], e.event("session.end"))
		e.must(err)
		if ok {
			e.Fatalf("%q ended something", wrong)
		}
	}
	ended, ok, err := sessions.End(ctx, appID, u[0].UUID, one.SID, e.event("session.end"))
	e.must(err)
	e.same(ended, session.Ended{ID: one.ID, SID: one.SID, UserID: u[0].UUID})
	_, again, err := sessions.End(ctx, appID, "", one.SID, e.event("session.end"))
	e.must(err)
	if !ok || again {
		e.Fatalf("ended: %v, once more: %v", ok, again)
	}
	e.wants(fault.NotFound, sessions.Join(ctx, one, "c3"))
	e.same(e.notices(e.Now), sorted(one.SID+" c1", one.SID+" c2"))
	e.same(e.actions()[:2], []string{"session.end", "session.begin"})

	kept, gone, others := e.begun(u[0], e.Now, "c1"), e.begun(u[0], e.Now, "c3"), e.begun(u[1], e.Now, "c1")
	list, err := sessions.EndAll(ctx, appID, u[0].UUID, kept.SID, func(list []session.Ended) (audit.Event, error) { return e.event(fmt.Sprint("ended ", len(list))), nil })
	e.must(err)
	e.same(list, []session.Ended{{ID: gone.ID, SID: gone.SID, UserID: u[0].UUID}})
	_, err = sessions.EndAll(ctx, appID, u[0].UUID, "", func([]session.Ended) (audit.Event, error) { return e.event("refused"), errRefused })
	if !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	e.same(e.sids(u[0]), []string{kept.SID})
	e.same(e.sids(u[1]), []string{others.SID})
	e.same(e.notices(e.Now), sorted(one.SID+" c1", one.SID+" c2", gone.SID+" c3"))
	list, err = sessions.EndAll(ctx, appID, u[0].UUID, kept.SID, func([]session.Ended) (audit.Event, error) { return e.event("none"), nil })
	e.must(err)
	e.same(len(list), 0)
	e.same(e.actions()[0], "ended 1")
}

// testSessionEndings: whichever way a session ends, there are notices.
func testSessionEndings(e *Env) {
	ctx, sessions := e.Context(), e.DB.Sessions()
	u := e.users("a@example.com", "b@example.com", "c@example.com")
	changed, deleted, expired := e.begun(u[0], e.Now, "c"), e.begun(u[1], e.Now, "c"), e.begun(u[2], e.Now, "c")
	live := e.begun(u[2], e.Now.Add(time.Microsecond), "c")
	_, err := e.changeUser(u[0].UUID, func(u *user.User) { u.Roles = []string{"clerk"} })
	e.must(err)
	e.same(len(e.notices(e.Now)), 0)
	_, err = e.changeUser(u[0].UUID, func(u *user.User) { u.Era++ })
	e.must(err)
	e.must(e.deleteUser(u[1].UUID))
	n, err := sessions.RemoveExpired(ctx, expired.ExpiresAt, 10)
	e.must(err)
	e.same(n, 1)
	at := e.Now.Add(2 * time.Hour)
	e.same(e.notices(at), sorted(changed.SID+" c", deleted.SID+" c", expired.SID+" c"))
	e.same(e.sids(u[2]), []string{live.SID})
	n, err = sessions.RemoveExpired(ctx, at, 10)
	e.must(err)
	e.same(n, 1)
	n, err = sessions.RemoveExpired(ctx, at, 10)
	e.must(err)
	e.same(n, 0)

	for i := range session.MaxSessions {
		e.begun(u[2], e.Now.Add(time.Duration(i+1)*time.Second))
	}
	one := e.session(u[2], e.Now.Add(time.Hour))
	ended, err := sessions.Begin(ctx, one, e.event("session.begin"))
	e.must(err)
	if len(ended) != 1 || len(e.sids(u[2])) != session.MaxSessions {
		e.Fatalf("%d ended, %d are there", len(ended), len(e.sids(u[2])))
	}
	list, err := sessions.List(ctx, appID, u[2].UUID)
	e.must(err)
	if !list[len(list)-1].AuthTime.Equal(e.Now.Add(2 * time.Second)) {
		e.Fatal("it was not the oldest that ended")
	}
}

// testSessionsShortened: none lives longer than it is told to, whichever step it
// is in; one that would not is left alone.
func testSessionsShortened(e *Env) {
	ctx, sessions := e.Context(), e.DB.Sessions()
	var long []*session.Session
	u := e.users("a@example.com", "b@example.com")
	for i := range 7 {
		long = append(long, e.begun(u[i%2], e.Now.Add(time.Duration(i)*time.Second)))
	}
	short := e.session(u[0], e.Now)
	short.ExpiresAt = e.Now.Add(time.Minute)
	_, err := sessions.Begin(ctx, short, e.event("session.begin"))
	e.must(err)
	steps := 0
	for last, n := "", 2; n == 2; steps++ {
		last, n, err = sessions.Shorten(ctx, appID, time.Minute, last, 2)
		e.must(err)
	}
	e.same(steps, 4)
	for _, s := range append(long, short) {
		got, err := sessions.Get(ctx, s.ID)
		e.must(err)
		e.same(got.ExpiresAt, s.AuthTime.Add(time.Minute))
	}
	_, n, err := sessions.Shorten(ctx, "other", time.Second, "", 10)
	e.must(err)
	e.same(n, 0)
}

func testNotices(e *Env) {
	ctx, notices := e.Context(), e.DB.Notices()
	u := e.users("a@example.com")[0]
	s := e.begun(u, e.Now, "c1", "c2", "c3")
	_, _, err := e.DB.Sessions().End(ctx, appID, u.UUID, s.SID, e.event("session.end"))
	e.must(err)
	due, err := notices.Due(ctx, e.Now.Add(-time.Second), 10)
	e.must(err)
	e.same(len(due), 0)
	due, err = notices.Due(ctx, e.Now, 2)
	e.must(err)
	e.same(due, []session.Notice{
		{ApplicationID: appID, ClientID: "c1", UserID: u.UUID, SID: s.SID, EndedAt: e.Now, DueAt: e.Now},
		{ApplicationID: appID, ClientID: "c2", UserID: u.UUID, SID: s.SID, EndedAt: e.Now, DueAt: e.Now},
	})
	again := due[1]
	again.Attempts, again.DueAt = 1, e.Now.Add(time.Minute)
	e.must(notices.Settle(ctx, due[:1], []session.Notice{again}))
	e.Reopen()
	e.same(e.notices(e.Now), []string{s.SID + " c3"})
	e.same(e.notices(e.Now.Add(time.Minute)), sorted(s.SID+" c2", s.SID+" c3"))
	due, err = e.DB.Notices().Due(ctx, e.Now.Add(time.Hour), 10)
	e.must(err)
	slices.SortFunc(due, func(a, b session.Notice) int { return cmp.Compare(a.ClientID, b.ClientID) })
	e.same(due[0], again)
}

// testSessionContended: a session that ends while clients join it leaves a
// notice for each client that was told it joined.
func testSessionContended(e *Env) {
	u := e.users("a@example.com")[0]
	for round := range 10 {
		s := e.begun(u, e.Now)
		joined := make([]string, 8)
		errs := together(9, func(i int) error {
			if i == 8 {
				_, _, err := e.DB.Sessions().End(context.Background(), appID, u.UUID, s.SID, e.event("session.end"))
				return err
			}
			id := fmt.Sprintf("r%d-c%d", round, i)
			err := e.DB.Sessions().Join(context.Background(), s, id)
			if err == nil {
				joined[i] = s.SID + " " + id
			}
			return err
		})
		gone, _ := count(errs, fault.NotFound)
		joined = slices.DeleteFunc(joined, func(text string) bool { return text == "" })
		if len(joined) != 8-gone {
			e.Fatal(errs)
		}
		due, err := e.DB.Notices().Due(e.Context(), e.Now, 1000)
		e.must(err)
		e.same(len(due), len(joined))
		e.must(e.DB.Notices().Settle(e.Context(), due, nil))
	}
}

// testSessionsContended: whatever changes many sessions at once, in whatever
// order, each ends once.
func testSessionsContended(e *Env) {
	ctx, store := context.Background(), e.DB.Sessions()
	u := e.users("a@example.com")[0]
	for range 5 {
		seen := make(map[string]time.Time)
		for range 20 {
			seen[e.begun(u, e.Now).SID] = e.Now.Add(time.Second)
		}
		var ended, expired atomic.Int64
		e.must(errors.Join(together(6, func(i int) error {
			switch i {
			case 0, 1:
				return store.Seen(ctx, seen)
			case 2:
				_, _, err := store.Shorten(ctx, appID, time.Minute, "", 100)
				return err
			case 3:
				n, err := store.RemoveExpired(ctx, e.Now.Add(2*time.Hour), 100)
				expired.Add(int64(n))
				return err
			default:
				list, err := store.EndAll(ctx, appID, u.UUID, "", func([]session.Ended) (audit.Event, error) { return e.event("session.end"), nil })
				ended.Add(int64(len(list)))
				return err
			}
		})...))
		e.same(ended.Load()+expired.Load(), int64(len(seen)))
	}
}

func (e *Env) deleteUser(uuid string) error {
	return e.DB.Users().Delete(context.Background(), appID, uuid, func(*user.User) (audit.Event, error) { return e.event("user.delete"), nil })
}
