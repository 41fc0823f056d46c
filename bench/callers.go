//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/granttype"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/redirect"
	"github.com/ostiary/ostiary/internal/core/client/rule/scopepolicy"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/store"
)

// guests are allowed the scope whose tokens open a path.
const guests = "orders.read"

// populate makes who calls the server. Neither the management API nor the pages
// for users are measured here, so all of it goes to the store.
func (s *site) populate(ctx context.Context) error {
	db, err := store.Open(ctx, store.Options{Data: s.data, URL: s.database})
	if err != nil {
		return err
	}
	ring, err := key.OpenRing(ctx, db.Keys(), masterKey, time.Now)
	if err == nil {
		err = s.addCallers(ctx, db, ring)
	}
	if err == nil {
		err = s.addPeople(ctx, db, ring)
	}
	err = errors.Join(err, db.Close())
	if s.database != "" {
		// PostgreSQL frees what a connection held when it notices that it was
		// closed, and a server that starts before is refused.
		time.Sleep(500 * time.Millisecond)
	}
	return err
}

// addCallers makes the clients that get tokens.
func (s *site) addCallers(ctx context.Context, db *store.DB, ring *key.Ring) error {
	opening := scope.Fields{Name: guests, URLPatterns: []string{"GET /orders", "GET /orders/*"}}
	if _, err := scope.NewOperations(db.Scopes(), scope.NewRegistry(db.Scopes(), 0), time.Now).Create(ctx, audit.System(), s.application, opening); err != nil {
		return err
	}
	for caller, format := range map[*credentials]lifetime.Format{&s.opaque: lifetime.Opaque, &s.jwt: lifetime.JWT, &s.guest: lifetime.Opaque, &s.web: lifetime.JWT} {
		*caller = credentials{ident.Client(), ident.Secret()}
		now := time.Now().UTC()
		secret := client.Secret{ID: ident.Record(), CreatedAt: now}
		secret.Digest, secret.DigestKey = ring.DigestSecret(s.application, caller.id, caller.secret)
		c := &client.Client{
			ApplicationID: s.application, ID: caller.id, Name: "caller " + ident.Record(), Kind: client.Service, Era: now.UnixNano(),
			Settings: client.Settings{AccessToken: lifetime.Setting{Format: format}},
			Secrets:  []client.Secret{secret}, CreatedAt: now, UpdatedAt: now,
		}
		switch caller {
		case &s.guest:
			c.Settings.Scopes = scopepolicy.Setting{Allowed: []string{guests}, AllowUnscoped: true}
		case &s.web:
			c.Kind, c.Settings.Scopes = client.Web, webScopes()
			c.Settings.GrantTypes = granttype.Setting{oauth.AuthorizationCode, oauth.RefreshToken}
			c.Settings.Redirect = redirect.Setting{URIs: []string{redirectURI}}
		}
		event := audit.New(audit.System(), s.application, "client.create", "client:"+c.ID, now)
		if err := db.Clients().Create(ctx, c, client.NameAndVersion, event); err != nil {
			return err
		}
	}
	return nil
}

// manySecret is the secret of all seeded clients; their digests differ, since
// they are bound to the client.
const manySecret = "8fkx2m7qz4tnr5ruhsze494ssgz2bwvd"

// seed fills an SQLite site that is not running with clients and families as
// they would be after years, and gives callers of those clients, spread evenly
// over all of them.
func (s *site) seed(ctx context.Context, clients, families, callers int) (spread []credentials, err error) {
	store, err := store.Open(ctx, store.Options{Data: s.data})
	if err != nil {
		return nil, err
	}
	ring, err := key.OpenRing(ctx, store.Keys(), masterKey, time.Now)
	if err := errors.Join(err, store.Close()); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.data, "ostiary.db")+"?_pragma=synchronous(off)&_pragma=cache_size(-400000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	now := time.Now()
	for _, statement := range []struct {
		rows int
		text string
		args []any
	}{
		{clients, seedClients, []any{clients, s.application, now.UnixMicro()}},
		{clients, seedSecrets, nil},
		{families, seedFamilies, []any{families, s.application, now.UnixMilli(), clients}},
	} {
		result, err := db.ExecContext(ctx, statement.text, statement.args...)
		if err != nil {
			return nil, fmt.Errorf("seed: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != int64(statement.rows) {
			return nil, errors.Join(fmt.Errorf("seed: %d rows rather than %d", n, statement.rows), err)
		}
	}
	if spread, err = s.giveSecrets(ctx, db, ring, clients, callers); err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return spread, err
}

const (
	seedClients = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
INSERT INTO client (application_id, id, name, name_key, version, kind, public, inactive, era, features, settings, revision, created_at, updated_at)
SELECT ?2, lower(hex(randomblob(16))), 'Seeded client ' || i, 'seeded client ' || i, '', 'service', FALSE, FALSE, random(), 0, '{}', 1, ?3, ?3 FROM n`

	seedSecrets = `INSERT INTO client_secret (client_sequence, id, ordinal, label, hint, digest, digest_key, created_at, expires_at)
SELECT sequence, lower(hex(randomblob(12))), 0, '', 'bwvd', randomblob(32), 1, created_at, 0 FROM client WHERE name_key LIKE 'seeded client %'`

	// Families of the last hour, one of a client after the other's, which live
	// for two hours more.
	seedFamilies = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
INSERT INTO family (id, application_id, client_id, client_era, grant_type, scopes, audience, format, salt, token_key, generation,
	issued_at, access_expires_at, revoked_at, revoked_for, removal_at, address)
SELECT unhex(printf('%012x', ?3 - 3600000 + i * 3600000 / ?1)) || randomblob(10), ?2, c.id, c.era, 'client_credentials', '', '', 'jwt', randomblob(16), 2, 0,
	(?3 - 3600000 + i * 3600000 / ?1) * 1000, (?3 + 7200000) * 1000, 0, '', (?3 + 7260000) * 1000, '127.0.0.1'
FROM n JOIN client c ON c.sequence = (SELECT max(sequence) FROM client) - i % ?4`
)

// giveSecrets lets some of the seeded clients authenticate.
func (s *site) giveSecrets(ctx context.Context, db *sql.DB, ring *key.Ring, clients, callers int) ([]credentials, error) {
	var last int
	if err := db.QueryRowContext(ctx, `SELECT max(sequence) FROM client`).Scan(&last); err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	var spread []credentials
	for i := range callers {
		sequence := last - i*(clients/callers)
		c := credentials{secret: manySecret}
		if err := tx.QueryRowContext(ctx, `SELECT id FROM client WHERE sequence = ?`, sequence).Scan(&c.id); err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
		digest, number := ring.DigestSecret(s.application, c.id, c.secret)
		if _, err := tx.ExecContext(ctx, `UPDATE client_secret SET digest = ?, digest_key = ? WHERE client_sequence = ?`, digest, number, sequence); err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
		spread = append(spread, c)
	}
	return spread, tx.Commit()
}
