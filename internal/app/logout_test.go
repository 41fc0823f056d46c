package app_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/session"
	people "github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
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
	ctx := t.Context()
	app, err := s.App.Applications.Get(ctx, s.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.App.Store.Clients().Change(ctx, app.ID, s.OwnerID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Settings.Redirect.Backchannel = uri
		return audit.New(audit.System(), app.ID, "client.update", "x", s.Clock.Now()), nil
	}); err != nil {
		t.Fatal(err)
	}
	u, err := s.App.People.Create(ctx, audit.System(), app.ID, people.Fields{Email: "ann@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	in, _, err := s.App.Sessions.Begin(ctx, audit.System(), app, u, session.SignIn{ACR: session.OneFactor})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.App.Sessions.Join(ctx, in, s.OwnerID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.App.People.SetActive(ctx, audit.System(), app.ID, u.UUID, false); err != nil {
		t.Fatal(err)
	}
	s.Restart()
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
