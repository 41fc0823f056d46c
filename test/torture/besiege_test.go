package torture_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// step makes one request and journals what comes of it. errLost ends the round of
// who made it; any other error is a defect of the server.
type step func(ctx context.Context) error

// besiege has all at work, each one step after the other, until strike. That comes
// as soon as a random number of answers was journalled: the moment after one, with
// others under way.
func besiege(t *testing.T, random *rand.Rand, steps []step, acknowledged func() int64, strike func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	enough := acknowledged() + 50 + random.Int64N(300)
	struck := make(chan struct{})
	var once sync.Once
	var wrong complaints
	var group sync.WaitGroup
	for _, take := range steps {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := take(ctx); errors.Is(err, errLost) {
					return
				} else if err != nil {
					wrong.add("%v", err)
					return
				}
				if acknowledged() >= enough {
					once.Do(func() { close(struck) })
				}
			}
		})
	}
	go func() { // a round in which everybody gave up would never be struck
		group.Wait()
		once.Do(func() { close(struck) })
	}()
	<-struck
	strike()
	group.Wait()
	wrong.report(t)
	if ctx.Err() != nil {
		t.Fatal("who was at work was not stopped by what was done to the server")
	}
}
