package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/web"
)

// Limits of the listeners. The kit's own limit on headers is lower and answers
// in the form of the surface; this one only protects the kit.
const (
	readHeaderTime = 10 * time.Second
	readTime       = 30 * time.Second
	writeTime      = 60 * time.Second
	idleTime       = 2 * time.Minute
	maxHeaderBytes = 1 << 20
)

// shutdownTime bounds how long requests that are under way may take once the
// server stops: more than one may take from its first byte to its last.
const shutdownTime = readTime + 5*time.Second

// Listeners are where the server listens.
type Listeners struct {
	Main, Ops net.Listener
	drain     *web.Drain // of Main
}

// Listen opens both listeners. It comes before the store is opened, so that a
// port in use founds nothing.
func Listen(ctx context.Context, c *config.Config) (*Listeners, error) {
	main, err := listen(ctx, "--listen", c.Listen)
	if err != nil {
		return nil, err
	}
	drain, err := web.NewDrain(main, ident.Request)
	if err != nil {
		return nil, errors.Join(err, main.Close())
	}
	main = drain.Listener()
	if c.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("--tls-cert and --tls-key: %w", err), main.Close())
		}
		main = tls.NewListener(main, &tls.Config{
			Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12,
		})
	}
	ops, err := listen(ctx, "--ops-listen", c.OpsListen)
	if err != nil {
		return nil, errors.Join(err, main.Close())
	}
	return &Listeners{main, ops, drain}, nil
}

func listen(ctx context.Context, flag, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w; is another server running there? choose another address with %s", err, flag)
	}
	return l, nil
}

// Close closes both.
func (l *Listeners) Close() error { return errors.Join(l.Main.Close(), l.Ops.Close()) }

// ErrStore says that a write failed in a way after which the server cannot know
// what is on disk.
var ErrStore = errors.New("the database failed while it was written to; the server stops rather than guess what is on disk")

// Run is Serve, and what runs in the background beside it.
func (a *App) Run(ctx context.Context, l *Listeners) error {
	if id := a.config.DefaultApplication; id != "" {
		if _, err := a.Applications.Get(ctx, id); err != nil {
			return fmt.Errorf("--default-application %s: %w", id, err)
		}
	}
	if err := a.setRoot(ctx); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	defer loops.Wait()
	defer stop()
	loops.Go(func() { a.collectorLoop(background) })
	loops.Go(func() { a.sweepLoop(background) })
	loops.Go(func() { a.sessionLoop(background) })
	loops.Go(func() { a.signingLoop(background) })
	loops.Go(func() { a.indexLoop(background) })
	loops.Go(func() { a.seenLoop(background) })
	loops.Go(func() { a.SignIn.Run(background) })
	loops.Go(func() { a.ConsoleSignIn.Run(background) })
	loops.Go(func() { a.Messenger.Run(background) })
	loops.Go(func() { a.Usage.Run(background, usageEvery, usageFailed) })
	return a.Serve(ctx, l)
}

// Serve serves until ctx is done, then drains: readiness ends, answers ask
// clients to leave their connections, and after the drain delay the listeners
// close and the requests under way end. It gives back nil after a drain, and an
// error where the server had to stop by itself.
func (a *App) Serve(ctx context.Context, l *Listeners) error {
	main, ops := a.server(a.Handler(l.drain)), a.server(a.OpsHandler(l.drain))
	main.ConnState = l.drain.ConnState
	failed := make(chan error, 2)
	go func() { failed <- main.Serve(l.Main) }()
	go func() { failed <- ops.Serve(l.Ops) }()
	slog.Info("serving", "address", l.Main.Addr().String(), "operations", l.Ops.Addr().String(), "public_url", a.publicURL())
	select {
	case <-ctx.Done():
		return a.drain(l.drain, main, ops)
	case err := <-failed:
		return errors.Join(fmt.Errorf("a listener failed: %w", err), main.Close(), ops.Close())
	case err := <-a.broken:
		return errors.Join(ErrStore, err, main.Close(), ops.Close())
	}
}

func (a *App) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeaderBytes, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}

// drain stops without refusing anybody. Connections are not cut when the signal
// comes, since a request may be on its way on any of them: for the time of the
// delay each answer is the last on its connection and new connections are
// taken. The operations listener goes last, so that readiness is seen to be over.
func (a *App) drain(d *web.Drain, main, ops *http.Server) error {
	d.Begin()
	slog.Info("stopping", "drain_delay", a.config.DrainDelay)
	select {
	case <-time.After(a.config.DrainDelay):
	case err := <-a.broken:
		return errors.Join(ErrStore, err, main.Close(), ops.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := d.Finish(ctx, main); err != nil {
		return errors.Join(err, ops.Close())
	}
	if err := ops.Shutdown(ctx); err != nil {
		return errors.Join(err, ops.Close())
	}
	slog.Info("stopped")
	return nil
}
