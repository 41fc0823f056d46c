package protocol_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/usage"
)

func limited(s ratelimit.Setting) func(*client.Client) {
	return func(c *client.Client) { c.Settings.RateLimit = s }
}

// A rate holds for all that a client asks, and for nobody else; it is looked at
// once the client is known, so that nobody uses up what is another's.
func TestRateLimit(t *testing.T) {
	r := newRig(t, throttle(100, 100))
	c, other := r.client(limited(ratelimit.Setting{PerSecond: 2, Burst: 3})), r.client()
	text := r.mint(other, "")
	for range 5 {
		r.tokenBy("basic", creds{c.id, "wrong"}, "").wantError(t, "a wrong secret", 401, "invalid_client")
	}
	r.tokenBy("basic", c, "scope=unknown").wantStatus(t, "refused, and counted", 400)
	r.introspect(c, text).wantStatus(t, "introspection", 200)
	r.revoke(c, text).wantStatus(t, "revocation", 200)
	for name, a := range map[string]answer{
		"token": r.tokenBy("post", c, ""), "introspection": r.introspect(c, text), "revocation": r.revoke(c, text),
	} {
		a.wantError(t, name, http.StatusTooManyRequests, "slow_down")
		if got := a.header.Get("Retry-After"); got != "1" { // half a second, in whole ones
			t.Errorf("%s: Retry-After %q", name, got)
		}
	}
	r.mint(other, "")
	r.clock.Advance(500 * time.Millisecond)
	r.mint(c, "")
	r.tokenBy("basic", c, "").wantError(t, "the next", http.StatusTooManyRequests, "slow_down")
}

// What a client used of its day outlives a restart.
func TestDailyQuota(t *testing.T) {
	r := newRig(t)
	c := r.client(limited(ratelimit.Setting{PerDay: 3}))
	r.mint(c, "")
	r.mint(c, "")
	if err := r.parts.Usage.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.restart()
	r.mint(c, "")
	a := r.tokenBy("basic", c, "")
	a.wantError(t, "the fourth", http.StatusTooManyRequests, "slow_down")
	if got := a.header.Get("Retry-After"); got != "68033" { // from 05:06:07.89 to midnight, UTC
		t.Errorf("Retry-After %q", got)
	}
	r.clock.Advance(19 * time.Hour)
	r.mint(c, "")
}

// A daily count that cannot be read is no leave to go on.
func TestQuotaWithoutDatabase(t *testing.T) {
	r := newRig(t)
	c := r.client(limited(ratelimit.Setting{PerDay: 3}), opaque)
	r.introspect(c, "noise").wantStatus(t, "introspection", 200)
	r.restart()
	if _, err := r.parts.Clients.Get(t.Context(), r.app, c.id); err != nil { // in memory, as is the application
		t.Fatal(err)
	}
	if _, err := r.parts.Applications.Get(t.Context(), r.app); err != nil {
		t.Fatal(err)
	}
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	if a := r.introspect(c, "noise"); a.status < 500 {
		t.Errorf("without a database: %d %s", a.status, a.text)
	}
}

// Everything that becomes of a request is counted once: for the client where it
// is known, and in the sum of the application; what the metrics show adds up to
// the same.
func TestUsageIsCounted(t *testing.T) {
	r := newRig(t, throttle(100, 100))
	c := r.client(scoped("a"))
	elsewhere := r.client(func(c *client.Client) { c.Settings.AllowedIPs = []string{"198.51.100.0/24"} })
	asleep := r.client(func(c *client.Client) { c.Inactive = true })
	text := r.mint(c, "scope=a")
	r.mint(c, "scope=a")
	r.introspect(c, text)
	r.revoke(c, text)
	r.introspect(c, "")
	r.tokenBy("basic", c, "scope=b")
	r.tokenBy("basic", c, "")
	r.tokenBy("basic", creds{c.id, "wrong"}, "")
	r.tokenBy("basic", creds{"nobody", "wrong"}, "")
	r.tokenBy("basic", elsewhere, "")
	r.introspect(elsewhere, text)
	r.tokenBy("basic", asleep, "")
	r.post(r.path("/oauth2/token"), "grant_type=made_up", http.Header{"Authorization": {c.basic()}})
	r.post(r.path("/oauth2/token"), "", http.Header{"Content-Type": {"text/plain"}})
	r.in("nowhere").tokenBy("basic", c, "")
	if err := r.parts.Usage.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		of   string // client or, where it is the application or "", that
		want map[string]int64
	}{
		{"the client", c.id, map[string]int64{
			"client_credentials": 2, "client_credentials invalid_scope": 2, "client_credentials invalid_client": 1,
			"introspection invalid_request": 1, "other unsupported_grant_type": 1,
		}},
		{"of a refused address", elsewhere.id, map[string]int64{"client_credentials access_denied": 1, "introspection access_denied": 1}},
		{"inactive", asleep.id, map[string]int64{"client_credentials invalid_client": 1}},
		{"the application", r.app, map[string]int64{
			"client_credentials": 2, "client_credentials invalid_scope": 2, "client_credentials invalid_client": 3,
			"client_credentials access_denied": 1, "introspection access_denied": 1, "introspection invalid_request": 1, "other unsupported_grant_type": 1,
		}},
		{"nowhere", "", map[string]int64{"other invalid_request": 1, "client_credentials invalid_client": 1}},
	} {
		if got := r.counted(test.of); !maps.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	shown := map[string]int64{}
	r.parts.Usage.Requests(func(k usage.Kind, reason usage.Reason, n uint64) {
		shown[label(k.String(), reason.String())] += int64(n)
	})
	sum := r.counted(r.app)
	for what, n := range r.counted("") {
		sum[what] += n
	}
	if !maps.Equal(shown, sum) {
		t.Errorf("the metrics show %v, and counted is %v", shown, sum)
	}
}

func label(kind, reason string) string {
	if reason == "" {
		return kind
	}
	return kind + " " + reason
}

// counted gives what is written of a client, or of an application.
func (r *rig) counted(of string) map[string]int64 {
	r.t.Helper()
	from, until := r.clock.Now().Add(-time.Hour), r.clock.Now()
	var counts []usage.Count
	var err error
	if slices.Contains([]string{r.app, ""}, of) {
		counts, err = r.parts.Usage.Totals(r.t.Context(), of, from, until)
	} else {
		var c *client.Client
		if c, err = r.parts.Clients.Get(r.t.Context(), r.app, of); err == nil {
			counts, err = r.parts.Usage.Clients(r.t.Context(), c.Sequence, from, until)
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
	sum := map[string]int64{}
	for _, c := range counts {
		sum[label(c.Kind, c.Reason)] += c.N
	}
	return sum
}

// Which secret was the right one is known, also where the call is then refused;
// of a client that may do nothing more no use is noted.
func TestLastUse(t *testing.T) {
	r := newRig(t, throttle(100, 100))
	c, asleep := r.client(), r.client(func(c *client.Client) { c.Inactive = true })
	elsewhere := r.client(func(c *client.Client) { c.Settings.AllowedIPs = []string{"198.51.100.0/24"} })
	first := r.clock.Now()
	r.mint(c, "")
	fresh := r.replaceSecret(c, 24)
	r.clock.Advance(time.Minute)
	r.introspect(fresh, "noise").wantStatus(t, "introspection", 200)
	r.tokenBy("basic", creds{c.id, "wrong"}, "")
	r.tokenBy("basic", asleep, "")
	r.tokenBy("basic", elsewhere, "")
	last := func(id string) (usage.Last, *client.Client) {
		found, err := r.parts.Clients.Get(t.Context(), r.app, id)
		if err != nil {
			t.Fatal(err)
		}
		all, err := r.parts.Usage.Last(t.Context(), found.Sequence)
		if err != nil {
			t.Fatal(err)
		}
		return all[found.Sequence], found
	}
	used, of := last(c.id)
	if len(of.Secrets) != 2 || !used.Client.Equal(r.clock.Now().Truncate(time.Microsecond)) || !used.Secrets[of.Secrets[0].ID].Equal(first) || !used.Secrets[of.Secrets[1].ID].Equal(r.clock.Now()) {
		t.Errorf("used %+v", used)
	}
	if used, _ := last(asleep.id); !used.Client.IsZero() {
		t.Errorf("an inactive client was used %+v", used)
	}
	if used, _ := last(elsewhere.id); used.Client.IsZero() {
		t.Error("a right secret from a refused address is not noted")
	}
}
