package signin_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
)

// outbox is where mail arrives.
type outbox struct {
	to      []string
	letters []signin.Letter
	busy    int // times that it has no time yet
}

func (o *outbox) Send(_ context.Context, to, _, _ string) error {
	if o.busy > 0 {
		o.busy--
		return errors.New("451 busy")
	}
	o.to = append(o.to, to)
	return nil
}

// delivered does what was put off and gives the one letter that was sent by it;
// nil where none was.
func (r *rig) delivered() *signin.Letter {
	r.Helper()
	before := len(r.mail.letters)
	r.signin.Work(r.Context())
	switch len(r.mail.letters) - before {
	case 0:
		return nil
	case 1:
		if r.mail.to[len(r.mail.to)-1] != r.mail.letters[before].To {
			r.Fatal("sent to somebody else")
		}
		return &r.mail.letters[before]
	default:
		r.Fatalf("%d letters", len(r.mail.letters)-before)
		return nil
	}
}

func TestForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("Ann@Example.com", good)
	// The same answer, and nothing is looked up before it is given.
	for i, email := range []string{"ann@example.com", "nobody@example.com"} {
		before := r.db.Statements()
		if err := r.signin.Forgotten(r.app, signin.Asked{Email: email, Locale: "de", Request: "q"}, from(home)); err != nil {
			t.Fatal(err)
		}
		if n := r.db.Statements() - before; n != 0 {
			t.Errorf("%s: %d statements before the answer", email, n)
		}
		l := r.delivered()
		if (l != nil) != (i == 0) {
			t.Fatalf("%s: %+v", email, l)
		}
	}
	l := r.mail.letters[0]
	if l.Purpose != signin.ForReset || l.To != "Ann@Example.com" || l.Locale != "de" || l.Request != "q" || l.Token == "" {
		t.Errorf("%+v", l)
	}
	s, _, err := r.sessions.Begin(t.Context(), audit.Source{}, r.app, u, session.SignIn{ACR: session.OneFactor})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := r.signin.Link(t.Context(), r.app, l.Token)
	if err != nil || shown.UserID != u.UUID || shown.Request != "q" {
		t.Fatalf("%+v, %v", shown, err)
	}
	_, err = r.signin.Reset(t.Context(), audit.Source{}, r.app, l.Token, "short")
	wants(t, fault.Invalid, err)
	after, err := r.signin.Reset(t.Context(), audit.Source{}, r.app, l.Token, wrong)
	if err != nil || after.Era == u.Era || after.EmailVerifiedAt.IsZero() {
		t.Fatalf("%+v, %v", after, err)
	}
	if _, err := r.db.Sessions().Get(t.Context(), s.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a session outlived the password: %v", err)
	}
	_, err = r.signin.Reset(t.Context(), audit.Source{}, r.app, l.Token, good)
	wants(t, fault.NotFound, err)
	if _, err := r.password("ann@example.com", wrong, from(home)); err != nil {
		t.Error(err)
	}
	if _, err := r.password("ann@example.com", good, from(home)); fault.KindOf(err) != fault.Denied {
		t.Errorf("the old password: %v", err)
	}
}

// A link is good for its time, for its purpose, and until the password changed.
func TestLinksEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", good)
	token := func() string {
		t.Helper()
		text, _, err := r.signin.ResetLink(t.Context(), audit.System(), r.app, u)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	reset := func(text string) error {
		_, err := r.signin.Reset(t.Context(), audit.Source{}, r.app, text, good)
		return err
	}
	old := token()
	r.clock.Advance(24 * time.Hour)
	wants(t, fault.NotFound, reset(old))
	_, err := r.signin.Verify(t.Context(), audit.Source{}, r.app, token())
	wants(t, fault.NotFound, err)
	_, err = r.signin.Registered(t.Context(), r.app, token(), good, nil, from(home))
	wants(t, fault.NotFound, err)
	other := *r.app
	other.ID = "other"
	_, err = r.signin.Reset(t.Context(), audit.Source{}, &other, token(), good)
	wants(t, fault.NotFound, err)
	first, second := token(), token()
	if err := reset(first); err != nil {
		t.Fatal(err)
	}
	wants(t, fault.NotFound, reset(second))
	u, err = r.users.Get(t.Context(), r.app.ID, u.UUID)
	if err != nil || !u.EmailVerifiedAt.IsZero() {
		t.Errorf("a link that was brought verified an address: %v", err)
	}
	third := token()
	if _, err := r.records.SetActive(t.Context(), audit.System(), r.app.ID, u.UUID, false); err != nil {
		t.Fatal(err)
	}
	wants(t, fault.NotFound, reset(third))
	for _, text := range []string{"", "x", third + "=", third[:42] + "\n", third[:41] + "A\n"} {
		before := r.db.Statements()
		_, err := r.signin.Link(t.Context(), r.app, text)
		wants(t, fault.NotFound, err)
		if r.db.Statements() != before {
			t.Errorf("%q cost a look at the database", text)
		}
	}
	if n := r.events("user.reset_link"); n != 7 {
		t.Errorf("%d events of links", n)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	asked := signin.Asked{Email: " New@Example.com", Request: "q"}
	wants(t, fault.Conflict, r.signin.Register(r.app, asked, from(home)))
	r.app.Settings.Registration = true
	r.user("known@example.com", good)
	if err := r.signin.Register(r.app, signin.Asked{Email: "KNOWN@example.com"}, from(home)); err != nil {
		t.Fatal(err)
	}
	if l := r.delivered(); l == nil || !l.Known || l.Token != "" || l.To != "known@example.com" {
		t.Errorf("who has an account is told %+v", l)
	}
	if err := r.signin.Register(r.app, asked, from(home)); err != nil {
		t.Fatal(err)
	}
	l := r.delivered()
	if l == nil || l.Known || l.To != "New@Example.com" {
		t.Fatalf("%+v", l)
	}
	_, err := r.signin.Registered(t.Context(), r.app, l.Token, "short", nil, from(home))
	wants(t, fault.Invalid, err)
	_, err = r.signin.Registered(t.Context(), r.app, l.Token, good, map[string]any{"no such": 1}, from(home))
	wants(t, fault.Invalid, err)
	out, err := r.signin.Registered(t.Context(), r.app, l.Token, good, map[string]any{"displayName": "Ann"}, from(home))
	if err != nil || !out.Done() || out.User.EmailVerifiedAt.IsZero() || out.User.Email != "New@Example.com" {
		t.Fatalf("%+v, %v", out, err)
	}
	_, err = r.signin.Registered(t.Context(), r.app, l.Token, good, nil, from(home))
	wants(t, fault.NotFound, err)
	if _, err := r.password("new@example.com", good, from(home)); err != nil {
		t.Error(err)
	}
	// Two links for one address make one account.
	for range 2 {
		if err := r.signin.Register(r.app, signin.Asked{Email: "twice@example.com"}, from(home)); err != nil {
			t.Fatal(err)
		}
	}
	r.signin.Work(t.Context())
	n := len(r.mail.letters)
	if _, err := r.signin.Registered(t.Context(), r.app, r.mail.letters[n-2].Token, good, nil, from(home)); err != nil {
		t.Fatal(err)
	}
	_, err = r.signin.Registered(t.Context(), r.app, r.mail.letters[n-1].Token, good, nil, from(home))
	wants(t, fault.Conflict, err)
}

func TestVerifyEmail(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", good)
	for _, moved := range []bool{true, false} {
		if err := r.signin.SendVerification(r.app, u, "en", from(home)); err != nil {
			t.Fatal(err)
		}
		l := r.delivered()
		if moved {
			patch := []byte(`{"email": "new@example.com"}`)
			var err error
			if u, err = r.records.Patch(t.Context(), audit.System(), r.app.ID, u.UUID, patch, nil); err != nil {
				t.Fatal(err)
			}
		}
		after, err := r.signin.Verify(t.Context(), audit.Source{}, r.app, l.Token)
		if moved {
			wants(t, fault.NotFound, err)
			continue
		}
		if err != nil || after.EmailVerifiedAt.IsZero() || after.Era != u.Era {
			t.Errorf("%+v, %v", after, err)
		}
	}
	wants(t, fault.Conflict, r.signin.SendVerification(r.app, &user.User{}, "en", from(home)))
}

// Nobody's mailbox is filled, and nobody fills mailboxes.
func TestMailIsLimited(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.user("ann@example.com", good)
	sent := func(n int, email func(int) string, address func(int) string) (let int) {
		for i := range n {
			if err := r.signin.Forgotten(r.app, signin.Asked{Email: email(i)}, from(address(i))); !slow(err) {
				let++
			}
		}
		return let
	}
	ann := func(int) string { return "Ann@example.com" }
	if n := sent(20, ann, func(i int) string { return "192.0.2." + string(rune('1'+i%9)) }); n != 3 {
		t.Errorf("%d mails at once to one address", n)
	}
	r.signin.Work(t.Context())
	if n := len(r.mail.to); n != 3 {
		t.Errorf("%d mails sent", n)
	}
	many := func(i int) string { return "u" + string(rune('a'+i)) + "@example.com" }
	if n := sent(26, many, func(int) string { return "203.0.113.1" }); n != 10 {
		t.Errorf("%d mails at once for one network", n)
	}
	wants(t, fault.Invalid, r.signin.Forgotten(r.app, signin.Asked{Email: "nobody"}, from("203.0.113.2")))
}

func TestOwnPassword(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", good)
	begin := func() (*session.Session, string) {
		t.Helper()
		s, cookie, err := r.sessions.Begin(t.Context(), audit.Source{}, r.app, u, session.SignIn{AMR: []string{"pwd"}, ACR: session.OneFactor})
		if err != nil {
			t.Fatal(err)
		}
		return s, cookie
	}
	mine, cookie := begin()
	_, others := begin()
	change := func(old, password string) (*session.Session, string, error) {
		return r.signin.ChangePassword(t.Context(), r.app, mine, u, old, password, from(home))
	}
	_, _, err := change(wrong, "something else 7")
	wants(t, fault.Denied, err)
	_, _, err = change(good, "short")
	wants(t, fault.Invalid, err)
	after, again, err := change(good, "something else 7")
	if err != nil || after.SID != mine.SID || again == cookie {
		t.Fatalf("%+v, %v", after, err)
	}
	for text, want := range map[string]bool{cookie: false, others: false, again: true} {
		_, _, err := r.sessions.Find(t.Context(), r.app, text)
		if (err == nil) != want {
			t.Errorf("a session: %v, want %v", err, want)
		}
	}
	if _, err := r.password("ann@example.com", "something else 7", from(home)); err != nil {
		t.Error(err)
	}
	// Of two that change it at once, the second knows a password that is none.
	_, _, err = change("something else 7", good)
	wants(t, fault.Denied, err)
	if n := r.events("user.password"); n != 1 {
		t.Errorf("%d events", n)
	}
}
