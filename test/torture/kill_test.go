package torture_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// writers is how many make requests at the same time.
const writers = 16

// manyFailures turns the throttle of failed authentications off, as good as:
// whether credentials are refused is what the tests here ask all the time.
var manyFailures = []string{"--failed-authentications-burst", "1000000000"}

// siege is a server under load with its journal.
type siege struct {
	t       *testing.T
	server  *process.Server
	owner   *caller.Caller
	writers []*writer
	figures figures
	random  *rand.Rand
	restart []time.Duration // from the start of the process to readiness
}

func newSiege(t *testing.T, database string) *siege {
	t.Helper()
	server := process.Found(t, database, "--preset", "akamai")
	server.Flags = manyFailures
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &siege{t: t, server: server, owner: server.Owner(), random: rand.New(rand.NewPCG(seed, 0))}
	for n := range writers {
		s.writers = append(s.writers, newWriter(n, s.owner, &s.figures, seed))
	}
	return s
}

// round has all writers at work until strike.
func (s *siege) round(strike func()) {
	s.t.Helper()
	var steps []step
	for _, w := range s.writers {
		steps = append(steps, w.step)
	}
	besiege(s.t, s.random, steps, s.figures.acknowledged, strike)
}

func (s *siege) start() {
	s.t.Helper()
	begun := time.Now()
	s.server.Start()
	s.restart = append(s.restart, time.Since(begun))
}

// examine looks at what the round touched, or at everything.
func (s *siege) examine(all bool) {
	s.t.Helper()
	var wrong complaints
	examine(s.t.Context(), s.owner, s.writers, all, &s.figures, &wrong)
	wrong.report(s.t)
	if s.t.Failed() {
		s.t.FailNow()
	}
}

// list checks that the list has every client that is there, once, and none that
// is gone. Clients whose creation got no answer may be in it too.
func (s *siege) list() {
	s.t.Helper()
	answer, err := s.owner.Config(s.t.Context(), http.MethodGet, "/clients", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var list []caller.Client
	if err := answer.Into(http.StatusOK, &list); err != nil {
		s.t.Fatal(err)
	}
	times := map[string]int{}
	for i := range list {
		times[list[i].ID]++
	}
	for _, w := range s.writers {
		for _, e := range w.entries {
			want := 1
			if e.state == gone {
				want = 0
			}
			if times[e.id] != want {
				s.t.Errorf("the list has client %s %d times, not %d", e.id, times[e.id], want)
			}
		}
	}
}

// report prints what was done. A run in which some kind of answer never came
// has shown nothing about it.
func (s *siege) report(what string, rounds int) {
	s.t.Helper()
	f := &s.figures
	slices.Sort(s.restart)
	median := time.Duration(0)
	if len(s.restart) > 0 {
		median = s.restart[len(s.restart)/2]
	}
	s.t.Logf("%d × %s: acknowledged %d creations, %d tokens, %d revocations, %d secrets, %d deletions; %d requests without an answer; looked at %d clients and %d tokens; none lost; median start %s",
		rounds, what, f.created.Load(), f.tokens.Load(), f.revoked.Load(), f.replaced.Load(), f.deleted.Load(),
		f.unknown.Load(), f.checkedClients.Load(), f.checkedTokens.Load(), median.Round(time.Millisecond))
	for _, n := range []int64{f.created.Load(), f.tokens.Load(), f.revoked.Load(), f.replaced.Load(), f.deleted.Load(), f.unknown.Load()} {
		if n == 0 {
			s.t.Error("one of these figures is 0: the run shows nothing about it")
		}
	}
}

// killServer kills the server over and over and looks, after each restart on
// the same data, for what was acknowledged.
func killServer(t *testing.T, database string, rounds int) {
	t.Helper()
	s := newSiege(t, database)
	for range rounds {
		s.start()
		s.examine(false)
		s.round(s.server.Kill)
		s.server.MakeOpaque(t, "sequence % 2 = 0")
	}
	s.start()
	s.examine(true)
	s.list()
	s.report("kill -9 of the server", rounds)
}

func TestAnsweredSurvivesKillOnSQLite(t *testing.T) {
	killServer(t, "", times(t, 60, 1000))
}

func TestAnsweredSurvivesKillOnPostgreSQL(t *testing.T) {
	killServer(t, process.NewCluster(t).Database(), times(t, 10, 100))
}
