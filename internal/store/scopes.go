package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// Scopes keeps the scopes that are not built in.
type Scopes struct{ db *DB }

// Scopes gives the store of scopes.
func (db *DB) Scopes() Scopes { return Scopes{db} }

var _ scope.Store = Scopes{}

const (
	scopeNames = `application_id, name, description, kind, required_role, url_patterns, revision, created_at, updated_at`

	selectScope = `SELECT ` + scopeNames + ` FROM scope WHERE application_id = $1 AND name_key = $2 AND name = $3`
	listScopes  = `SELECT ` + scopeNames + ` FROM scope WHERE application_id = $1 AND name_key > $2 ORDER BY name_key LIMIT $3`
)

func scanScope(row scanner) (*scope.Scope, error) {
	s := &scope.Scope{}
	var kind, patterns string
	var created, updated int64
	err := row.Scan(&s.ApplicationID, &s.Name, &s.Description, &kind, &s.RequiredRole, &patterns, &s.Revision, &created, &updated)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(patterns), &s.URLPatterns); err != nil {
		return nil, fmt.Errorf("read the patterns of scope %s: %w", s.Name, err)
	}
	if len(s.URLPatterns) == 0 {
		s.URLPatterns = nil
	}
	s.Kind, s.CreatedAt, s.UpdatedAt = scope.Kind(kind), instant(created), instant(updated)
	return s, nil
}

func patternsOf(s *scope.Scope) (string, error) {
	if s.URLPatterns == nil {
		return "[]", nil
	}
	patterns, err := json.Marshal(s.URLPatterns)
	return string(patterns), err
}

func noScope() error { return fault.NotFoundf("There is no such scope.") }

// Create implements scope.Store.
func (t Scopes) Create(ctx context.Context, made *scope.Scope, event audit.Event) error {
	patterns, err := patternsOf(made)
	if err != nil {
		return err
	}
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		n, err := s.exec(ctx, `INSERT INTO scope (application_id, name_key, name, description, kind, required_role, url_patterns, revision, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9) ON CONFLICT DO NOTHING`,
			made.ApplicationID, scope.Key(made.Name), made.Name, made.Description, string(made.Kind), made.RequiredRole, patterns,
			micros(made.CreatedAt), micros(made.UpdatedAt))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Takenf("name", "There is a scope of this name already; names are compared without regard to case.")
		}
		made.Revision = 1
		return record(ctx, s, event)
	})
}

// Get implements scope.Store.
func (t Scopes) Get(ctx context.Context, applicationID, name string) (*scope.Scope, error) {
	found, ok, err := readOne(ctx, t.db, scanScope, selectScope, applicationID, scope.Key(name), name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, noScope()
	}
	return found, nil
}

// List implements scope.Store.
func (t Scopes) List(ctx context.Context, applicationID, after string, limit int) ([]*scope.Scope, error) {
	return readAll(ctx, t.db, scanScope, listScopes, applicationID, after, limit)
}

// getScope is Get in a transaction.
func getScope(ctx context.Context, s session, applicationID, name string) (*scope.Scope, error) {
	found, ok, err := one(ctx, s, scanScope, selectScope, applicationID, scope.Key(name), name)
	if err == nil && !ok {
		err = noScope()
	}
	return found, err
}

// Change implements scope.Store.
func (t Scopes) Change(ctx context.Context, applicationID, name string, change func(*scope.Scope) (audit.Event, error)) (after *scope.Scope, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		found, err := getScope(ctx, s, applicationID, name)
		if err != nil {
			return err
		}
		revision, created := found.Revision, found.CreatedAt
		event, err := change(found)
		if err != nil {
			return err
		}
		patterns, err := patternsOf(found)
		if err != nil {
			return err
		}
		n, err := s.exec(ctx, `UPDATE scope SET description = $1, kind = $2, required_role = $3, url_patterns = $4, revision = revision + 1, updated_at = $5
			WHERE application_id = $6 AND name_key = $7 AND revision = $8`,
			found.Description, string(found.Kind), found.RequiredRole, patterns, micros(found.UpdatedAt),
			applicationID, scope.Key(name), revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return errRaced
		}
		found.ApplicationID, found.Name, found.Revision, found.CreatedAt = applicationID, name, revision+1, created
		after = found
		return record(ctx, s, event)
	})
	return after, err
}

// Delete implements scope.Store. All families are looked at before the
// transaction, by a connection that keeps no writer waiting, and inside it only
// those that can have come since.
func (t Scopes) Delete(ctx context.Context, applicationID, name string, check func(*scope.Scope) (audit.Event, error)) error {
	found, err := t.Get(ctx, applicationID, name)
	if err != nil {
		return err
	}
	if _, err := check(found); err != nil {
		return err
	}
	since, err := t.db.noToken(ctx, applicationID, name)
	if err != nil {
		return err
	}
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		found, err := getScope(ctx, s, applicationID, name)
		if err != nil {
			return err
		}
		event, err := check(found)
		if err != nil {
			return err
		}
		// First the row goes: whoever is about to use the scope holds it, or waits
		// for it and finds it gone.
		n, err := s.exec(ctx, `DELETE FROM scope WHERE application_id = $1 AND name_key = $2 AND revision = $3`, applicationID, scope.Key(name), found.Revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return errRaced
		}
		if err := unused(ctx, s, applicationID, name, t.db.now(), since); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}
