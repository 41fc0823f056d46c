package store

import (
	"context"
	"errors"
	"slices"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// errDry undoes a dry run.
var errDry = errors.New("store: this was a dry run")

// CreateMany implements client.Store. As a rule nobody is refused: then there is
// one savepoint for all. A savepoint each would take a quarter of the time.
func (c Clients) CreateMany(ctx context.Context, clients []*client.Client, events []audit.Event, dry bool) (refused []error, err error) {
	err = c.db.change(ctx, func(ctx context.Context, s session) error {
		refused = make([]error, len(clients))
		if err := lockNames(ctx, s, clients); err != nil {
			return err
		}
		insert := func(i int) error {
			if err := insertClient(ctx, s, clients[i], client.NameAndVersion); err != nil {
				return err
			}
			return record(ctx, s, events[i])
		}
		outcome, err := apart(ctx, s, func() error {
			for i := range clients {
				if err := insert(i); err != nil {
					return err
				}
			}
			return nil
		})
		for i := 0; i < len(clients) && outcome != nil && err == nil; i++ {
			refused[i], err = apart(ctx, s, func() error { return insert(i) })
		}
		if err == nil && dry {
			err = errDry
		}
		return err
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return refused, err
}

// lockNames keeps the names of many clients from being taken, in one order, so
// that two imports of the same clients do not wait for each other.
func lockNames(ctx context.Context, s session, clients []*client.Client) error {
	names := make([][2]string, len(clients))
	for i, c := range clients {
		names[i] = [2]string{c.ApplicationID, fold(c.Name)}
	}
	slices.SortFunc(names, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	for _, name := range slices.Compact(names) {
		if err := s.dialect.lock(ctx, s, "client name", name[0], name[1]); err != nil {
			return err
		}
	}
	return nil
}

func existing(d *dialect) string {
	return `SELECT id FROM client WHERE application_id = $1 AND id IN (` + d.values("$2") + `)`
}

// Existing implements client.Store.
func (c Clients) Existing(ctx context.Context, applicationID string, ids []string) ([]string, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !storable(id) })
	sought, err := jsonArray(ids)
	if err != nil {
		return nil, err
	}
	return readAll(ctx, c.db, column[string], existing(c.db.dialect), applicationID, sought)
}

// apart runs a part of a transaction that can be refused alone: with a fault of
// the caller's making, which is the outcome. Any other error ends the whole.
func apart(ctx context.Context, s session, part func() error) (outcome, err error) {
	if _, err := s.exec(ctx, "SAVEPOINT part"); err != nil {
		return nil, err
	}
	if outcome = part(); outcome != nil {
		if kind := fault.KindOf(outcome); kind != fault.Invalid && kind != fault.Conflict {
			return nil, outcome
		}
		if _, err := s.exec(ctx, "ROLLBACK TO SAVEPOINT part"); err != nil {
			return nil, err
		}
	}
	_, err = s.exec(ctx, "RELEASE SAVEPOINT part")
	return outcome, err
}

const selectNamed = `SELECT id FROM client WHERE application_id = $1 AND name_key = $2 AND version = $3`

// Named implements client.Store.
func (c Clients) Named(ctx context.Context, applicationID, name, version string) (*client.Client, error) {
	if !storable(applicationID, name, version) {
		return nil, noClient()
	}
	id, ok, err := readOne(ctx, c.db, column[string], selectNamed, applicationID, fold(name), version)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, noClient()
	}
	return c.Get(ctx, applicationID, id)
}
