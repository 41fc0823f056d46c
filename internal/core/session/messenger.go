package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/key"
)

// Poster sends a form to a URL and gives the status of the answer.
type Poster interface {
	Post(ctx context.Context, target string, form url.Values) (status int, err error)
}

// Messenger tells clients at their back-channel logout URIs that sessions ended
// (OpenID Connect Back-Channel Logout 1.0).
type Messenger struct {
	MessengerDeps
	wake chan struct{}
	late sync.WaitGroup

	mu   sync.Mutex
	down map[string]time.Time // hosts that did not answer, and when
	slow map[place]string     // what outlasted its turn and is still being sent, and to which host
}

// place tells notices apart.
type place struct{ sid, client string }

func (n *Notice) place() place { return place{n.SID, n.ClientID} }

// MessengerDeps is what a Messenger stands on.
type MessengerDeps struct {
	Notices      Notices
	Applications *application.Registry
	Clients      *client.Registry
	Signers      *key.Signers
	Issuer       func(applicationID string) string
	Poster       Poster
	Now          func() time.Time
}

// NewMessenger puts it together.
func NewMessenger(d MessengerDeps) *Messenger {
	return &Messenger{MessengerDeps: d, wake: make(chan struct{}, 1), down: make(map[string]time.Time), slow: make(map[place]string)}
}

const (
	// atOnce is how many notices are sent side by side; each is bounded in time, so
	// that one after the other hundred has its turn within seconds.
	atOnce = 100
	// patience is how long a turn waits for its slowest. What takes longer goes on
	// beside the turns that follow, and what else is for its host is put off.
	patience = time.Second
	slowRest = 3 * time.Second
	// A logout token is good for as long as its delivery may take (§2.4 advises two
	// minutes at most).
	logoutTokenLife = 2 * time.Minute
	// noticeKept is how long a client that does not answer is tried; a host that
	// has just not answered is left alone for hostRest.
	noticeKept = 15 * time.Minute
	hostRest   = 10 * time.Second
	lookEvery  = time.Second
	failedRest = 5 * time.Second
)

// retryAfter is the pause before each further attempt.
var retryAfter = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute}

// Wake has notices looked for at once.
func (m *Messenger) Wake() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Run delivers notices until ctx is done, those first that a server before this
// one left behind.
func (m *Messenger) Run(ctx context.Context) {
	defer m.late.Wait()
	for ctx.Err() == nil {
		n, err := m.Deliver(ctx)
		if err != nil && ctx.Err() == nil {
			slog.Error("clients do not hear of sessions that ended; trying again", "error", err, "in", lookEvery)
		}
		if err == nil && n >= atOnce {
			continue
		}
		pause := time.NewTimer(lookEvery)
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-pause.C:
		}
		pause.Stop()
	}
}

// outcome is what came of a notice.
type outcome uint8

const (
	settled outcome = iota // delivered, or nobody is to be told
	failed
	postponed // its host has just not answered others
	putOff    // its host is still to answer others
	sending
)

// answer is what came of one notice of a turn.
type answer struct {
	i int
	outcome
}

// Deliver tries every notice that is due, up to a bound, and says how many it
// took up. It does not wait for hosts that are slow.
func (m *Messenger) Deliver(ctx context.Context) (int, error) {
	slow := m.slowOnes()
	due, err := m.Notices.Due(ctx, m.Now(), atOnce+len(slow))
	due = slices.DeleteFunc(due, func(n Notice) bool { return slow[n.place()] != "" })
	if err != nil || len(due) == 0 {
		return 0, err
	}
	busy := slices.Collect(maps.Values(slow))
	targets := make([]*target, len(due))
	for i := range due {
		if targets[i], err = m.target(ctx, &due[i]); err != nil {
			return 0, err
		}
	}
	outcomes := make([]outcome, len(due))
	answers, open := make(chan answer, len(due)), 0
	for i, to := range targets {
		switch {
		case to == nil: // settled
		case m.resting(to.host):
			outcomes[i] = postponed
		case slices.Contains(busy, to.host):
			outcomes[i] = putOff
		default:
			outcomes[i] = sending
			open++
			go func() { answers <- answer{i, m.attempt(ctx, to, &due[i])} }()
		}
	}
	enough := time.After(patience)
	for open > 0 {
		select {
		case a := <-answers:
			outcomes[a.i] = a.outcome
			open--
		case <-enough:
			m.leave(ctx, due, targets, outcomes, answers)
			open = 0
		}
	}
	return len(due), m.settle(ctx, due, outcomes)
}

// slowOnes gives what outlasted its turn, and the hosts.
func (m *Messenger) slowOnes() map[place]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.slow)
}

// leave has what is still being sent settled when its answers come.
func (m *Messenger) leave(ctx context.Context, due []Notice, targets []*target, outcomes []outcome, answers <-chan answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range due {
		if outcomes[i] != sending {
			continue
		}
		m.slow[due[i].place()] = targets[i].host
		m.late.Go(func() {
			a := <-answers // one of them, not always this one's
			n := due[a.i]
			if err := m.settle(ctx, []Notice{n}, []outcome{a.outcome}); err != nil {
				slog.Error("a client will hear of the end of a session again", "error", err)
			}
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.slow, n.place())
		})
	}
}

// settle writes what came of notices.
func (m *Messenger) settle(ctx context.Context, due []Notice, outcomes []outcome) error {
	done, again := m.sort(due, outcomes)
	// A stop of the server must not undo what was delivered.
	return m.Notices.Settle(context.WithoutCancel(ctx), done, again)
}

// resting reports whether a host has just not answered.
func (m *Messenger) resting(host string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	since, down := m.down[host]
	if down && m.Now().Sub(since) >= hostRest {
		delete(m.down, host)
		down = false
	}
	return down
}

// attempt sends a notice.
func (m *Messenger) attempt(ctx context.Context, to *target, n *Notice) outcome {
	err := m.send(ctx, to, n)
	if err == nil {
		return settled
	}
	slog.Warn("a client did not hear of the end of a session", "application", n.ApplicationID, "client", n.ClientID, "attempt", n.Attempts+1, "error", err)
	if !errors.Is(err, errStatus) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.down[to.host] = m.Now()
	}
	return failed
}

// sort tells what is done with from what is to be tried again.
func (m *Messenger) sort(due []Notice, outcomes []outcome) (done, again []Notice) {
	now := m.Now().UTC().Truncate(time.Microsecond)
	for i, n := range due {
		switch {
		case outcomes[i] == sending:
			continue
		case outcomes[i] == settled:
			done = append(done, n)
			continue
		case outcomes[i] == failed && n.Attempts >= len(retryAfter), now.Sub(n.EndedAt) > noticeKept:
			slog.Error("a client was not told of the end of a session", "client", n.ClientID, "application", n.ApplicationID)
			done = append(done, n)
			continue
		case outcomes[i] == failed:
			n.DueAt = now.Add(retryAfter[n.Attempts])
			n.Attempts++
		case outcomes[i] == putOff:
			n.DueAt = now.Add(slowRest)
		default:
			n.DueAt = now.Add(failedRest)
		}
		again = append(again, n)
	}
	return done, again
}

// target is where a notice goes.
type target struct {
	app       *application.Application
	uri, host string
}

// target gives where a notice goes; nil where the client, or its URI, is gone.
func (m *Messenger) target(ctx context.Context, n *Notice) (*target, error) {
	app, err := m.Applications.Get(ctx, n.ApplicationID)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil //nolint:nilnil // nobody is to be told
	}
	if err != nil {
		return nil, err
	}
	c, err := m.Clients.Get(ctx, n.ApplicationID, n.ClientID)
	if fault.KindOf(err) == fault.NotFound || err == nil && c.Settings.Redirect.Backchannel == "" {
		return nil, nil //nolint:nilnil // nobody is to be told
	}
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(c.Settings.Redirect.Backchannel)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // it was judged when it was written
	}
	return &target{app, c.Settings.Redirect.Backchannel, u.Host}, nil
}

var errStatus = errors.New("the client's answer is not 200 or 204")

// send posts a logout token (§2.5); 200 and 204 say that it was understood
// (§2.8).
func (m *Messenger) send(ctx context.Context, to *target, n *Notice) error {
	text, err := m.token(ctx, to, n)
	if err != nil {
		return err
	}
	status, err := m.Poster.Post(ctx, to.uri, url.Values{"logout_token": {text}})
	if err == nil && status != 200 && status != 204 {
		err = fmt.Errorf("%w: %d", errStatus, status)
	}
	return err
}

// logoutClaims are those of a logout token (§2.4). Each names its session, whether
// the client requires that or not: one without `sid` means every session of the
// user.
type logoutClaims struct {
	Issuer   string              `json:"iss"`
	Audience string              `json:"aud"`
	Subject  string              `json:"sub"`
	IssuedAt int64               `json:"iat"`
	Expires  int64               `json:"exp"`
	ID       string              `json:"jti"`
	Events   map[string]struct{} `json:"events"`
	SID      string              `json:"sid"`
}

// logoutEvent says what a logout token is; its value is an empty object.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func (m *Messenger) token(ctx context.Context, to *target, n *Notice) (string, error) {
	now := m.Now()
	expires := now.Add(logoutTokenLife)
	claims := logoutClaims{
		Issuer: m.Issuer(n.ApplicationID), Audience: n.ClientID, Subject: n.UserID, IssuedAt: now.Unix(), Expires: expires.Unix(),
		ID: ident.Record(), Events: map[string]struct{}{logoutEvent: {}}, SID: n.SID,
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text, err := m.Signers.Sign(ctx, n.ApplicationID, to.app.Settings.Algorithm(), "logout+jwt", body, expires)
	if err != nil {
		return "", fmt.Errorf("sign a logout token: %w", err)
	}
	return text, nil
}
