package signin

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Failed attempts are counted. Of an account that exists, one audit event is
// written when the first ones have piled up, and then at most one an hour: who
// guesses fills no log.
const (
	toldAfter = 5
	toldEvery = time.Hour
	maxTold   = 10_000 // accounts whose failures are remembered; beyond it all are forgotten
)

// failures counts what failed.
type failures struct {
	mu    sync.Mutex
	count uint64
	of    map[string]*failure // by application and user
}

type failure struct {
	n     int // since the last event
	since time.Time
	told  time.Time
}

// Failed is how many attempts failed since the process began.
func (s *Service) Failed() uint64 {
	s.failures.mu.Lock()
	defer s.failures.mu.Unlock()
	return s.failures.count
}

// refused counts an attempt that failed, and gives the error that answers it.
func (s *Service) refused(ctx context.Context, applicationID string, u *user.User, from From) error {
	n, since := s.failures.add(applicationID, u, s.Now())
	if n == 0 {
		return errRefused
	}
	event := audit.New(from.Source, applicationID, "user.signin", object(u.UUID), s.moment())
	event.Actor, event.Outcome = "anonymous", audit.Refused
	var err error
	event.After, err = json.Marshal(struct {
		Failures int       `json:"failures"`
		Since    time.Time `json:"since"`
	}{n, since.UTC()})
	if err == nil {
		err = s.Audit.Record(context.WithoutCancel(ctx), event)
	}
	if err != nil { // the attempt is refused all the same
		slog.Error("failed sign-ins of a user are not in the audit log", "user", u.UUID, "error", err)
	}
	return errRefused
}

// add counts, and says how many failures an event is to tell of: mostly 0.
func (f *failures) add(applicationID string, u *user.User, now time.Time) (n int, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	if u == nil {
		return 0, now
	}
	k := applicationID + " " + u.UUID
	if f.of == nil || len(f.of) >= maxTold && f.of[k] == nil {
		f.of = make(map[string]*failure)
	}
	of := f.of[k]
	if of == nil || of.n < toldAfter && now.Sub(of.since) > toldEvery && now.Sub(of.told) > toldEvery {
		of = &failure{since: now}
		f.of[k] = of
	}
	if of.n++; of.n < toldAfter || now.Sub(of.told) < toldEvery {
		return 0, now
	}
	n, since = of.n, of.since
	*of = failure{since: now, told: now}
	return n, since
}
