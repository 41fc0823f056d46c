package torture_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// steady is longer than a server may go by the last sign of life of PostgreSQL
// and than it takes to have hold of it again.
const steady = 1500 * time.Millisecond

// TestAnsweredSurvivesKillOfPostgreSQL kills the database under the running
// server, over and over. The server outlives it, and serves again by itself.
func TestAnsweredSurvivesKillOfPostgreSQL(t *testing.T) {
	cluster := process.NewCluster(t)
	s := newSiege(t, cluster.Database())
	s.start()
	pid := s.server.Pid()
	rounds := times(t, 5, 100)
	for range rounds {
		s.examine(false)
		s.round(cluster.Kill)
		begun := time.Now()
		cluster.Start()
		if err := s.server.AwaitReady(http.StatusOK); err != nil {
			t.Fatal(err)
		}
		s.restart = append(s.restart, time.Since(begun))
		if err := s.server.AwaitSteady(steady); err != nil {
			t.Fatal(err)
		}
	}
	s.examine(true)
	s.list()
	if s.server.Pid() != pid {
		t.Error("the server was started anew")
	}
	s.report("kill -9 of PostgreSQL's postmaster and all its processes", rounds)
}

// questions are requests of each kind, writing and reading, with the form in
// which each says that the state cannot be known.
func questions(ctx context.Context, owner *caller.Caller, token string) map[string]func() (*caller.Answer, error) {
	const unavailable = `temporarily_unavailable`
	config := func(method, path string, document any) func() (*caller.Answer, error) {
		return func() (*caller.Answer, error) { return owner.Config(ctx, method, path, document) }
	}
	return map[string]func() (*caller.Answer, error){
		"introspect a token " + unavailable:           func() (*caller.Answer, error) { return owner.Introspect(ctx, token) },
		"introspect no token " + unavailable:          func() (*caller.Answer, error) { return owner.Introspect(ctx, "no token") },
		"revoke " + unavailable:                       func() (*caller.Answer, error) { return owner.Revoke(ctx, token) },
		"ask for a token " + unavailable:              func() (*caller.Answer, error) { return owner.Token(ctx) },
		"ask with wrong credentials " + unavailable:   func() (*caller.Answer, error) { return owner.As(owner.ID, "wrong").Token(ctx) },
		"ask as nobody " + unavailable:                func() (*caller.Answer, error) { return owner.As("nobody", "wrong").Token(ctx) },
		"read a client " + configUnavailable:          config(http.MethodGet, "/clients/"+owner.ID, nil),
		"list clients " + configUnavailable:           config(http.MethodGet, "/clients", nil),
		"create " + configUnavailable:                 config(http.MethodPost, "/clients", map[string]any{"name": "Refused"}),
		"replace a secret " + configUnavailable:       config(http.MethodPut, "/clients/nobody/secret", map[string]any{"hoursToLive": 1}),
		"delete " + configUnavailable:                 config(http.MethodDelete, "/clients/nobody", nil),
		"read settings " + configUnavailable:          config(http.MethodGet, "/settings", nil),
		"read an unknown client " + configUnavailable: config(http.MethodGet, "/clients/nobody", nil),
	}
}

const configUnavailable = `{"errors":"Service unavailable."}`

// TestPostgreSQLGone takes the database away in three ways. While it is gone
// every question about state is answered 503 in the form of its surface, never
// by a guess; when it is back the same process serves again.
func TestPostgreSQLGone(t *testing.T) {
	for name, takeAway := range map[string]func(c *process.Cluster) (bringBack func()){
		"stopped": func(c *process.Cluster) func() { c.Stop(); return c.Start },
		"killed":  func(c *process.Cluster) func() { c.Kill(); return c.Start },
		"hanging": func(c *process.Cluster) func() { return c.Pause() },
	} {
		t.Run(name, func(t *testing.T) { goneAndBack(t, takeAway) })
	}
}

func goneAndBack(t *testing.T, takeAway func(c *process.Cluster) func()) {
	t.Helper()
	cluster := process.NewCluster(t)
	s := newSiege(t, cluster.Database())
	s.server.Flags = append(s.server.Flags, "--drain-delay", "0s")
	s.start()
	token := issueOne(t, s.owner)
	var bringBack func()
	s.round(func() { bringBack = takeAway(cluster) })
	if err := s.server.AwaitReady(http.StatusServiceUnavailable); err != nil {
		t.Fatalf("readyz does not say that the database is gone: %v", err)
	}
	knew := awaitIgnorance(t, s.owner)
	asked := 0
	slowest := time.Duration(0)
	for range 3 {
		for what, ask := range questions(t.Context(), s.owner, token) {
			begun := time.Now()
			answer, err := ask()
			slowest = max(slowest, time.Since(begun))
			form := configUnavailable
			if len(what) > 0 && what[len(what)-1] != '}' {
				form = "temporarily_unavailable"
			}
			if err == nil {
				err = unavailable(answer, form)
			}
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			asked++
		}
	}
	if err := refusesStrangers(t.Context(), s.owner); err != nil {
		t.Error(err)
	}
	bringBack()
	begun := time.Now()
	if err := s.server.AwaitReady(http.StatusOK); err != nil {
		t.Fatal(err)
	}
	back := time.Since(begun)
	if err := s.server.AwaitSteady(steady); err != nil {
		t.Fatal(err)
	}
	s.examine(true)
	s.list()
	if n := s.server.Number(t, `SELECT count(*) FROM client WHERE name = 'Refused'`); n != 0 {
		t.Errorf("%d refused clients are stored", n)
	}
	for _, w := range s.writers {
		if err := w.create(t.Context()); err != nil {
			t.Errorf("after the database came back: %v", err)
		}
	}
	t.Logf("answers from memory for %s more; then %d questions, each answered 503 (slowest %s); ready %s after PostgreSQL was back; %d clients and %d tokens looked at, none lost",
		knew.Round(time.Millisecond), asked, slowest.Round(time.Millisecond), back.Round(time.Millisecond), s.figures.checkedClients.Load(), s.figures.checkedTokens.Load())
}

// awaitIgnorance waits until what the server remembers of the database may no
// longer be used: one second after its last sign of life, by contract. Until
// then a question that needs no statement is answered.
func awaitIgnorance(t *testing.T, owner *caller.Caller) time.Duration {
	t.Helper()
	begun := time.Now()
	for {
		answer, err := owner.Introspect(t.Context(), "no token")
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status == http.StatusServiceUnavailable {
			return time.Since(begun)
		}
		if err := answer.Into(http.StatusOK, nil); err != nil {
			t.Fatal(err)
		}
		if time.Since(begun) > 2*time.Second {
			t.Fatal("the server answers from memory long after the database was gone")
		}
	}
}

// refusesStrangers checks what needs no state: it is still answered as ever.
func refusesStrangers(ctx context.Context, owner *caller.Caller) error {
	answer, err := owner.Do(ctx, http.MethodGet, "/config/"+owner.Application+"/nothing", "", nil)
	if err != nil {
		return err
	}
	if err := answer.Into(http.StatusNotFound, nil); err != nil {
		return fmt.Errorf("an unknown route: %w", err)
	}
	answer, err = owner.OAuth(ctx, "token", url.Values{"grant_type": {"a", "b"}})
	if err != nil {
		return err
	}
	if answer.Status != http.StatusBadRequest && answer.Status != http.StatusServiceUnavailable {
		return errors.New("a malformed request is neither refused as one nor put off")
	}
	return nil
}
