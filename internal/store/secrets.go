package store

import (
	"bytes"
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
)

// writeSecrets makes the rows of a client's secrets, which were before, those
// of after. The row of the client was written in this transaction, so nobody
// else changes them.
func writeSecrets(ctx context.Context, s session, sequence int64, before, after []client.Secret) error {
	was := make(map[string]*client.Secret, len(before))
	for i := range before {
		was[before[i].ID] = &before[i]
	}
	for i := range after {
		secret := &after[i]
		old, there := was[secret.ID]
		delete(was, secret.ID)
		if there && sameSecret(old, secret) {
			continue
		}
		if err := writeSecret(ctx, s, sequence, secret, there); err != nil {
			return err
		}
	}
	for id := range was {
		if _, err := s.exec(ctx, `DELETE FROM client_secret WHERE client_sequence = $1 AND id = $2`, sequence, id); err != nil {
			return err
		}
	}
	return nil
}

func sameSecret(a, b *client.Secret) bool {
	return a.Label == b.Label && a.Hint == b.Hint && bytes.Equal(a.Digest, b.Digest) && a.DigestKey == b.DigestKey &&
		bytes.Equal(a.Sealed, b.Sealed) && a.CreatedAt.Equal(b.CreatedAt) && a.ExpiresAt.Equal(b.ExpiresAt)
}

// writeSecret adds a secret after the others, or alters one where it stands. An
// altered one that the sweeper removed in the meantime stays removed.
func writeSecret(ctx context.Context, s session, sequence int64, secret *client.Secret, there bool) error {
	if there {
		_, err := s.exec(ctx, `UPDATE client_secret SET label = $1, hint = $2, digest = $3, digest_key = $4, sealed = $5,
			created_at = $6, expires_at = $7 WHERE client_sequence = $8 AND id = $9`,
			secret.Label, secret.Hint, secret.Digest, secret.DigestKey, secret.Sealed,
			micros(secret.CreatedAt), micros(secret.ExpiresAt), sequence, secret.ID)
		return err
	}
	_, err := s.exec(ctx, `INSERT INTO client_secret (id, label, hint, digest, digest_key, sealed, created_at, expires_at, client_sequence, ordinal)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, 1 + COALESCE(MAX(ordinal), 0) FROM client_secret WHERE client_sequence = $10`,
		secret.ID, secret.Label, secret.Hint, secret.Digest, secret.DigestKey, secret.Sealed,
		micros(secret.CreatedAt), micros(secret.ExpiresAt), sequence, sequence)
	return err
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
