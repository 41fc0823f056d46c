package torture_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/ostiary/ostiary/test/caller"
)

// writer makes requests one after the other and journals what it is answered.
type writer struct {
	number  int
	owner   *caller.Caller
	random  *rand.Rand
	entries []*entry
	figures *figures
	serial  int
}

func newWriter(number int, owner *caller.Caller, f *figures, seed uint64) *writer {
	random := rand.New(rand.NewPCG(seed, uint64(number)+1))
	return &writer{number: number, owner: owner, figures: f, random: random}
}

// errLost says that a request got no answer, or one that says that nobody knows.
var errLost = errors.New("no answer")

// outcome tells an acknowledged answer, an unknown outcome and a wrong answer
// apart.
func (w *writer) outcome(answer *caller.Answer, err error, want int, into any) error {
	if err != nil || answer.Status == http.StatusServiceUnavailable {
		w.figures.unknown.Add(1)
		return errLost
	}
	return answer.Into(want, into)
}

// step makes one request. errLost ends the writer's round; any other error is a
// defect of the server.
func (w *writer) step(ctx context.Context) error {
	e := w.pick()
	n := w.random.IntN(100)
	switch {
	case e == nil || n < 30:
		return w.create(ctx)
	case n < 70:
		return w.issue(ctx, e)
	case n < 82:
		return w.revoke(ctx, e)
	case n < 92:
		return w.replace(ctx, e)
	default:
		return w.delete(ctx, e)
	}
}

// pick chooses a client that is known to be there with a secret that is known,
// rather a new one than an old one.
func (w *writer) pick() *entry {
	for range 8 {
		if len(w.entries) == 0 {
			return nil
		}
		back := min(len(w.entries), 1+w.random.IntN(20))
		if e := w.entries[len(w.entries)-back]; e.state == there && !e.secretUnknown {
			return e
		}
	}
	return nil
}

func (w *writer) create(ctx context.Context) error {
	w.serial++
	name := fmt.Sprintf("writer %d client %d", w.number, w.serial)
	answer, err := w.owner.Config(ctx, http.MethodPost, "/clients", map[string]any{"name": name, "features": []string{"access_issuer"}})
	var made caller.Client
	if err := w.outcome(answer, err, http.StatusCreated, &made); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	w.entries = append(w.entries, &entry{id: made.ID, name: name, secret: made.Secret, touched: true})
	w.figures.created.Add(1)
	return nil
}

func (w *writer) issue(ctx context.Context, e *entry) error {
	e.touched = true
	answer, err := w.owner.As(e.id, e.secret).Token(ctx)
	var token caller.Token
	if err := w.outcome(answer, err, http.StatusOK, &token); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	e.tokens = append(e.tokens, &issued{text: token.AccessToken})
	w.figures.tokens.Add(1)
	return nil
}

func (w *writer) revoke(ctx context.Context, e *entry) error {
	for _, token := range e.tokens {
		if token.state != there {
			continue
		}
		e.touched = true
		token.state = unknown
		answer, err := w.owner.As(e.id, e.secret).Revoke(ctx, token.text)
		if err := w.outcome(answer, err, http.StatusOK, nil); err != nil {
			return fmt.Errorf("revoke: %w", err)
		}
		token.state = gone
		w.figures.revoked.Add(1)
		return nil
	}
	return w.issue(ctx, e)
}

func (w *writer) replace(ctx context.Context, e *entry) error {
	e.touched, e.secretUnknown = true, true
	answer, err := w.owner.Config(ctx, http.MethodPut, "/clients/"+e.id+"/secret", map[string]any{"hoursToLive": 0})
	var changed caller.Client
	if err := w.outcome(answer, err, http.StatusOK, &changed); err != nil {
		return fmt.Errorf("replace a secret: %w", err)
	}
	e.secret, e.secretUnknown = changed.Secret, false
	w.figures.replaced.Add(1)
	return nil
}

func (w *writer) delete(ctx context.Context, e *entry) error {
	e.touched, e.state = true, unknown
	answer, err := w.owner.Config(ctx, http.MethodDelete, "/clients/"+e.id, nil)
	if err := w.outcome(answer, err, http.StatusNoContent, nil); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	e.state = gone
	w.figures.deleted.Add(1)
	return nil
}
