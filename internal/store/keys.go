package store

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/key"
)

// Keys keeps data keys and signing keys.
type Keys struct{ db *DB }

// Keys gives the store of keys.
func (db *DB) Keys() Keys { return Keys{db} }

var _ key.Store = Keys{}

const selectDataKeys = `SELECT number, purpose, wrapped, created_at FROM data_key ORDER BY number`

func scanDataKey(row scanner) (k key.WrappedKey, err error) {
	var created int64
	err = row.Scan(&k.Number, &k.Purpose, &k.Wrapped, &created)
	k.CreatedAt = instant(created)
	return k, err
}

// DataKeys implements key.Store.
func (k Keys) DataKeys(ctx context.Context) ([]key.WrappedKey, error) {
	return readAll(ctx, k.db, scanDataKey, selectDataKeys)
}

// ChangeDataKeys implements key.Store.
func (k Keys) ChangeDataKeys(ctx context.Context, change func([]key.WrappedKey) ([]key.WrappedKey, []audit.Event, error)) (after []key.WrappedKey, err error) {
	err = k.db.change(ctx, func(ctx context.Context, s session) error {
		if err := s.dialect.lock(ctx, s, lockNumber("data keys")); err != nil {
			return err
		}
		before, err := all(ctx, s, scanDataKey, selectDataKeys)
		if err != nil {
			return err
		}
		changed, events, err := change(append([]key.WrappedKey(nil), before...))
		if err != nil {
			return err
		}
		if err := writeDataKeys(ctx, s, before, changed); err != nil {
			return err
		}
		if err := record(ctx, s, events...); err != nil {
			return err
		}
		after, err = all(ctx, s, scanDataKey, selectDataKeys)
		return err
	})
	return after, err
}

// writeDataKeys makes the rows, which were before, those of after.
func writeDataKeys(ctx context.Context, s session, before, after []key.WrappedKey) error {
	gone := make(map[int32]bool, len(before))
	for _, k := range before {
		gone[k.Number] = true
	}
	for _, k := range after {
		delete(gone, k.Number)
		_, err := s.exec(ctx, `INSERT INTO data_key (number, purpose, wrapped, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (number) DO UPDATE SET purpose = excluded.purpose, wrapped = excluded.wrapped, created_at = excluded.created_at`,
			k.Number, string(k.Purpose), k.Wrapped, micros(k.CreatedAt))
		if err != nil {
			return err
		}
	}
	for number := range gone {
		if _, err := s.exec(ctx, `DELETE FROM data_key WHERE number = $1`, number); err != nil {
			return err
		}
	}
	return nil
}

const selectSigningKeys = `SELECT application_id, id, algorithm, sealed, public, created_at, active_at, retired_at, needed_until
	FROM signing_key WHERE application_id = $1 ORDER BY ordinal`

func scanSigningKey(row scanner) (k key.SigningKey, err error) {
	var public string
	var created, active, retired, needed int64
	err = row.Scan(&k.ApplicationID, &k.ID, &k.Algorithm, &k.Sealed, &public, &created, &active, &retired, &needed)
	k.Public = json.RawMessage(public)
	k.CreatedAt, k.ActiveAt, k.RetiredAt, k.NeededUntil = instant(created), instant(active), instant(retired), instant(needed)
	return k, err
}

// SigningKeys implements key.Store.
func (k Keys) SigningKeys(ctx context.Context, applicationID string) ([]key.SigningKey, error) {
	return readAll(ctx, k.db, scanSigningKey, selectSigningKeys, applicationID)
}

// ChangeSigningKeys implements key.Store.
func (k Keys) ChangeSigningKeys(ctx context.Context, applicationID string, change func([]key.SigningKey) ([]key.SigningKey, []audit.Event, error)) (after []key.SigningKey, err error) {
	err = k.db.change(ctx, func(ctx context.Context, s session) error {
		if err := s.dialect.lock(ctx, s, lockNumber("signing keys", applicationID)); err != nil {
			return err
		}
		before, err := all(ctx, s, scanSigningKey, selectSigningKeys, applicationID)
		if err != nil {
			return err
		}
		changed, events, err := change(append([]key.SigningKey(nil), before...))
		if err != nil {
			return err
		}
		if err := writeSigningKeys(ctx, s, applicationID, before, changed); err != nil {
			return err
		}
		if err := record(ctx, s, events...); err != nil {
			return err
		}
		after, err = all(ctx, s, scanSigningKey, selectSigningKeys, applicationID)
		return err
	})
	return after, err
}

// writeSigningKeys makes the rows of an application, which were before, those
// of after, and their order that of after.
func writeSigningKeys(ctx context.Context, s session, applicationID string, before, after []key.SigningKey) error {
	type place struct {
		ordinal int
		key     *key.SigningKey
	}
	was := make(map[string]place, len(before))
	for i := range before {
		was[before[i].ID] = place{i, &before[i]}
	}
	for i := range after {
		k := &after[i]
		old, there := was[k.ID]
		delete(was, k.ID)
		if there && old.ordinal == i && sameSigningKey(old.key, k) {
			continue
		}
		_, err := s.exec(ctx, `INSERT INTO signing_key (application_id, id, ordinal, algorithm, sealed, public, created_at, active_at, retired_at, needed_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (application_id, id) DO UPDATE SET ordinal = excluded.ordinal, algorithm = excluded.algorithm, sealed = excluded.sealed,
			public = excluded.public, created_at = excluded.created_at, active_at = excluded.active_at,
			retired_at = excluded.retired_at, needed_until = excluded.needed_until`,
			applicationID, k.ID, i, k.Algorithm, k.Sealed, string(k.Public), micros(k.CreatedAt), micros(k.ActiveAt), micros(k.RetiredAt), micros(k.NeededUntil))
		if err != nil {
			return err
		}
	}
	for id := range was {
		if _, err := s.exec(ctx, `DELETE FROM signing_key WHERE application_id = $1 AND id = $2`, applicationID, id); err != nil {
			return err
		}
	}
	return nil
}

func sameSigningKey(a, b *key.SigningKey) bool {
	return a.Algorithm == b.Algorithm && bytes.Equal(a.Sealed, b.Sealed) && bytes.Equal(a.Public, b.Public) && a.CreatedAt.Equal(b.CreatedAt) &&
		a.ActiveAt.Equal(b.ActiveAt) && a.RetiredAt.Equal(b.RetiredAt) && a.NeededUntil.Equal(b.NeededUntil)
}
