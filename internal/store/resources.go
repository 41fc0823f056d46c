package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/resource"
)

// Resources keeps resources.
type Resources struct{ db *DB }

// Resources gives the store of resources.
func (db *DB) Resources() Resources { return Resources{db} }

var _ resource.Store = Resources{}

// selectResources reads resources with their introspectors in one statement, so
// that they are of one moment.
func selectResources(conditions string) string {
	return `SELECT r.application_id, r.identifier, r.name, r.scopes, r.access_token_format, r.revision, r.created_at, r.updated_at, c.id, c.sequence
		FROM (SELECT * FROM resource WHERE ` + conditions + `) r
		LEFT JOIN resource_client i ON i.application_id = r.application_id AND i.identifier = r.identifier
		LEFT JOIN client c ON c.sequence = i.client_sequence ORDER BY r.identifier, i.ordinal`
}

var (
	selectResource = selectResources(`application_id = $1 AND identifier = $2`)
	listResources  = selectResources(`application_id = $1 AND identifier > $2 ORDER BY identifier LIMIT $3`)
)

// resourceRows puts together what selectResources gives: a row an introspector,
// or one for a resource that has none.
type resourceRows struct{ list []*resource.Resource }

func (r *resourceRows) scan(row scanner) (struct{}, error) {
	found := &resource.Resource{}
	var scopes, format string
	var created, updated int64
	var id sql.NullString
	var sequence sql.NullInt64
	err := row.Scan(&found.ApplicationID, &found.Identifier, &found.Name, &scopes, &format, &found.Revision, &created, &updated, &id, &sequence)
	if err != nil {
		return struct{}{}, err
	}
	if n := len(r.list); n > 0 && r.list[n-1].Identifier == found.Identifier {
		found = r.list[n-1]
	} else {
		found.Scopes, found.AccessTokenFormat = words(scopes), lifetime.Format(format)
		found.CreatedAt, found.UpdatedAt = instant(created), instant(updated)
		r.list = append(r.list, found)
	}
	if id.Valid {
		found.Introspectors = append(found.Introspectors, resource.Introspector{ClientID: id.String, Sequence: sequence.Int64})
	}
	return struct{}{}, nil
}

func (r *resourceRows) only() (*resource.Resource, error) {
	if len(r.list) == 0 {
		return nil, fault.NotFoundf("There is no such resource.")
	}
	return r.list[0], nil
}

// Get implements resource.Store.
func (t Resources) Get(ctx context.Context, applicationID, identifier string) (*resource.Resource, error) {
	var rows resourceRows
	if _, err := readAll(ctx, t.db, rows.scan, selectResource, applicationID, identifier); err != nil {
		return nil, err
	}
	return rows.only()
}

// List implements resource.Store.
func (t Resources) List(ctx context.Context, applicationID, after string, limit int) ([]*resource.Resource, error) {
	var rows resourceRows
	_, err := readAll(ctx, t.db, rows.scan, listResources, applicationID, after, limit)
	return rows.list, err
}

// getResource is Get in a transaction.
func getResource(ctx context.Context, s session, applicationID, identifier string) (*resource.Resource, error) {
	var rows resourceRows
	if _, err := all(ctx, s, rows.scan, selectResource, applicationID, identifier); err != nil {
		return nil, err
	}
	return rows.only()
}

// Create implements resource.Store.
func (t Resources) Create(ctx context.Context, made *resource.Resource, event audit.Event) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		if err := holdScopes(ctx, s, made.ApplicationID, made.Scopes, made.Scopes); err != nil {
			return err
		}
		if err := holdIntrospectors(ctx, s, made); err != nil {
			return err
		}
		n, err := s.exec(ctx, `INSERT INTO resource (application_id, identifier, name, scopes, access_token_format, revision, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, 1, $6, $7) ON CONFLICT DO NOTHING`,
			made.ApplicationID, made.Identifier, made.Name, strings.Join(made.Scopes, " "), string(made.AccessTokenFormat),
			micros(made.CreatedAt), micros(made.UpdatedAt))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Takenf("identifier", "There is a resource of this identifier already.")
		}
		made.Revision = 1
		if err := insertIntrospectors(ctx, s, made); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}

// Change implements resource.Store.
func (t Resources) Change(ctx context.Context, applicationID, identifier string, change func(*resource.Resource) (audit.Event, error)) (after *resource.Resource, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		before, err := getResource(ctx, s, applicationID, identifier)
		if err != nil {
			return err
		}
		changed := *before
		changed.Scopes, changed.Introspectors = slices.Clone(before.Scopes), slices.Clone(before.Introspectors)
		event, err := change(&changed)
		if err != nil {
			return err
		}
		changed.ApplicationID, changed.Identifier = applicationID, identifier
		changed.Revision, changed.CreatedAt = before.Revision+1, before.CreatedAt
		if err := updateResource(ctx, s, before, &changed); err != nil {
			return err
		}
		after = &changed
		return record(ctx, s, event)
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// updateResource locks what the resource names before the resource itself, in
// the order in which the deletion of a client meets them.
func updateResource(ctx context.Context, s session, before, after *resource.Resource) error {
	if err := holdScopes(ctx, s, after.ApplicationID, after.Scopes, without(after.Scopes, before.Scopes)); err != nil {
		return err
	}
	if err := holdIntrospectors(ctx, s, after); err != nil {
		return err
	}
	n, err := s.exec(ctx, `UPDATE resource SET name = $1, scopes = $2, access_token_format = $3, revision = $4, updated_at = $5
		WHERE application_id = $6 AND identifier = $7 AND revision = $8`,
		after.Name, strings.Join(after.Scopes, " "), string(after.AccessTokenFormat), after.Revision, micros(after.UpdatedAt),
		after.ApplicationID, after.Identifier, before.Revision)
	if err != nil {
		return err
	}
	if n == 0 {
		return errRaced
	}
	if slices.Equal(before.Introspectors, after.Introspectors) {
		return nil
	}
	if err := deleteIntrospectors(ctx, s, after.ApplicationID, after.Identifier); err != nil {
		return err
	}
	return insertIntrospectors(ctx, s, after)
}

// Delete implements resource.Store.
func (t Resources) Delete(ctx context.Context, applicationID, identifier string, check func(*resource.Resource) (audit.Event, error)) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		found, err := getResource(ctx, s, applicationID, identifier)
		if err != nil {
			return err
		}
		event, err := check(found)
		if err != nil {
			return err
		}
		n, err := s.exec(ctx, `DELETE FROM resource WHERE application_id = $1 AND identifier = $2 AND revision = $3`, applicationID, identifier, found.Revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return errRaced
		}
		if err := deleteIntrospectors(ctx, s, applicationID, identifier); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}

// clientSequence gives the sequence of a client that then stays until the commit.
func clientSequence(d *dialect) string {
	return `SELECT sequence FROM client WHERE application_id = $1 AND id = $2` + d.shared
}

// holdIntrospectors finds the clients that a resource names and keeps them from
// being deleted before the commit. Those that are not there are fault.Problems.
func holdIntrospectors(ctx context.Context, s session, r *resource.Resource) error {
	var problems fault.Problems
	for i := range r.Introspectors {
		sequence, ok, err := one(ctx, s, column[int64], clientSequence(s.dialect), r.ApplicationID, r.Introspectors[i].ClientID)
		if err != nil {
			return err
		}
		if !ok {
			problems.Add("introspecting_clients["+strconv.Itoa(i)+"]", "There is no such client in this application.")
		}
		r.Introspectors[i].Sequence = sequence
	}
	return problems.OrNil()
}

func insertIntrospectors(ctx context.Context, s session, r *resource.Resource) error {
	for i := range r.Introspectors {
		_, err := s.exec(ctx, `INSERT INTO resource_client (application_id, identifier, ordinal, client_sequence) VALUES ($1, $2, $3, $4)`,
			r.ApplicationID, r.Identifier, i, r.Introspectors[i].Sequence)
		if err != nil {
			return err
		}
	}
	return nil
}

func deleteIntrospectors(ctx context.Context, s session, applicationID, identifier string) error {
	_, err := s.exec(ctx, `DELETE FROM resource_client WHERE application_id = $1 AND identifier = $2`, applicationID, identifier)
	return err
}

// resourcesNaming finds the resources that name a client, and has them wait.
func resourcesNaming(d *dialect) string {
	return `SELECT identifier FROM resource WHERE application_id = $1 AND identifier IN
		(SELECT identifier FROM resource_client WHERE client_sequence = $2) ORDER BY identifier` + d.exclusive
}

const forgetResources = `DELETE FROM resource_client WHERE client_sequence = $1 RETURNING identifier`

// forgetIntrospector takes a client that was deleted off the resources that name
// it, and with each the resource's revision grows: what it shows has changed. The
// resources are locked first, as by whoever changes one, and in one order.
func forgetIntrospector(ctx context.Context, s session, applicationID string, sequence int64) error {
	held, err := all(ctx, s, column[string], resourcesNaming(s.dialect), applicationID, sequence)
	if err != nil || len(held) == 0 {
		return err
	}
	identifiers, err := all(ctx, s, column[string], forgetResources, sequence)
	if err != nil {
		return err
	}
	for _, identifier := range identifiers {
		_, err := s.exec(ctx, `UPDATE resource SET revision = revision + 1 WHERE application_id = $1 AND identifier = $2`, applicationID, identifier)
		if err != nil {
			return err
		}
	}
	return nil
}
