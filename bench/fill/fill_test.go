//go:build linux

package fill_test

import (
	"os"
	"testing"
	"time"

	"github.com/ostiary/ostiary/bench/fill"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/token"
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
			ids, err := fill.Fill(t.Context(), fill.Instance{Data: options.Data, URL: url, Application: application, Many: many, Now: now}, t.Logf)
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
			for _, id := range ids {
				if c, err := db.Clients().Get(t.Context(), application, id); err != nil || len(c.Secrets) != 1 {
					t.Errorf("client %s: %v", id, err)
				}
			}
			events, _, err := db.Audit().Search(t.Context(), application, audit.Filter{Limit: many + 1})
			if err != nil || len(events) != many {
				t.Errorf("%d events, %v", len(events), err)
			}
			page, err := db.Tokens().List(t.Context(), application, token.Query{
				Selection: token.Selection{ClientID: fill.BusyClient}, Limit: many, Now: now,
			})
			if err != nil || len(page.Families) < many/5 {
				t.Errorf("%d families of one client, %v", len(page.Families), err)
			}
		})
	}
}
