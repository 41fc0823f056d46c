package app_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/session"
	people "github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

// A client hears that a session ended when its user is deactivated, after a
// restart in between; not at an address of this machine where the server is a
// public one, unless the operator allows it.
func TestLogoutIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		public, allow string
		want          int
	}{
		"development":         {"", "", 1},
		"public":              {"https://id.example.com", "", 0},
		"public, and allowed": {"https://id.example.com", "127.0.0.0/8", 1},
	} {
		t.Run(name, func(t *testing.T) {
			heard := 0
			listening := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.FormValue("logout_token") != "" {
					heard++
				}
			}))
			defer listening.Close()
			s := servertest.Start(t, servertest.Options{Configure: func(c *config.Config) {
				c.PublicURL = test.public
				if test.allow != "" {
					c.OutboundAllow = prefixes(t, test.allow)
				}
			}})
			told(t, s, listening.URL)
			s.Clock.Advance(time.Second)
			if _, err := s.App.Messenger.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			if heard != test.want {
				t.Errorf("told %d times, want %d", heard, test.want)
			}
		})
	}
}

// told signs a user in, lets a client take part, deactivates the user, and starts
// the server anew.
func told(t *testing.T, s *servertest.Server, uri string) {
	t.Helper()
	u := joins(t, s.App, s.ApplicationID, s.OwnerID, uri)
	if _, err := s.App.People.SetActive(t.Context(), audit.System(), s.ApplicationID, u.UUID, false); err != nil {
		t.Fatal(err)
	}
	s.Restart()
}

// joins signs a user in, and lets a client that listens at uri take part.
func joins(t *testing.T, a *app.App, applicationID, clientID, uri string) *people.User {
	t.Helper()
	ctx := t.Context()
	application, err := a.Applications.Get(ctx, applicationID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Store.Clients().Change(ctx, applicationID, clientID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Settings.Redirect.Backchannel = uri
		return audit.New(audit.System(), applicationID, "client.update", "x", c.CreatedAt), nil
	}); err != nil {
		t.Fatal(err)
	}
	u, err := a.People.Create(ctx, audit.System(), applicationID, people.Fields{Email: "ann@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	in, _, err := a.Sessions.Begin(ctx, audit.System(), application, u, session.SignIn{ACR: session.OneFactor})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Sessions.Join(ctx, in, clientID); err != nil {
		t.Fatal(err)
	}
	return u
}

// A server that runs ends sessions that have expired, and tells of it, within five
// seconds; one that expires by a setting that was made shorter is no other.
func TestExpiryIsTold(t *testing.T) {
	clock := temporary.At(time.Now().UTC().Truncate(time.Second))
	c, err := config.LoadFrom(pflag.NewFlagSet("test", pflag.ContinueOnError), []string{
		"OSTIARY_DATA=" + t.TempDir(), "OSTIARY_LISTEN=127.0.0.1:1", "OSTIARY_DRAIN_DELAY=0s",
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Listen, c.OpsListen = "127.0.0.1:0", "127.0.0.1:0"
	listeners, err := app.Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.Listen = listeners.Main.Addr().String()
	a, err := app.Open(t.Context(), c, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	first, err := a.Found(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{}, 10)
	listening := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard <- struct{}{} }))
	defer listening.Close()
	joins(t, a, first.ApplicationID, first.OwnerClientID, listening.URL)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- a.Run(ctx, listeners) }()
	clock.Advance(time.Hour)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://"+c.Listen+"/api/v1/applications/"+first.ApplicationID,
		strings.NewReader(`{"session_lifetime":60}`))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(first.OwnerClientID, first.OwnerClientSecret)
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.Body.Close() != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer, err)
	}
	select {
	case <-heard:
	case <-time.After(5 * time.Second):
		t.Error("nobody heard within 5 seconds that a session is over")
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := errors.Join(<-ran, a.Close()); err != nil {
		t.Error(err)
	}
}

func prefixes(t *testing.T, texts ...string) (list []netip.Prefix) {
	t.Helper()
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}
