package storetest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/store"
)

// testAuditInTransaction: a change whose event cannot be stored is not stored.
// The event has the id of one that is there.
func testAuditInTransaction(e *Env) {
	ctx := e.Context()
	e.founded()
	c := e.created("Watched")
	f := e.minted(e.family(c))
	bad := e.event("first")
	e.must(e.DB.Audit().Record(ctx, bad))
	events := e.actions()
	clientBefore, err := e.DB.Clients().Get(ctx, appID, c.ID)
	e.must(err)
	appBefore, err := e.DB.Applications().Get(ctx, appID)
	e.must(err)

	fresh := e.client("Fresh")
	for name, change := range map[string]func() error{
		"create": func() error { return e.DB.Clients().Create(ctx, fresh, client.NameAndVersion, bad) },
		"change": func() error {
			_, err := e.DB.Clients().Change(ctx, appID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
				c.Name, c.Era = "Unwatched", c.Era+1
				c.Secrets = []client.Secret{{ID: "s", Digest: []byte{1}, CreatedAt: e.Now}}
				return bad, nil
			})
			return err
		},
		"delete": func() error {
			return e.DB.Clients().Delete(ctx, appID, c.ID, func(*client.Client) (audit.Event, error) { return bad, nil })
		},
		"document": func() error { return e.putDocument(c.ID, `{}`, bad) },
		"revoke": func() error {
			_, err := e.DB.Tokens().Revoke(ctx, appID, f.ID, "revoked", bad)
			return err
		},
		"application": func() error {
			_, err := e.DB.Applications().Change(ctx, appID, func(a *application.Application) (audit.Event, error) {
				a.Name = "Unwatched"
				return bad, nil
			})
			return err
		},
		"signing keys": func() error {
			_, err := e.DB.Keys().ChangeSigningKeys(ctx, appID, func([]key.SigningKey) ([]key.SigningKey, []audit.Event, error) {
				return nil, []audit.Event{e.event("key.drop"), bad}, nil
			})
			return err
		},
		"data keys": func() error {
			_, err := e.DB.Keys().ChangeDataKeys(ctx, func([]key.WrappedKey) ([]key.WrappedKey, []audit.Event, error) {
				return []key.WrappedKey{{Number: 1, Purpose: key.Token, Wrapped: []byte{1}, CreatedAt: e.Now}}, []audit.Event{bad}, nil
			})
			return err
		},
	} {
		if change() == nil {
			e.Errorf("%s succeeded without its event", name)
		}
	}

	e.same(e.actions(), events)
	clientAfter, err := e.DB.Clients().Get(ctx, appID, c.ID)
	e.must(err)
	e.same(clientAfter, clientBefore)
	_, err = e.DB.Clients().Get(ctx, appID, fresh.ID)
	e.wants(fault.NotFound, err)
	documents, err := e.DB.Clients().Documents(ctx, appID, c.ID)
	e.must(err)
	e.same(documents, map[string][]byte{})
	family, err := e.DB.Tokens().Get(ctx, appID, f.ID)
	e.must(err)
	e.same(family, f)
	appAfter, err := e.DB.Applications().Get(ctx, appID)
	e.must(err)
	e.same(appAfter, appBefore)
	signing, err := e.DB.Keys().SigningKeys(ctx, appID)
	e.must(err)
	data, err := e.DB.Keys().DataKeys(ctx)
	e.must(err)
	if len(signing) != 2 || len(data) != 0 {
		e.Errorf("%d signing keys and %d data keys, want 2 and 0", len(signing), len(data))
	}
}

func testAuditLog(e *Env) {
	ctx, log := e.Context(), e.DB.Audit()
	var want []audit.Event
	for i := range 7 {
		source := audit.Source{Actor: "client:x", Address: netip.MustParseAddr("192.0.2.1"), RequestID: "req"}
		event := audit.New(source, appID, fmt.Sprint("action", i), "client:y", e.Now.Add(time.Duration(i/2)*time.Second))
		if i == 3 {
			event.Before, event.After, event.Outcome = json.RawMessage(`{"a": 1}`), json.RawMessage(`{"a":2}`), audit.Refused
		}
		e.must(log.Record(ctx, event))
		want = append([]audit.Event{event}, want...)
	}
	other := e.event("elsewhere")
	other.ApplicationID = ""
	e.must(log.Record(ctx, other))

	var got []audit.Event
	for cursor, pages := (store.Cursor{}), 0; ; pages++ {
		events, next, err := log.Events(ctx, appID, cursor, 3)
		e.must(err)
		got = append(got, events...)
		if next == (store.Cursor{}) {
			break
		}
		if cursor = next; pages > 3 {
			e.Fatal("the list has no end")
		}
	}
	e.same(got, want)
}

// testPanic: a panic in a change is the caller's, and the store goes on.
func testPanic(e *Env) {
	c := e.created("Steady")
	func() {
		defer func() {
			if recover() == nil {
				e.Error("the panic got lost")
			}
		}()
		_, _ = e.DB.Clients().Change(e.Context(), appID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
			c.Name = "Shaken"
			panic("as told")
		})
	}()
	got, err := e.DB.Clients().Get(e.Context(), appID, c.ID)
	e.must(err)
	e.same(got, c)
	e.minted(e.family(c))
	e.deactivate(c)
}

// testReopen: what was answered is there after the database was closed.
func testReopen(e *Env) {
	ctx := e.Context()
	founded := e.founded()
	c := e.created("Kept")
	f := e.minted(e.family(c))
	e.must(e.putDocument(c.ID, `{"kept": true}`, e.event("settings")))
	c.Revision++
	events := e.actions()
	e.Reopen()
	in, err := e.DB.Instance().Load(ctx)
	e.must(err)
	e.same(in, &founded.Instance)
	got, err := e.DB.Clients().Get(ctx, appID, c.ID)
	e.must(err)
	e.same(got, c)
	family, err := e.DB.Tokens().Get(ctx, appID, f.ID)
	e.must(err)
	e.same(family, f)
	documents, err := e.DB.Clients().Documents(ctx, appID, c.ID)
	e.must(err)
	e.same(documents, map[string][]byte{c.ID: []byte(`{"kept": true}`)})
	e.same(e.actions(), events)
	e.created("After")
}
