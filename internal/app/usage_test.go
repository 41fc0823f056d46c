package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/servertest"
)

// user is a server whose owner gets tokens.
type user struct {
	*servertest.Server
	t *testing.T
}

func (u *user) token() {
	u.t.Helper()
	answer := u.Do(http.MethodPost, strings.TrimPrefix(u.Issuer, u.URL)+"/oauth2/token", u.OwnerID, url.QueryEscape(u.OwnerSecret),
		"application/x-www-form-urlencoded", "grant_type=client_credentials")
	if answer.StatusCode != http.StatusOK {
		u.t.Fatal(answer.Status)
	}
}

// issued gives how many tokens are known to have been issued, and when the
// client and its secret were last used.
func (u *user) issued() (n int64, last usage.Last) {
	u.t.Helper()
	c := u.owner()
	counts, err := u.App.Usage.Clients(u.t.Context(), c.Sequence, u.Clock.Now().Add(-24*time.Hour), u.Clock.Now())
	if err != nil {
		u.t.Fatal(err)
	}
	for _, c := range counts {
		n += c.N
	}
	all, err := u.App.Usage.Last(u.t.Context(), c.Sequence)
	if err != nil {
		u.t.Fatal(err)
	}
	return n, all[c.Sequence]
}

func (u *user) owner() *client.Client {
	u.t.Helper()
	c, err := u.App.Clients.Get(u.t.Context(), u.ApplicationID, u.OwnerID)
	if err != nil {
		u.t.Fatal(err)
	}
	return c
}

// A stop writes what was counted to the last request.
func TestAStopLosesNoCount(t *testing.T) {
	u := &user{servertest.Start(t, servertest.Options{}), t}
	for range 3 {
		u.token()
		u.Clock.Advance(time.Second)
	}
	used := u.Clock.Now().Add(-time.Second)
	u.Restart()
	n, last := u.issued()
	if n != 3 || !last.Client.Equal(used) || !last.Secrets[u.owner().Secrets[0].ID].Equal(used) {
		t.Errorf("%d issued, last used %+v, want 3 and %v", n, last, used)
	}
}

// A crash loses what came since the last writing, and nothing before it.
func TestACrashLosesSeconds(t *testing.T) {
	u := &user{servertest.Start(t, servertest.Options{}), t}
	u.token()
	u.token()
	used := u.Clock.Now()
	if err := u.App.Usage.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	u.Clock.Advance(4 * time.Second)
	u.token()
	if err := u.App.Store.Close(); err != nil { // nothing is written after this, as in a crash
		t.Fatal(err)
	}
	u.Restart()
	if n, last := u.issued(); n != 2 || !last.Client.Equal(used) {
		t.Errorf("%d issued, last used %v, want 2 and %v", n, last.Client, used)
	}
	u.token()
	if err := u.App.Usage.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _ := u.issued(); n != 3 {
		t.Errorf("%d issued after the restart, want 3", n)
	}
}

// Counts are kept for 90 days.
func TestOldCountsAreSwept(t *testing.T) {
	u := &user{servertest.Start(t, servertest.Options{}), t}
	u.token()
	if err := u.App.Usage.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := func() int {
		t.Helper()
		hour := usage.HourOf(u.Clock.Now())
		counts, err := u.App.Store.Usage().Clients(t.Context(), u.owner().Sequence, hour-100*24, hour, usage.Hourly)
		if err != nil {
			t.Fatal(err)
		}
		return len(counts)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{usage.Kept - time.Hour, 1}, {2 * time.Hour, 0}} {
		u.Clock.Advance(step.after)
		if _, err := u.App.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := left(); n != step.want {
			t.Errorf("%d left, want %d", n, step.want)
		}
	}
}
