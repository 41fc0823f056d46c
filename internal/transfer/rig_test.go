package transfer_test

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/clienttest"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/temporary"
	"github.com/ostiary/ostiary/internal/transfer"
)

// rig is an application, in a database of its own.
type rig struct {
	testing.TB

	db       *store.DB
	registry *client.Registry
	to       transfer.Target
}

var moment = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func newRig(t testing.TB, settings application.Settings) *rig {
	t.Helper()
	clock := func() time.Time { return moment }
	db := temporary.Open(t, t.TempDir(), clock)
	ring := temporary.Ring(t, db, clock)
	scopes := scope.NewRegistry(db.Scopes(), 1<<20)
	r := &rig{TB: t, db: db, registry: client.NewRegistry(db.Clients(), ring, clock, 1<<20)}
	apps := application.NewRegistry(db.Applications(), 1<<20)
	r.to = transfer.Target{
		Application: &application.Application{ID: "app", Name: "App", Settings: settings},
		Clients:     client.NewOperations(db.Clients(), db.Audit(), r.registry, apps, ring, clock).WithScopes(scopes.Scopes),
		Scopes:      scope.NewOperations(db.Scopes(), scopes, clock),
		Source:      audit.Source{Actor: "client:tester"},
		Role:        admin.Owner,
	}
	return r.in("app")
}

// in gives the rig with another application of the same database.
func (r *rig) in(applicationID string) *rig {
	r.Helper()
	other := *r
	app := *r.to.Application
	app.ID = applicationID
	other.to.Application = &app
	for _, name := range slices.Sorted(maps.Keys(clienttest.Scopes)) {
		fields := scope.Fields{Name: name, Kind: clienttest.Scopes[name]}
		if _, err := r.to.Scopes.Create(r.Context(), r.to.Source, applicationID, fields); err != nil {
			r.Fatal(err)
		}
	}
	return &other
}

// take imports lines.
func (r *rig) take(options transfer.Options, lines ...string) (transfer.Summary, []transfer.Row) {
	r.Helper()
	var rows []transfer.Row
	summary, err := transfer.Import(r.Context(), r.to, strings.NewReader(strings.Join(lines, "\n")), options, func(row transfer.Row) error {
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
	return summary, rows
}

// give exports.
func (r *rig) give(options client.ExportOptions) string {
	r.Helper()
	var out bytes.Buffer
	if err := transfer.Export(r.Context(), r.to.Clients, r.to.Source, r.to.Application, options, func() io.Writer { return &out }); err != nil {
		r.Fatal(err)
	}
	return out.String()
}

// events gives the actions of the application's audit events, oldest first.
func (r *rig) events() []string {
	r.Helper()
	events, _, err := r.db.Audit().Events(r.Context(), "app", store.Cursor{}, 200)
	if err != nil {
		r.Fatal(err)
	}
	var actions []string
	for _, e := range slices.Backward(events) {
		actions = append(actions, e.Action)
	}
	return actions
}
