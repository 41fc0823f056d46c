package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/signin"
)

// Credentials keeps users' passkeys, TOTP secrets and recovery codes.
type Credentials struct{ db *DB }

// Credentials gives the store of users' credentials.
func (db *DB) Credentials() Credentials { return Credentials{db} }

var _ signin.Credentials = Credentials{}

const (
	credentialNames = `id, application_id, user_id, kind, label, key, data, counter, created_at, used_at`

	listCredentials       = `SELECT ` + credentialNames + ` FROM credential WHERE application_id = $1 AND user_id = $2`
	selectCredentialByKey = `SELECT ` + credentialNames + ` FROM credential WHERE application_id = $1 AND key = $2 AND length(key) > 0`
	selectRecovery        = `SELECT digest, digest_key FROM recovery_code WHERE application_id = $1 AND user_id = $2 ORDER BY digest`
	deleteRecovery        = `DELETE FROM recovery_code WHERE application_id = $1 AND user_id = $2`
)

func scanCredential(row scanner) (c signin.Credential, err error) {
	var created, used int64
	err = row.Scan(&c.ID, &c.ApplicationID, &c.UserID, &c.Kind, &c.Label, &c.Key, &c.Data, &c.Counter, &created, &used)
	c.CreatedAt, c.UsedAt = instant(created), instant(used)
	if len(c.Key) == 0 {
		c.Key = nil // one driver gives nil for an empty one, and one does not
	}
	return c, err
}

var errNoCredential = fault.NotFoundf("There is no such credential.")

// List implements signin.Credentials.
func (t Credentials) List(ctx context.Context, applicationID, userID string) ([]signin.Credential, error) {
	if !storable(userID) {
		return nil, nil
	}
	list, err := readAll(ctx, t.db, scanCredential, listCredentials, applicationID, userID)
	slices.SortFunc(list, func(a, b signin.Credential) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	return list, err
}

// ByKey implements signin.Credentials.
func (t Credentials) ByKey(ctx context.Context, applicationID string, key []byte) (*signin.Credential, error) {
	found, ok, err := readOne(ctx, t.db, scanCredential, selectCredentialByKey, applicationID, key)
	if err == nil && (!ok || len(key) == 0) {
		err = errNoCredential
	}
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// holdUser keeps a user from being deleted before the commit, and makes others
// that change his credentials wait.
func holdUser(ctx context.Context, s session, applicationID, userID string) error {
	if !storable(userID) {
		return noUser()
	}
	if err := s.dialect.lock(ctx, s, lockNumber("credentials", applicationID, userID)); err != nil {
		return err
	}
	_, there, err := one(ctx, s, column[int64], `SELECT sequence FROM user_record WHERE application_id = $1 AND uuid = $2`+s.dialect.shared, applicationID, userID)
	if err == nil && !there {
		err = noUser()
	}
	return err
}

// Add implements signin.Credentials.
func (t Credentials) Add(ctx context.Context, c *signin.Credential, codes []signin.RecoveryDigest, event audit.Event) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		if err := holdUser(ctx, s, c.ApplicationID, c.UserID); err != nil {
			return err
		}
		have, err := all(ctx, s, scanCredential, listCredentials, c.ApplicationID, c.UserID)
		if err != nil {
			return err
		}
		if len(have) >= signin.MaxCredentials {
			return fault.Conflictf("A user has at most %d of these; remove one first.", signin.MaxCredentials)
		}
		n, err := s.exec(ctx, `INSERT INTO credential (`+credentialNames+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			c.ID, c.ApplicationID, c.UserID, string(c.Kind), c.Label, orEmpty(c.Key), orEmpty(c.Data), c.Counter, micros(c.CreatedAt), micros(c.UsedAt))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Conflictf("This is registered already.")
		}
		if codes != nil {
			if err := writeRecovery(ctx, s, c.ApplicationID, c.UserID, codes); err != nil {
				return err
			}
		}
		return record(ctx, s, event)
	})
}

// orEmpty gives what a column that is not null takes.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Remove implements signin.Credentials.
func (t Credentials) Remove(ctx context.Context, applicationID, userID, id string, event audit.Event) error {
	if !storable(id) {
		return errNoCredential
	}
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		if err := holdUser(ctx, s, applicationID, userID); err != nil {
			return err
		}
		n, err := s.exec(ctx, `DELETE FROM credential WHERE application_id = $1 AND user_id = $2 AND id = $3`, applicationID, userID, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return errNoCredential
		}
		_, err = s.exec(ctx, deleteRecovery+` AND NOT EXISTS (SELECT 1 FROM credential WHERE application_id = $3 AND user_id = $4 AND kind = $5)`,
			applicationID, userID, applicationID, userID, string(signin.TOTP))
		if err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}

// Use implements signin.Credentials.
func (t Credentials) Use(ctx context.Context, applicationID, id string, counter int64, data []byte, at time.Time) (ok bool, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		n, err := s.exec(ctx, `UPDATE credential SET counter = $1, data = $2, used_at = $3
			WHERE application_id = $4 AND id = $5 AND (counter < $6 OR counter = 0 AND $7 = 0)`,
			counter, orEmpty(data), micros(at), applicationID, id, counter, counter)
		ok = n == 1
		return err
	})
	return ok, err
}

func scanRecovery(row scanner) (r signin.RecoveryDigest, err error) {
	err = row.Scan(&r.Digest, &r.Key)
	return r, err
}

// Recovery implements signin.Credentials.
func (t Credentials) Recovery(ctx context.Context, applicationID, userID string) ([]signin.RecoveryDigest, error) {
	if !storable(userID) {
		return nil, nil
	}
	return readAll(ctx, t.db, scanRecovery, selectRecovery, applicationID, userID)
}

// SetRecovery implements signin.Credentials.
func (t Credentials) SetRecovery(ctx context.Context, applicationID, userID string, codes []signin.RecoveryDigest, event audit.Event) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		if err := holdUser(ctx, s, applicationID, userID); err != nil {
			return err
		}
		if err := writeRecovery(ctx, s, applicationID, userID, codes); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}

func writeRecovery(ctx context.Context, s session, applicationID, userID string, codes []signin.RecoveryDigest) error {
	if _, err := s.exec(ctx, deleteRecovery, applicationID, userID); err != nil {
		return err
	}
	for _, code := range codes {
		_, err := s.exec(ctx, `INSERT INTO recovery_code (application_id, user_id, digest, digest_key) VALUES ($1, $2, $3, $4)`,
			applicationID, userID, code.Digest, code.Key)
		if err != nil {
			return err
		}
	}
	return nil
}

// TakeRecovery implements signin.Credentials.
func (t Credentials) TakeRecovery(ctx context.Context, applicationID, userID string, code signin.RecoveryDigest, event audit.Event) (ok bool, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		n, err := s.exec(ctx, deleteRecovery+` AND digest = $3`, applicationID, userID, bytes.Clone(code.Digest))
		if ok = err == nil && n == 1; !ok {
			return err
		}
		return record(ctx, s, event)
	})
	return ok, err
}
