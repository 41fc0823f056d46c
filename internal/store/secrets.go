package store

import (
	"bytes"
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
)

// writeSecrets makes the rows of a client's secrets, which were before, those
// of after: new ones come after the others. The row of the client was written in
// this transaction, so nobody else changes them.
func writeSecrets(ctx context.Context, s session, sequence int64, before, after []client.Secret) error {
	was := make(map[string]*client.Secret, len(before))
	for i := range before {
		was[before[i].ID] = &before[i]
	}
	var added []secretRow
	for i := range after {
		secret := &after[i]
		old, there := was[secret.ID]
		delete(was, secret.ID)
		switch {
		case !there:
			added = append(added, secretRow{client: sequence, secret: secret})
		case !sameSecret(old, secret):
			if err := updateSecret(ctx, s, sequence, secret); err != nil {
				return err
			}
		}
	}
	for id := range was {
		if _, err := s.exec(ctx, `DELETE FROM client_secret WHERE client_sequence = $1 AND id = $2`, sequence, id); err != nil {
			return err
		}
	}
	if len(added) == 0 {
		return nil
	}
	last, _, err := one(ctx, s, column[int], `SELECT COALESCE(MAX(ordinal), 0) FROM client_secret WHERE client_sequence = $1`, sequence)
	if err != nil {
		return err
	}
	for i := range added {
		added[i].ordinal = last + 1 + i
	}
	return insertSecrets(ctx, s, added)
}

func sameSecret(a, b *client.Secret) bool {
	return a.Label == b.Label && a.Hint == b.Hint && bytes.Equal(a.Digest, b.Digest) && a.DigestKey == b.DigestKey &&
		bytes.Equal(a.Sealed, b.Sealed) && a.CreatedAt.Equal(b.CreatedAt) && a.ExpiresAt.Equal(b.ExpiresAt)
}

// updateSecret alters a secret where it stands. One that the sweeper removed in
// the meantime stays removed.
func updateSecret(ctx context.Context, s session, sequence int64, secret *client.Secret) error {
	_, err := s.exec(ctx, `UPDATE client_secret SET label = $1, hint = $2, digest = $3, digest_key = $4, sealed = $5,
		created_at = $6, expires_at = $7 WHERE client_sequence = $8 AND id = $9`,
		secret.Label, secret.Hint, secret.Digest, secret.DigestKey, secret.Sealed,
		micros(secret.CreatedAt), micros(secret.ExpiresAt), sequence, secret.ID)
	return err
}

// secretRow is a secret of a client, by its Sequence, and its place among the
// others.
type secretRow struct {
	client  int64
	ordinal int
	secret  *client.Secret
}

var addSecrets = newInsertion("client_secret",
	"client_sequence BIGINT, id, ordinal BIGINT, label, hint, digest BYTEA, digest_key BIGINT, sealed BYTEA, created_at BIGINT, expires_at BIGINT", "")

func insertSecrets(ctx context.Context, s session, list []secretRow) error {
	return insert(ctx, s, addSecrets, list, func(r *secretRow) []any {
		return []any{
			r.client, r.secret.ID, r.ordinal, r.secret.Label, r.secret.Hint, inHex(r.secret.Digest), r.secret.DigestKey, inHex(r.secret.Sealed),
			micros(r.secret.CreatedAt), micros(r.secret.ExpiresAt),
		}
	})
}

const removeExpiredSecrets = `DELETE FROM client_secret WHERE (client_sequence, id) IN
	(SELECT client_sequence, id FROM client_secret WHERE expires_at > 0 AND expires_at < $1 ORDER BY expires_at LIMIT $2)`

// RemoveExpiredSecrets implements client.Store.
func (c Clients) RemoveExpiredSecrets(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = c.db.change(ctx, func(ctx context.Context, s session) error {
		n, err := s.exec(ctx, removeExpiredSecrets, micros(before), limit)
		removed = int(n)
		return err
	})
	return removed, err
}
