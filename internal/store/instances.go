package store

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/instance"
)

// Instances keeps what there is once.
type Instances struct{ db *DB }

// Instance gives the store of the instance.
func (db *DB) Instance() Instances { return Instances{db} }

var _ instance.Store = Instances{}

// Load implements instance.Store.
func (i Instances) Load(ctx context.Context) (*instance.Instance, error) {
	found, ok, err := readOne(ctx, i.db, func(row scanner) (*instance.Instance, error) {
		found := &instance.Instance{}
		var founded int64
		err := row.Scan(&found.DefaultApplication, &found.PublicURL, &founded)
		found.FoundedAt = instant(founded)
		return found, err
	}, `SELECT default_application, public_url, founded_at FROM instance`)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.NotFoundf("The instance is not founded yet.")
	}
	return found, nil
}

// Found implements instance.Store.
func (i Instances) Found(ctx context.Context, f *instance.Foundation) error {
	return i.db.change(ctx, func(ctx context.Context, s session) error {
		n, err := s.exec(ctx, `INSERT INTO instance (id, default_application, public_url, founded_at) VALUES (1, $1, $2, $3)
			ON CONFLICT DO NOTHING`, f.Instance.DefaultApplication, f.Instance.PublicURL, micros(f.Instance.FoundedAt))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Conflictf("The instance is founded already.")
		}
		if err := insertApplication(ctx, s, &f.Application); err != nil {
			return err
		}
		if err := insertClient(ctx, s, &f.Owner, client.NameAndVersion); err != nil {
			return err
		}
		if err := writeSigningKeys(ctx, s, f.Application.ID, nil, f.SigningKeys); err != nil {
			return err
		}
		a := &f.Administrator
		_, err = s.exec(ctx, `INSERT INTO administrator (email_key, email, password_hash, instance, created_at) VALUES ($1, $2, $3, $4, $5)`,
			fold(a.Email), a.Email, a.PasswordHash, a.Instance, micros(a.CreatedAt))
		if err != nil {
			return err
		}
		return recordAll(ctx, s, f.Events)
	})
}
