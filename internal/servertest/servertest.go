// Package servertest runs a whole server in the test process: founded, on a
// temporary SQLite or a PostgreSQL that the test names, listening on loopback,
// with a clock that the test sets. Nothing runs in the background of it, so
// that what a test counts is its own; Sweep and Tend of the App take those
// steps. It holds no assertions.
package servertest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/loopback"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

// Options are what a test may choose; the zero value is a server as it starts
// by itself, on SQLite.
type Options struct {
	Database  string               // URL of an empty PostgreSQL database; "": SQLite
	Preset    string               // as --preset
	Settings  []string             // as --set, SETTING=VALUE each
	Configure func(*config.Config) // a last word on the configuration, at each start
	Now       time.Time            // when the clock begins; zero: at the current second
}

// Server is a server that runs.
type Server struct {
	URL           string // of the main listener, and the public URL
	OpsURL        string
	Issuer        string
	ApplicationID string
	OwnerID       string // a client with the feature owner
	OwnerSecret   string
	AdminEmail    string // an administrator of the instance
	AdminPassword string
	Data          string // the data directory
	Clock         *temporary.Clock
	App           *app.App // the services of the core, and the store

	t       testing.TB
	options Options
	config  config.Config
	cancel  context.CancelFunc
	served  chan error
}

// Start founds and starts a server; it ends with the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	now := options.Now
	if now.IsZero() {
		now = time.Now().UTC().Truncate(time.Second)
	}
	s := &Server{t: t, options: options, Data: t.TempDir(), Clock: temporary.At(now)}
	c, err := config.LoadFrom(pflag.NewFlagSet("servertest", pflag.ContinueOnError), []string{
		"OSTIARY_DATA=" + s.Data, "OSTIARY_DATABASE=" + options.Database, "OSTIARY_PRESET=" + options.Preset,
		"OSTIARY_LISTEN=127.0.0.1:1", "OSTIARY_DRAIN_DELAY=0s",
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Founding.Settings = options.Settings
	c.Listen, c.OpsListen = loopback.Free(t), loopback.Free(t)
	s.config = *c
	s.start()
	t.Cleanup(func() { s.Stop() })
	return s
}

func (s *Server) start() {
	s.t.Helper()
	l, err := app.Listen(s.t.Context(), &s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.config.Listen, s.config.OpsListen = l.Main.Addr().String(), l.Ops.Addr().String()
	s.URL, s.OpsURL = "http://"+s.config.Listen, "http://"+s.config.OpsListen
	c := s.config
	if s.options.Configure != nil {
		s.options.Configure(&c)
	}
	if s.App, err = app.Open(s.t.Context(), &c, s.Clock.Now); err != nil {
		s.t.Fatal(err)
	}
	if s.App.Instance == nil {
		first, err := s.App.Found(s.t.Context(), nil)
		if err != nil {
			s.t.Fatal(err)
		}
		s.Issuer, s.ApplicationID = first.Issuer, first.ApplicationID
		s.OwnerID, s.OwnerSecret = first.OwnerClientID, first.OwnerClientSecret
		s.AdminEmail, s.AdminPassword = first.AdminEmail, first.AdminPassword
	}
	// Not the test's own context: that ends before its cleanup does.
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.served = cancel, make(chan error, 1)
	go func() { s.served <- s.App.Serve(ctx, l) }()
}

// Stop drains and ends the server; twice does no harm.
func (s *Server) Stop() {
	s.t.Helper()
	if s.cancel == nil {
		return
	}
	http.DefaultClient.CloseIdleConnections()
	s.cancel()
	s.cancel = nil
	if err := <-s.served; err != nil {
		s.t.Error(err)
	}
	if err := s.App.Close(); err != nil {
		s.t.Error(err)
	}
}

// Restart stops the server and starts another, with nothing in its memory, on
// the same data and addresses. App is another one after it.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.start()
}

// Do sends a request to the path, with HTTP Basic where an id is given, and
// gives the answer; its body is closed by the end of the test.
func (s *Server) Do(method, path, id, secret, contentType, body string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if id != "" {
		r.SetBasicAuth(id, secret)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}
