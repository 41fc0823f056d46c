package store

import (
	"context"
	"errors"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// errDry undoes a dry run.
var errDry = errors.New("store: this was a dry run")

// CreateMany implements client.Store.
func (c Clients) CreateMany(ctx context.Context, clients []*client.Client, events []audit.Event, dry bool) (refused []error, err error) {
	refused = make([]error, len(clients))
	err = c.db.change(ctx, func(ctx context.Context, s session) error {
		for i, made := range clients {
			outcome, err := apart(ctx, s, func() error {
				if err := insertClient(ctx, s, made, client.NameAndVersion); err != nil {
					return err
				}
				return record(ctx, s, events[i])
			})
			if err != nil {
				return err
			}
			refused[i] = outcome
		}
		if dry {
			return errDry
		}
		return nil
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return refused, err
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
