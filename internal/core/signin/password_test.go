package signin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

func TestPassword(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("Ann@Example.com", good)
	for _, email := range []string{"Ann@Example.com", " ann@example.COM "} {
		out, err := r.password(email, good, from(home))
		if err != nil {
			t.Fatal(err)
		}
		if !out.Done() || out.User.UUID != u.UUID || !slices.Equal(out.AMR, []string{"pwd"}) || out.ACR != session.OneFactor || out.Device == "" {
			t.Errorf("%s: %+v", email, out)
		}
	}
}

// Whatever is wrong, the answer is the same, and so is the work: one slow hash.
func TestFailuresAreAlike(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.user("ann@example.com", good)
	r.user("none@example.com", "")
	gone := r.user("gone@example.com", good)
	if _, err := r.records.SetActive(t.Context(), audit.System(), r.app.ID, gone.UUID, false); err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for i, c := range []struct{ email, password string }{
		{"ann@example.com", wrong},
		{"ann@example.com", ""},
		{"ann@example.com", strings.Repeat("x", 100_000)},
		{"none@example.com", good},
		{"none@example.com", ""},
		{"gone@example.com", good},
		{"gone@example.com", wrong},
		{"nobody@example.com", good},
		{"", good},
		{"nobody\x00@example.com", good},
		{strings.Repeat("x", 100_000), good},
		{"\xff", "\xff"},
	} {
		before := r.keys.Hashes()
		_, err := r.password(c.email, c.password, from(fmt.Sprintf("192.0.2.%d", i)))
		wants(t, fault.Denied, err)
		texts[err.Error()] = true
		if n := r.keys.Hashes() - before; n != 1 {
			t.Errorf("%d: %d slow hashes, want 1", i, n)
		}
	}
	if len(texts) != 1 {
		t.Errorf("different answers: %v", texts)
	}
}

// Throttled, too, nobody can tell whether there is an account.
func TestThrottledAlike(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.user("ann@example.com", good)
	run := func(email, network string) (list []bool) {
		for i := range 30 {
			_, err := r.password(email, wrong, from(fmt.Sprintf("%s.%d", network, i/3)))
			list = append(list, slow(err))
		}
		return list
	}
	if known, unknown := run("ann@example.com", "192.0.2"), run("bob@example.com", "198.51.100"); !slices.Equal(known, unknown) {
		t.Errorf("known:   %v\nunknown: %v", known, unknown)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.user("ann@example.com", good)
	// From one network: five, then one in half a minute.
	tries := func(email, address string, n int) (let int) {
		for range n {
			if _, err := r.password(email, wrong, from(address)); !slow(err) {
				let++
			}
		}
		return let
	}
	if n := tries("ann@example.com", home, 50); n != 5 {
		t.Errorf("%d guesses at once from one network", n)
	}
	if _, err := r.password("ann@example.com", good, from(home)); !slow(err) {
		t.Error("the right password told the guesser that it was right")
	}
	r.clock.Advance(30 * time.Second)
	if n := tries("Ann@example.com", home, 50); n != 1 {
		t.Errorf("%d guesses half a minute later", n)
	}
	// From many networks: 20 in all, then one in three minutes.
	n := 0
	for i := range 100 {
		n += tries("ann@example.com", fmt.Sprintf("2001:db8:0:%x::1", i), 1)
	}
	if n != 14 { // 6 were spent above, of which a sixth came back
		t.Errorf("%d guesses from many networks", n)
	}
	r.clock.Advance(24 * time.Hour)
	n = 0
	for i := range 100 {
		n += tries("ann@example.com", fmt.Sprintf("2001:db8:1:%x::1", i), 1)
	}
	if n != 20 {
		t.Errorf("%d guesses a day later", n)
	}
	// One network, many accounts.
	n = 0
	for i := range 100 {
		n += tries(fmt.Sprintf("u%d@example.com", i), "203.0.113.9", 1)
	}
	if n != 30 {
		t.Errorf("%d accounts tried from one network", n)
	}
}

// Guessing, from wherever, never shuts out who has a device or a network from
// which the account signed in before.
func TestOwnersAreNotLockedOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.user("ann@example.com", good)
	out, err := r.password("ann@example.com", good, from(home))
	if err != nil {
		t.Fatal(err)
	}
	guess := func() {
		for i := range 300 {
			_, _ = r.password("ann@example.com", wrong, from(fmt.Sprintf("198.51.100.%d", i%250)))
		}
	}
	guess()
	if _, err := r.password("ann@example.com", good, from("203.0.113.1")); !slow(err) {
		t.Errorf("from elsewhere: %v", err)
	}
	if _, err := r.password("ann@example.com", good, from(home)); err != nil {
		t.Errorf("from the known network: %v", err)
	}
	travelling := from("198.51.100.1") // where the guesser sits
	travelling.Device = out.Device
	if _, err := r.password("ann@example.com", good, travelling); err != nil {
		t.Errorf("from the known device: %v", err)
	}
	r.restart() // the networks are forgotten, what the device keeps is not
	guess()
	again, err := r.password("ann@example.com", good, travelling)
	if err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if again != nil && again.Device != "" {
		t.Error("what the device has was replaced although it is new")
	}
	// A device is slowed down, too, and is good for its user alone, for a time.
	for range 10 {
		_, err = r.password("ann@example.com", wrong, travelling)
		wants(t, fault.Denied, err)
	}
	if _, err := r.password("ann@example.com", good, travelling); !slow(err) {
		t.Errorf("a device that guesses: %v", err)
	}
	r.user("bob@example.com", good)
	for i := range 40 {
		_, _ = r.password("bob@example.com", wrong, from(fmt.Sprintf("198.51.100.%d", i)))
	}
	if _, err := r.password("bob@example.com", good, travelling); !slow(err) {
		t.Errorf("with the device of somebody else: %v", err)
	}
	r.clock.Advance(181 * 24 * time.Hour)
	late, err := r.password("ann@example.com", good, travelling)
	if err != nil || late.Device == "" {
		t.Errorf("a device that is forgotten gets another: %v", err)
	}
}

// Those who sign in rightly are never slowed down, however often.
func TestTheRightPasswordCostsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.user("ann@example.com", good)
	for range 100 {
		if _, err := r.password("ann@example.com", good, from(home)); err != nil {
			t.Fatal(err)
		}
	}
}

// A password that came with another program's hash is hashed anew when it is
// first right.
// What comes at once waits for what is under way: only what was wrong counts, and
// no more can be guessed at once than one after the other.
func TestManyAtOnce(t *testing.T) {
	r := newRig(t)
	r.user("ann@example.com", "correct horse battery")
	r.user("bob@example.com", "correct horse battery")
	const many = 40
	at := func(email, password string) (right, refused, slowed int) {
		outcomes := make(chan error, many)
		for range many {
			go func() {
				_, err := r.password(email, password, from(home))
				outcomes <- err
			}()
		}
		for range many {
			switch err := <-outcomes; {
			case err == nil:
				right++
			case slow(err):
				slowed++
			case fault.KindOf(err) == fault.Denied:
				refused++
			default:
				t.Fatal(err)
			}
		}
		return right, refused, slowed
	}
	if right, refused, slowed := at("ann@example.com", "correct horse battery"); right != many {
		t.Errorf("of the right password at once: %d right, %d refused, %d slowed down", right, refused, slowed)
	}
	if right, refused, slowed := at("bob@example.com", "wrong"); refused != 5 || slowed != many-5 {
		t.Errorf("of a wrong password at once: %d right, %d refused, %d slowed down", right, refused, slowed)
	}
}

func TestRehash(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", "")
	old, err := bcrypt.GenerateFromPassword([]byte(good), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.db.Users().Change(t.Context(), r.app.ID, u.UUID, func(u *user.User) (audit.Event, error) {
		u.PasswordHash = string(old)
		return audit.New(audit.System(), r.app.ID, "user.import", "x", r.clock.Now()), nil
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		out, err := r.password("ann@example.com", good, from(home))
		if err != nil || out.User.Era != u.Era {
			t.Fatal(err)
		}
	}
	after, err := r.users.Get(t.Context(), r.app.ID, u.UUID)
	if err != nil || !strings.HasPrefix(after.PasswordHash, "$argon2id$") || r.events("user.password.rehash") != 1 {
		t.Errorf("%v, %d events", err, r.events("user.password.rehash"))
	}
}

// Failures are counted; the audit log gets a handful, not one each.
func TestFailuresFillNoLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.user("ann@example.com", good)
	for i := range 60 {
		_, _ = r.password("ann@example.com", wrong, from(fmt.Sprintf("192.0.2.%d", i)))
		r.clock.Advance(6 * time.Minute)
	}
	_, _ = r.password("nobody@example.com", wrong, from(home))
	if n := r.events("user.signin"); n < 5 || n > 7 {
		t.Errorf("%d events in 6 hours of guessing", n)
	}
	if n := r.signin.Failed(); n != 61 {
		t.Errorf("%d failures counted", n)
	}
	list, _, err := r.db.Audit().Search(t.Context(), r.app.ID, audit.Filter{Action: "user.signin", Limit: 1})
	if err != nil || list[0].Outcome != audit.Refused || !strings.Contains(string(list[0].After), `"failures":1`) {
		t.Errorf("%+v %s %v", list, list[0].After, err)
	}
}
