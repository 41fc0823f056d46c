package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// Applications keeps applications.
type Applications struct{ db *DB }

// Applications gives the store of applications.
func (db *DB) Applications() Applications { return Applications{db} }

var _ application.Store = Applications{}

const selectApplication = `SELECT id, name, settings, revision, created_at, updated_at FROM application WHERE id = $1`

func scanApplication(row scanner) (*application.Application, error) {
	a := &application.Application{}
	var settings string
	var created, updated int64
	if err := row.Scan(&a.ID, &a.Name, &settings, &a.Revision, &created, &updated); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(settings), &a.Settings); err != nil {
		return nil, fmt.Errorf("read the settings of application %s: %w", a.ID, err)
	}
	a.CreatedAt, a.UpdatedAt = instant(created), instant(updated)
	return a, nil
}

func noApplication() error { return fault.NotFoundf("There is no such application.") }

// Get implements application.Store.
func (a Applications) Get(ctx context.Context, id string) (*application.Application, error) {
	if !storable(id) {
		return nil, noApplication()
	}
	found, ok, err := readOne(ctx, a.db, scanApplication, selectApplication, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, noApplication()
	}
	return found, nil
}

// Change implements application.Store.
func (a Applications) Change(ctx context.Context, id string, change func(*application.Application) (audit.Event, error)) (after *application.Application, err error) {
	if !storable(id) {
		return nil, noApplication()
	}
	err = a.db.change(ctx, func(ctx context.Context, s session) error {
		found, ok, err := one(ctx, s, scanApplication, selectApplication, id)
		if err != nil {
			return err
		}
		if !ok {
			return noApplication()
		}
		revision, created := found.Revision, found.CreatedAt
		event, err := change(found)
		if err != nil {
			return err
		}
		settings, err := json.Marshal(&found.Settings)
		if err != nil {
			return err
		}
		n, err := s.exec(ctx, `UPDATE application SET name = $1, settings = $2, updated_at = $3, revision = revision + 1
			WHERE id = $4 AND revision = $5`, found.Name, string(settings), micros(found.UpdatedAt), id, revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return errRaced
		}
		found.ID, found.Revision, found.CreatedAt = id, revision+1, created
		after = found
		return record(ctx, s, event)
	})
	return after, err
}

// insertApplication stores a new application.
func insertApplication(ctx context.Context, s session, a *application.Application) error {
	settings, err := json.Marshal(&a.Settings)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO application (id, name, settings, revision, created_at, updated_at)
		VALUES ($1, $2, $3, 1, $4, $5)`, a.ID, a.Name, string(settings), micros(a.CreatedAt), micros(a.UpdatedAt))
	return err
}
