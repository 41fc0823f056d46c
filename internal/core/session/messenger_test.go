package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/redirect"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

// poster posts for real.
type poster struct{}

func (poster) Post(ctx context.Context, target string, form url.Values) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, nil)
	if err != nil {
		return 0, err
	}
	r.URL.RawQuery = form.Encode()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// club is a messenger, and clients that listen.
type club struct {
	*rig
	signers   *key.Signers
	messenger *session.Messenger
	served    *httptest.Server

	mu       sync.Mutex
	tokens   map[string][]string // by the path that they were posted to
	statuses map[string]int      // by path; 200 where there is none
	heard    chan string         // paths
}

func newClub(t *testing.T) *club {
	t.Helper()
	c := &club{rig: newRig(t), tokens: map[string][]string{}, statuses: map[string]int{}, heard: make(chan string, 100)}
	keys := temporary.Ring(t, c.db, c.clock.Now)
	c.signers = key.NewSigners(c.db.Keys(), keys, c.clock.Now, key.DefaultSchedule)
	c.served = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.heard <- r.URL.Path
		c.tokens[r.URL.Path] = append(c.tokens[r.URL.Path], r.FormValue("logout_token"))
		if status := c.statuses[r.URL.Path]; status != 0 {
			w.WriteHeader(status)
		}
	}))
	t.Cleanup(c.served.Close)
	found := &instance.Foundation{
		Instance:      instance.Instance{DefaultApplication: c.app.ID, PublicURL: "https://id.example.com", FoundedAt: c.clock.Now()},
		Application:   *c.app,
		Owner:         *c.client("owner", redirect.Setting{}),
		Administrator: administrator.First("a@example.com", "none", c.clock.Now()),
	}
	if err := c.db.Instance().Found(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	c.messenger = c.fresh()
	return c
}

// fresh is a messenger that remembers nothing.
func (c *club) fresh() *session.Messenger {
	return session.NewMessenger(session.MessengerDeps{
		Notices: c.db.Notices(), Applications: application.NewRegistry(c.db.Applications(), 1<<20),
		Clients: client.NewRegistry(c.db.Clients(), nil, c.clock.Now, 1<<20), Signers: c.signers, Poster: poster{},
		Issuer: func(id string) string { return "https://id.example.com/" + id }, Now: c.clock.Now,
	})
}

func (c *club) client(id string, to redirect.Setting) *client.Client {
	return &client.Client{
		ApplicationID: c.app.ID, ID: id, Name: id, Kind: client.Web, Era: 1, Settings: client.Settings{Redirect: to}, CreatedAt: c.clock.Now(), UpdatedAt: c.clock.Now(),
	}
}

// joined stores clients, each of which listens at a path of its name.
func (c *club) joined(in *session.Session, wantsSID bool, ids ...string) {
	c.Helper()
	for _, id := range ids {
		made := c.client(id, redirect.Setting{Backchannel: c.served.URL + "/" + id, BackchannelSession: wantsSID})
		if err := c.db.Clients().Create(c.Context(), made, client.NameAndVersion, audit.New(source, c.app.ID, "client.create", "x", c.clock.Now())); err != nil {
			c.Fatal(err)
		}
		if err := c.sessions.Join(c.Context(), in, id); err != nil {
			c.Fatal(err)
		}
	}
}

// delivered takes a turn, and says how many notices it took up.
func (c *club) delivered() int {
	c.Helper()
	n, err := c.messenger.Deliver(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	return n
}

func (c *club) posted(path string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tokens[path])
}

// verified checks a logout token as a client does (Back-Channel Logout §2.6),
// with a library of others.
func (c *club) verified(text string) map[string]any {
	c.Helper()
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		c.Fatal(err)
	}
	if typ := token.Headers[0].ExtraHeaders["typ"]; typ != "logout+jwt" {
		c.Errorf("typ %v", typ)
	}
	document, _, err := c.signers.JWKS(c.Context(), c.app.ID)
	if err != nil {
		c.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(document, &set); err != nil {
		c.Fatal(err)
	}
	var claims map[string]any
	var standard jwt.Claims
	if err := token.Claims(&set, &claims, &standard); err != nil {
		c.Fatal(err)
	}
	if err := standard.Validate(jwt.Expected{Issuer: "https://id.example.com/app", Time: c.clock.Now()}); err != nil {
		c.Error(err)
	}
	if standard.Expiry.Time().Sub(standard.IssuedAt.Time()) > 2*time.Minute || standard.ID == "" {
		c.Errorf("%v", claims)
	}
	if fmt.Sprint(claims["events"]) != "map[http://schemas.openid.net/event/backchannel-logout:map[]]" || claims["nonce"] != nil {
		c.Errorf("%v", claims)
	}
	return claims
}

func TestLogoutTokens(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	u := c.user("ann@example.com")
	s, _ := c.begun(u)
	c.joined(s, true, "wants-sid")
	c.joined(s, false, "plain")
	silent := c.client("silent", redirect.Setting{})
	if err := c.db.Clients().Create(t.Context(), silent, client.NameAndVersion, audit.New(source, c.app.ID, "client.create", "x", c.clock.Now())); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"silent", "deleted"} {
		if err := c.sessions.Join(t.Context(), s, id); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.delivered(); n != 0 {
		t.Errorf("%d notices of a session that lives", n)
	}
	if err := c.sessions.End(t.Context(), source, s); err != nil {
		t.Fatal(err)
	}
	if n := c.delivered(); n != 4 {
		t.Errorf("%d notices, want 4, two of which nobody is to hear", n)
	}
	for _, path := range []string{"wants-sid", "plain"} {
		tokens := c.posted("/" + path)
		if len(tokens) != 1 {
			t.Fatalf("%s got %d", path, len(tokens))
		}
		claims := c.verified(tokens[0])
		if claims["aud"] != path || claims["sub"] != u.UUID || claims["sid"] != s.SID {
			t.Errorf("%s: %v", path, claims)
		}
	}
	if n := c.delivered(); n != 0 {
		t.Errorf("%d were told again", n)
	}
}

// A client that fails is told again, a few times, while the others hear at once.
func TestLogoutIsTriedAgain(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	s, _ := c.begun(c.user("ann@example.com"))
	c.joined(s, false, "good", "bad", "mended")
	c.statuses["/bad"], c.statuses["/mended"] = http.StatusInternalServerError, http.StatusBadRequest
	if err := c.sessions.End(t.Context(), source, s); err != nil {
		t.Fatal(err)
	}
	for i, wait := range []time.Duration{0, 2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute} {
		c.clock.Advance(wait - time.Millisecond)
		before := len(c.posted("/bad"))
		if n := c.delivered(); i > 0 && n != 0 {
			t.Errorf("%d: too early", i)
		}
		c.clock.Advance(time.Millisecond)
		c.delivered()
		if n := len(c.posted("/bad")) - before; n != 1 {
			t.Errorf("%d: tried %d times", i, n)
		}
		c.messenger = c.fresh() // what is to be told outlives the process
		c.mu.Lock()
		c.statuses["/mended"] = 0
		c.mu.Unlock()
	}
	c.clock.Advance(time.Hour)
	if n := c.delivered(); n != 0 || len(c.posted("/good")) != 1 || len(c.posted("/mended")) != 2 || len(c.posted("/bad")) != 5 {
		t.Errorf("%d, then good %d, mended %d, bad %d", n, len(c.posted("/good")), len(c.posted("/mended")), len(c.posted("/bad")))
	}
}

// A host that does not answer is left alone for a while, whoever is to be told.
func TestDeadHostsRest(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	u := c.user("ann@example.com")
	var cookies []*session.Session
	s, _ := c.begun(u)
	c.joined(s, false, "dead")
	cookies = append(cookies, s)
	for range 5 {
		s, _ := c.begun(u)
		if err := c.sessions.Join(t.Context(), s, "dead"); err != nil {
			t.Fatal(err)
		}
		cookies = append(cookies, s)
	}
	var calls atomic.Int32 // messages are sent side by side
	down := session.NewMessenger(session.MessengerDeps{
		Notices: c.db.Notices(), Applications: c.messenger.Applications, Clients: c.messenger.Clients, Signers: c.signers,
		Issuer: c.messenger.Issuer, Now: c.clock.Now,
		Poster: refuser(func() { calls.Add(1) }),
	})
	for _, s := range cookies {
		if err := c.sessions.End(t.Context(), source, s); err != nil {
			t.Fatal(err)
		}
		if _, err := down.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if calls.Load() != 1 {
		t.Errorf("a host that does not answer was called %d times at once", calls.Load())
	}
	for range 100 {
		c.clock.Advance(10 * time.Second)
		if _, err := down.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	due, err := c.db.Notices().Due(t.Context(), c.clock.Now().Add(time.Hour), 10)
	if err != nil || len(due) != 0 {
		t.Errorf("%d notices are kept for ever: %v", len(due), err)
	}
}

type refuser func()

func (r refuser) Post(context.Context, string, url.Values) (int, error) {
	r()
	return 0, errors.New("connection refused")
}

// A host that takes its time holds nobody else back, and is told once.
func TestSlowHostsHoldNobodyBack(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	u := c.user("ann@example.com")
	first, _ := c.begun(u)
	second, _ := c.begun(u)
	c.joined(first, false, "slow")
	c.joined(second, false, "quick")
	begun, release := make(chan struct{}, 10), make(chan struct{})
	c.messenger.Poster = posterFunc(func(ctx context.Context, target string, form url.Values) (int, error) {
		if strings.HasSuffix(target, "/slow") {
			begun <- struct{}{}
			<-release
		}
		return poster{}.Post(ctx, target, form)
	})
	made := c.client("elsewhere", redirect.Setting{Backchannel: strings.Replace(c.served.URL, "127.0.0.1", "localhost", 1) + "/slow"})
	if _, err := c.db.Clients().Change(t.Context(), c.app.ID, "slow", client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Settings.Redirect = made.Settings.Redirect // another host than quick's
		return audit.New(source, c.ApplicationID, "client.update", "x", c.CreatedAt), nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { c.messenger.Run(ctx); close(done) }()
	c.sessions.OnEnd(c.messenger.Wake)
	if err := c.sessions.End(t.Context(), source, first); err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := c.sessions.End(t.Context(), source, second); err != nil {
		t.Fatal(err)
	}
	select {
	case path := <-c.heard:
		if path != "/quick" {
			t.Errorf("%s heard of it first", path)
		}
	case <-time.After(5 * time.Second):
		t.Error("nobody heard of it within 5 seconds")
	}
	close(release)
	if path := <-c.heard; path != "/slow" {
		t.Errorf("then %s", path)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) { // until the answer is written down
		due, err := c.db.Notices().Due(t.Context(), c.clock.Now().Add(time.Hour), 10)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%d notices are left: %v", len(due), err)
		}
		if len(due) == 0 {
			break
		}
	}
	stop()
	<-done
	if len(begun) > 0 {
		t.Errorf("it was sent %d times more", len(begun))
	}
}

type posterFunc func(ctx context.Context, target string, form url.Values) (int, error)

func (f posterFunc) Post(ctx context.Context, target string, form url.Values) (int, error) {
	return f(ctx, target, form)
}

// Whoever waits is told within the turn that follows a wake.
func TestRun(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { c.messenger.Run(ctx); close(done) }()
	c.sessions.OnEnd(c.messenger.Wake)
	s, _ := c.begun(c.user("ann@example.com"))
	c.joined(s, false, "good")
	if err := c.sessions.End(t.Context(), source, s); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.heard:
	case <-time.After(5 * time.Second):
		t.Error("nobody heard of it within 5 seconds")
	}
	stop()
	<-done
}
