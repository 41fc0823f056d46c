package torture_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/ostiary/ostiary/test/caller"
)

// lookers is how many look at the entries at the same time.
const lookers = 8

// examine compares the server with the journal: entries that were touched since
// the last time, or all of them. What was unknown is known after it.
func examine(ctx context.Context, owner *caller.Caller, writers []*writer, all bool, f *figures, wrong *complaints) {
	queue := make(chan *entry)
	var group sync.WaitGroup
	for range lookers {
		group.Go(func() {
			for e := range queue {
				if err := e.examine(ctx, owner, f); err != nil {
					wrong.add("client %s (%s): %v", e.id, e.name, err)
				}
				e.touched = false
			}
		})
	}
	for _, w := range writers {
		for _, e := range w.entries {
			if all || e.touched {
				queue <- e
			}
		}
	}
	close(queue)
	group.Wait()
}

func (e *entry) examine(ctx context.Context, owner *caller.Caller, f *figures) error {
	f.checkedClients.Add(1)
	answer, err := owner.Config(ctx, http.MethodGet, "/clients/"+e.id, nil)
	if err != nil {
		return err
	}
	if e.state == unknown {
		e.state = there
		if answer.Status == http.StatusNotFound {
			e.state = gone
		}
	}
	if e.state == gone {
		if err := answer.Into(http.StatusNotFound, nil); err != nil {
			return fmt.Errorf("deleted, but GET %w", err)
		}
	} else if err := e.compare(answer); err != nil {
		return err
	}
	if err := e.authenticates(ctx, owner); err != nil {
		return err
	}
	return e.examineTokens(ctx, owner, f)
}

// compare looks at a client that must be there. Where the server reveals
// secrets, it also tells what became of a replacement without an answer.
func (e *entry) compare(answer *caller.Answer) error {
	var c caller.Client
	if err := answer.Into(http.StatusOK, &c); err != nil {
		return fmt.Errorf("acknowledged, but GET %w", err)
	}
	if c.Name != e.name || c.ID != e.id {
		return fmt.Errorf("is now %q %s", c.Name, c.ID)
	}
	if c.Secret == "" {
		return nil
	}
	if !e.secretUnknown && c.Secret != e.secret {
		return fmt.Errorf("has another secret than the one that was answered last")
	}
	e.secret, e.secretUnknown = c.Secret, false
	return nil
}

// authenticates tries the secret, where the answer needs no right.
func (e *entry) authenticates(ctx context.Context, owner *caller.Caller) error {
	if e.secretUnknown && e.state == there {
		return nil
	}
	answer, err := owner.As(e.id, e.secret).Introspect(ctx, "no token")
	if err != nil {
		return err
	}
	want := http.StatusOK
	if e.state == gone {
		want = http.StatusUnauthorized
	}
	if err := answer.Into(want, nil); err != nil {
		return fmt.Errorf("its credentials were %w", err)
	}
	return nil
}

func (e *entry) examineTokens(ctx context.Context, owner *caller.Caller, f *figures) error {
	for i, token := range e.tokens {
		f.checkedTokens.Add(1)
		answer, err := owner.Introspect(ctx, token.text)
		if err != nil {
			return err
		}
		active, err := answer.Active()
		if err != nil {
			return err
		}
		if token.state == unknown {
			token.state = gone
			if active {
				token.state = there
			}
		}
		if want := token.state == there && e.state == there; active != want {
			return fmt.Errorf("token %d of %d: active is %t and must be %t (client is gone: %t)", i+1, len(e.tokens), active, want, e.state == gone)
		}
	}
	return nil
}
