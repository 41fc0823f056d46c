package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// Clients keeps clients, their secrets and their settings documents.
type Clients struct{ db *DB }

// Clients gives the store of clients.
func (db *DB) Clients() Clients { return Clients{db} }

var _ client.Store = Clients{}

// selectClients reads clients with their secrets in one statement, so that they
// are of one moment. It is completed by conditions on client and a limit.
func selectClients(conditions string) string {
	return `SELECT these.application_id, these.id, these.name, these.version, these.kind, these.public, these.inactive, these.era,
		these.settings, these.sequence, these.revision, these.created_at, these.updated_at,
		s.id, s.label, s.hint, s.digest, s.digest_key, s.sealed, s.created_at, s.expires_at
		FROM (SELECT * FROM client WHERE ` + conditions + `) these
		LEFT JOIN client_secret s ON s.client_sequence = these.sequence ORDER BY these.sequence, s.ordinal`
}

var (
	selectClient = selectClients(`application_id = $1 AND id = $2`)
	listClients  = selectClients(`application_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`)
)

// listClientsFeature is listClients of those with all the features of bits.
func listClientsFeature(bits int64) string {
	return selectClients(`sequence IN (SELECT sequence FROM client
		WHERE application_id = $1 AND sequence > $2 AND ` + featured(bits) + ` AND features & $3 = $4 ORDER BY sequence LIMIT $5)`)
}

// featured is the condition of the index of the first feature of bits. Of an
// equation PostgreSQL supposes that few rows satisfy it, and takes the index.
func featured(bits int64) string {
	bit := strconv.FormatInt(bits&-bits, 10)
	return "features & " + bit + " = " + bit
}

// clientRows puts together what selectClients gives: a row a secret, or one for
// a client that has none.
type clientRows struct{ list []*client.Client }

func (r *clientRows) scan(row scanner) (struct{}, error) {
	c := &client.Client{}
	var kind, settings string
	var created, updated int64
	var id, label, hint sql.NullString
	var digest, sealed []byte
	var number sql.NullInt32
	var made, expires sql.NullInt64
	err := row.Scan(&c.ApplicationID, &c.ID, &c.Name, &c.Version, &kind, &c.Public, &c.Inactive, &c.Era, &settings,
		&c.Sequence, &c.Revision, &created, &updated, &id, &label, &hint, &digest, &number, &sealed, &made, &expires)
	if err != nil {
		return struct{}{}, err
	}
	if n := len(r.list); n > 0 && r.list[n-1].Sequence == c.Sequence {
		c = r.list[n-1]
	} else {
		if err := json.Unmarshal([]byte(settings), &c.Settings); err != nil {
			return struct{}{}, fmt.Errorf("read the settings of client %s: %w", c.ID, err)
		}
		c.Kind, c.CreatedAt, c.UpdatedAt = client.Kind(kind), instant(created), instant(updated)
		r.list = append(r.list, c)
	}
	if id.Valid {
		c.Secrets = append(c.Secrets, client.Secret{
			ID: id.String, Label: label.String, Hint: hint.String, Digest: digest, DigestKey: number.Int32,
			Sealed: sealed, CreatedAt: instant(made.Int64), ExpiresAt: instant(expires.Int64),
		})
	}
	return struct{}{}, nil
}

func noClient() error { return fault.NotFoundf("There is no such client.") }

// Get implements client.Store.
func (c Clients) Get(ctx context.Context, applicationID, id string) (*client.Client, error) {
	if !storable(applicationID, id) {
		return nil, noClient()
	}
	var rows clientRows
	if _, err := readAll(ctx, c.db, rows.scan, selectClient, applicationID, id); err != nil {
		return nil, err
	}
	if len(rows.list) == 0 {
		return nil, noClient()
	}
	return rows.list[0], nil
}

// List implements client.Store.
func (c Clients) List(ctx context.Context, applicationID string, filter client.Filter) ([]*client.Client, error) {
	var rows clientRows
	var err error
	if bits := filter.Features.Bits(); bits != 0 {
		_, err = readAll(ctx, c.db, rows.scan, listClientsFeature(bits), applicationID, filter.After, bits, bits, filter.Limit)
	} else {
		_, err = readAll(ctx, c.db, rows.scan, listClients, applicationID, filter.After, filter.Limit)
	}
	return rows.list, err
}

// getClient is Get in a transaction.
func getClient(ctx context.Context, s session, applicationID, id string) (*client.Client, error) {
	if !storable(applicationID, id) {
		return nil, noClient()
	}
	var rows clientRows
	if _, err := all(ctx, s, rows.scan, selectClient, applicationID, id); err != nil {
		return nil, err
	}
	if len(rows.list) == 0 {
		return nil, noClient()
	}
	return rows.list[0], nil
}

// Create implements client.Store.
func (c Clients) Create(ctx context.Context, made *client.Client, unique client.Uniqueness, event audit.Event) error {
	return c.db.change(ctx, func(ctx context.Context, s session) error {
		if err := insertClient(ctx, s, made, unique); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}

// written gives the field by which a client comes to another name and version.
func written(before, after *client.Client) string {
	if after.Name == before.Name {
		return "version"
	}
	return "name"
}

// Change implements client.Store.
func (c Clients) Change(ctx context.Context, applicationID, id string, unique client.Uniqueness, change func(*client.Client) (audit.Event, error)) (*client.Client, error) {
	return c.change(ctx, applicationID, id, unique, change, func(context.Context, session) error { return nil })
}

// change is Change, and writes more in its transaction.
func (c Clients) change(
	ctx context.Context, applicationID, id string, unique client.Uniqueness,
	change func(*client.Client) (audit.Event, error), more func(context.Context, session) error,
) (after *client.Client, err error) {
	texts := false // whether it is found by another text
	err = c.db.change(ctx, func(ctx context.Context, s session) error {
		before, err := getClient(ctx, s, applicationID, id)
		if err != nil {
			return err
		}
		after = clone(before)
		event, err := change(after)
		if err != nil {
			return err
		}
		after.ApplicationID, after.ID, after.CreatedAt = applicationID, id, before.CreatedAt
		after.Sequence, after.Revision = before.Sequence, before.Revision+1
		if fold(after.Name) != fold(before.Name) || after.Version != before.Version {
			if err := claimName(ctx, s, after, unique, written(before, after)); err != nil {
				return err
			}
		}
		if err := updateClient(ctx, s, after); err != nil {
			return err
		}
		if texts = textOf(after) != textOf(before); texts {
			c.db.texts.touch(before.Sequence)
		}
		if err := c.follow(ctx, s, before, after); err != nil {
			return err
		}
		if err := more(ctx, s); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
	if err != nil {
		return nil, err
	}
	if texts { // whoever looked before the commit saw the old one
		c.db.texts.touch(after.Sequence)
	}
	return after, nil
}

// follow writes what is kept of a client beside its row, where it changed.
func (c Clients) follow(ctx context.Context, s session, before, after *client.Client) error {
	if err := writeClientScopes(ctx, s, before.ApplicationID, before.Sequence, before.Settings.Scopes.Allowed, after.Settings.Scopes.Allowed); err != nil {
		return err
	}
	if err := clientOrigins.write(ctx, s, before.ApplicationID, before.Sequence, before.Settings.Redirect.AllOrigins(), after.Settings.Redirect.AllOrigins()); err != nil {
		return err
	}
	if err := writeSecrets(ctx, s, before.Sequence, before.Secrets, after.Secrets); err != nil {
		return err
	}
	if after.Era == before.Era {
		return nil
	}
	return bury(ctx, s, before.ApplicationID, before.ID, before.Era, c.db.now())
}

// clone copies what a change may alter in place.
func clone(c *client.Client) *client.Client {
	d := *c
	d.Secrets = append([]client.Secret(nil), c.Secrets...)
	d.Settings.Scopes.Allowed = slices.Clone(c.Settings.Scopes.Allowed)
	return &d
}

// updateClient stores a client whose Revision is one more than that of its row.
func updateClient(ctx context.Context, s session, c *client.Client) error {
	settings, err := json.Marshal(&c.Settings)
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, `UPDATE client SET name = $1, name_key = $2, version = $3, kind = $4, public = $5, inactive = $6,
		era = $7, features = $8, settings = $9, revision = $10, updated_at = $11
		WHERE application_id = $12 AND id = $13 AND revision = $14`,
		c.Name, fold(c.Name), c.Version, string(c.Kind), c.Public, c.Inactive,
		c.Era, c.Settings.Features.Bits(), string(settings), c.Revision, micros(c.UpdatedAt),
		c.ApplicationID, c.ID, c.Revision-1)
	if err == nil && n == 0 {
		return errRaced
	}
	return err
}

// Delete implements client.Store.
func (c Clients) Delete(ctx context.Context, applicationID, id string, check func(*client.Client) (audit.Event, error)) error {
	return c.db.change(ctx, func(ctx context.Context, s session) error {
		found, err := getClient(ctx, s, applicationID, id)
		if err != nil {
			return err
		}
		event, err := check(clone(found))
		if err != nil {
			return err
		}
		n, err := s.exec(ctx, `DELETE FROM client WHERE application_id = $1 AND id = $2 AND revision = $3`, applicationID, id, found.Revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return errRaced
		}
		if err := writeClientScopes(ctx, s, applicationID, found.Sequence, found.Settings.Scopes.Allowed, nil); err != nil {
			return err
		}
		if err := clientOrigins.write(ctx, s, applicationID, found.Sequence, found.Settings.Redirect.AllOrigins(), nil); err != nil {
			return err
		}
		if err := forgetIntrospector(ctx, s, applicationID, found.Sequence); err != nil {
			return err
		}
		if _, err := s.exec(ctx, `DELETE FROM client_secret WHERE client_sequence = $1`, found.Sequence); err != nil {
			return err
		}
		if _, err := s.exec(ctx, buryConsents, found.Sequence); err != nil {
			return err
		}
		if _, err := s.exec(ctx, `DELETE FROM settings_document WHERE application_id = $1 AND client_id = $2`, applicationID, id); err != nil {
			return err
		}
		if err := bury(ctx, s, applicationID, id, found.Era, c.db.now()); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}
