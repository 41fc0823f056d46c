package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

func TestFind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com")
	s, cookie := r.begun(u)
	found, who, err := r.sessions.Find(t.Context(), r.app, cookie)
	if err != nil || found.SID != s.SID || who.UUID != u.UUID || found.Address != "192.0.2.1" || found.UserAgent != "Browser/1" || found.AMR[0] != "pwd" {
		t.Fatalf("%+v, %v", found, err)
	}
	if strings.Contains(string(s.ID[:]), cookie) || len(cookie) != 43 {
		t.Error("the id tells the cookie")
	}
	before := r.db.Statements()
	for range 10 {
		if !r.live(cookie) {
			t.Fatal("gone")
		}
	}
	for _, noise := range []string{"", "x", cookie + "A", cookie[:42] + "\n", cookie[:41] + "A\n", strings.Repeat("=", 43)} {
		if r.live(noise) {
			t.Errorf("%q is a session", noise)
		}
	}
	if n := r.db.Statements() - before; n != 0 {
		t.Errorf("%d statements for what is remembered, and for noise", n)
	}
	other := *r.app
	other.ID = "other"
	if _, _, err := r.sessions.Find(t.Context(), &other, cookie); fault.KindOf(err) != fault.NotFound {
		t.Errorf("in another application: %v", err)
	}
}

// A session lives for its application's session_lifetime after the last proof; a
// setting that is made shorter acts on it.
func TestLifetime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com")
	s, cookie := r.begun(u)
	r.clock.Advance(59 * time.Minute)
	if !r.live(cookie) {
		t.Fatal("gone too early")
	}
	shorter := *r.app
	shorter.Settings.SessionLifetime = 59 * 60
	if _, _, err := r.sessions.Find(t.Context(), &shorter, cookie); err == nil {
		t.Error("a shorter setting does not act")
	}
	s, again, err := r.sessions.Again(t.Context(), source, r.app, s, u, session.SignIn{AMR: []string{"pwd", "otp"}, ACR: session.TwoFactors})
	if err != nil || s.ACR != session.TwoFactors || !s.AuthTime.Equal(r.clock.Now()) {
		t.Fatalf("%+v, %v", s, err)
	}
	if r.live(cookie) || !r.live(again) {
		t.Error("the cookie of before is good, or the new one is not")
	}
	r.clock.Advance(59 * time.Minute)
	if !r.live(again) {
		t.Error("a second proof did not make it live longer")
	}
	longer := *r.app
	longer.Settings.SessionLifetime = 7200
	r.clock.Advance(time.Minute)
	if _, _, err := r.sessions.Find(t.Context(), &longer, again); err == nil {
		t.Error("a longer setting acts on what is there")
	}
	if n, err := r.sessions.Sweep(t.Context(), 10); n != 1 || err != nil || r.ended != 1 {
		t.Errorf("%d swept, %d ended, %v", n, r.ended, err)
	}
}

// A shorter setting ends sessions by their rows too, so that it is told of.
func TestShorten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com")
	for range 3 {
		r.begun(u)
	}
	_, cookie := r.begun(u)
	r.clock.Advance(time.Minute)
	if !r.live(cookie) { // and is remembered
		t.Fatal("gone too early")
	}
	shorter := *r.app
	shorter.Settings.SessionLifetime = 59
	r.sessions.Shorten(&shorter)
	for range 3 {
		if _, err := r.sessions.Sweep(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := r.db.Sessions().List(t.Context(), r.app.ID, u.UUID); err != nil || len(list) > 0 || r.ended == 0 {
		t.Errorf("%d are left, %d times told, %v", len(list), r.ended, err)
	}
	if r.live(cookie) { // by the setting of before, which may come back
		t.Error("a session that ended is remembered")
	}
}

// A shorter setting that was taken back ends nothing, in whatever order the two
// are heard of.
func TestShortenTakenBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com")
	r.begun(u)
	r.clock.Advance(time.Minute)
	shorter, back := *r.app, *r.app
	shorter.Settings.SessionLifetime = 59
	shorter.Revision, back.Revision = 2, 3
	r.sessions.Shorten(&shorter)
	r.sessions.Shorten(&back)
	r.sessions.Shorten(&shorter)
	if _, err := r.sessions.Sweep(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if list, err := r.db.Sessions().List(t.Context(), r.app.ID, u.UUID); err != nil || len(list) != 1 {
		t.Errorf("%d are left, %v", len(list), err)
	}
}

// Whatever ends a session ends it at once, for who remembers it too.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(r *rig, u *user.User, s *session.Session) error{
		"logout": func(r *rig, _ *user.User, s *session.Session) error { return r.sessions.End(r.Context(), source, s) },
		"everywhere": func(r *rig, u *user.User, _ *session.Session) error {
			_, err := r.sessions.EndAll(r.Context(), source, r.app.ID, u.UUID, "")
			return err
		},
		"another password": func(r *rig, u *user.User, _ *session.Session) error {
			_, err := r.people.SetPassword(r.Context(), audit.System(), r.app.ID, u.UUID, "correct horse battery")
			return err
		},
		"deactivated": func(r *rig, u *user.User, _ *session.Session) error {
			_, err := r.people.SetActive(r.Context(), audit.System(), r.app.ID, u.UUID, false)
			return err
		},
		"deleted": func(r *rig, u *user.User, _ *session.Session) error {
			return r.people.Delete(r.Context(), audit.System(), r.app.ID, u.UUID, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			u, other := r.user("ann@example.com"), r.user("bob@example.com")
			s, cookie := r.begun(u)
			_, others := r.begun(other)
			if err := r.sessions.Join(t.Context(), s, "c1"); err != nil || !r.live(cookie) || !r.live(others) {
				t.Fatal(err)
			}
			if err := end(r, u, s); err != nil {
				t.Fatal(err)
			}
			if r.live(cookie) || !r.live(others) {
				t.Errorf("it lives: %v; that of another: %v", r.live(cookie), r.live(others))
			}
			due, err := r.db.Notices().Due(t.Context(), r.clock.Now(), 10)
			if err != nil || len(due) != 1 || due[0].SID != s.SID || due[0].ClientID != "c1" || due[0].UserID != u.UUID {
				t.Errorf("%+v, %v", due, err)
			}
			if err := r.sessions.Join(t.Context(), s, "c2"); fault.KindOf(err) != fault.NotFound {
				t.Errorf("joined: %v", err)
			}
			if err := r.sessions.End(t.Context(), source, s); err != nil {
				t.Errorf("ended twice: %v", err)
			}
		})
	}
}

func TestEndSID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u, other := r.user("ann@example.com"), r.user("bob@example.com")
	s, cookie := r.begun(u)
	if ok, err := r.sessions.EndSID(t.Context(), source, r.app.ID, other.UUID, s.SID); ok || err != nil || !r.live(cookie) {
		t.Errorf("somebody else ended it: %v, %v", ok, err)
	}
	if ok, err := r.sessions.EndSID(t.Context(), source, r.app.ID, u.UUID, s.SID); !ok || err != nil || r.live(cookie) || r.ended != 1 {
		t.Errorf("%v, %v, %d", ok, err, r.ended)
	}
	_, mine := r.begun(u)
	kept, _, err := r.sessions.Find(t.Context(), r.app, mine)
	if err != nil {
		t.Fatal(err)
	}
	_, gone := r.begun(u)
	if n, err := r.sessions.EndAll(t.Context(), source, r.app.ID, u.UUID, kept.SID); n != 1 || err != nil || !r.live(mine) || r.live(gone) {
		t.Errorf("%d, %v", n, err)
	}
}

// A client that is known to take part costs no write.
func TestJoinWritesOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, cookie := r.begun(r.user("ann@example.com"))
	for i := range 5 {
		s, _, err := r.sessions.Find(t.Context(), r.app, cookie)
		if err != nil {
			t.Fatal(err)
		}
		before := r.db.Statements()
		if err := r.sessions.Join(t.Context(), s, "c1"); err != nil {
			t.Fatal(err)
		}
		if n := r.db.Statements() - before; (n > 0) != (i == 0) {
			t.Errorf("%d: %d statements", i, n)
		}
	}
}

// When a session was seen is written every few minutes, many at once, and shown
// before it is written.
func TestSeen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com")
	s, cookie := r.begun(u)
	began := r.clock.Now()
	stored := func() time.Time {
		t.Helper()
		got, err := r.db.Sessions().Get(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.SeenAt
	}
	for _, step := range []struct {
		after time.Duration
		want  time.Time
	}{{4 * time.Minute, began}, {2 * time.Minute, began.Add(6 * time.Minute)}, {4 * time.Minute, began.Add(6 * time.Minute)}, {time.Minute, began.Add(11 * time.Minute)}} {
		r.clock.Advance(step.after)
		if !r.live(cookie) {
			t.Fatal("gone")
		}
		list, err := r.sessions.List(t.Context(), r.app, u.UUID)
		if err != nil || len(list) != 1 || !list[0].SeenAt.Equal(step.want) {
			t.Errorf("shown %+v, %v", list, err)
		}
		if err := r.sessions.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !stored().Equal(step.want) {
			t.Errorf("after %v: %v, want %v", step.after, stored(), step.want)
		}
	}
	before := r.db.Statements()
	if err := r.sessions.Flush(t.Context()); err != nil || r.db.Statements() != before {
		t.Errorf("nothing to write cost something: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com")
	first, _ := r.begun(u)
	r.clock.Advance(time.Minute)
	second, _ := r.begun(u)
	list, err := r.sessions.List(t.Context(), r.app, u.UUID)
	if err != nil || len(list) != 2 || list[0].SID != second.SID || list[1].SID != first.SID {
		t.Fatalf("%+v, %v", list, err)
	}
	r.clock.Advance(59 * time.Minute)
	list, err = r.sessions.List(t.Context(), r.app, u.UUID)
	if err != nil || len(list) != 1 {
		t.Errorf("one that expired is listed: %v, %v", len(list), err)
	}
}
