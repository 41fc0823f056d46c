//go:build linux

package fill_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/bench/fill"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/pgtest"
	"github.com/ostiary/ostiary/internal/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestFill: what was filled is what the store reads.
func TestFill(t *testing.T) {
	for name, url := range map[string]string{"SQLite": "", "PostgreSQL": pgtest.Database(t)} {
		t.Run(name, func(t *testing.T) {
			const application, many = "acme", 500
			options := store.Options{Data: t.TempDir(), URL: url}
			db, err := store.Open(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			some, err := fill.Fill(t.Context(), fill.Instance{Data: options.Data, URL: url, Application: application, Many: many, Now: now}, t.Logf)
			if err != nil {
				t.Fatal(err)
			}
			if db, err = store.Open(t.Context(), options); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}()
			clients, err := db.Clients().List(t.Context(), application, client.Filter{Limit: many + 1})
			if err != nil || len(clients) != many {
				t.Errorf("%d clients, %v", len(clients), err)
			}
			for _, id := range some.Clients {
				if c, err := db.Clients().Get(t.Context(), application, id); err != nil || len(c.Secrets) != 1 {
					t.Errorf("client %s: %v", id, err)
				}
			}
			events, _, err := db.Audit().Search(t.Context(), application, audit.Filter{Limit: many + 1})
			if err != nil || len(events) != many {
				t.Errorf("%d events, %v", len(events), err)
			}
			wantUsers(t, db, application, some)
			page, err := db.Tokens().List(t.Context(), application, token.Query{
				Selection: token.Selection{ClientID: fill.BusyClient}, Limit: many, Now: now,
			})
			if err != nil || len(page.Families) < many/5 {
				t.Errorf("%d families of one client, %v", len(page.Families), err)
			}
		})
	}
}

// wantUsers: each user is found by all that it is found by.
func wantUsers(t *testing.T, db *store.DB, application string, some fill.Some) {
	t.Helper()
	for i, uuid := range some.Users {
		u, err := db.Users().Get(t.Context(), application, uuid)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := u.Attributes["displayName"].(string)
		for _, text := range []string{uuid, u.Email, name} {
			found, _, err := db.Users().Search(t.Context(), application, user.Search{Text: text, Role: strings.Join(u.Roles[:min(1, len(u.Roles))], ""), Limit: 200})
			if err != nil || !slices.ContainsFunc(found, func(f *user.User) bool { return f.UUID == uuid }) {
				t.Errorf("user %d is not found by %q: %d others, %v", i, text, len(found), err)
			}
		}
	}
	middle := some.Users[len(some.Users)/2]
	sessions, err := db.Sessions().List(t.Context(), application, middle)
	if err != nil || len(sessions) < fill.UserSessions || len(sessions[0].Clients) != 1 {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
	consents, err := db.Consents().List(t.Context(), application, consent.Filter{UserID: middle, Limit: 1000})
	if err != nil || len(consents) < fill.UserConsents {
		t.Errorf("%d consents, %v", len(consents), err)
	}
}
