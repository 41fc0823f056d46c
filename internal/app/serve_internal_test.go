package app

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
)

// TestABrokenStoreEndsTheServer at any time, while it drains too.
func TestABrokenStoreEndsTheServer(t *testing.T) {
	for _, draining := range []bool{false, true} {
		c, err := config.LoadFrom(pflag.NewFlagSet("test", pflag.ContinueOnError), []string{
			"OSTIARY_DATA=" + t.TempDir(), "OSTIARY_LISTEN=127.0.0.1:0", "OSTIARY_OPS_LISTEN=127.0.0.1:0",
			"OSTIARY_PUBLIC_URL=http://localhost", "OSTIARY_DRAIN_DELAY=1h",
		})
		if err != nil {
			t.Fatal(err)
		}
		l, err := Listen(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), c, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- a.Serve(ctx, l) }()
		if draining {
			cancel()
			for !l.drain.Begun() {
				runtime.Gosched()
			}
		}
		a.broken <- errors.New("disk on fire")
		if err := <-served; !errors.Is(err, ErrStore) {
			t.Errorf("draining %v: got %v", draining, err)
		}
		cancel()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
