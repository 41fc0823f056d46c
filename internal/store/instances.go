package store

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/audit"
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
		err := row.Scan(&found.DefaultApplication, &found.PublicURL, &founded, &found.RootApplication)
		found.FoundedAt = instant(founded)
		return found, err
	}, `SELECT default_application, public_url, founded_at, root_application FROM instance`)
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
		n, err := s.exec(ctx, `INSERT INTO instance (id, default_application, public_url, founded_at, root_application) VALUES (1, $1, $2, $3, $4)
			ON CONFLICT DO NOTHING`, f.Instance.DefaultApplication, f.Instance.PublicURL, micros(f.Instance.FoundedAt), f.Instance.RootApplication)
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
		if err := insertUser(ctx, s, f.Administrator); err != nil {
			return err
		}
		return record(ctx, s, f.Events...)
	})
}

// SetRoot implements instance.Store.
func (i Instances) SetRoot(ctx context.Context, applicationID string, event audit.Event) error {
	return i.db.change(ctx, func(ctx context.Context, s session) error {
		before, _, err := one(ctx, s, column[string], `SELECT root_application FROM instance`)
		if err != nil || before == applicationID {
			return err
		}
		for _, id := range []string{before, applicationID} {
			issued, err := hasIssued(ctx, s, id)
			if err != nil {
				return err
			}
			if issued {
				return fault.Conflictf("Application %s has issued tokens, and their issuer cannot change; start with the root application as it was.", id)
			}
		}
		if _, err := s.exec(ctx, `UPDATE instance SET root_application = $1`, applicationID); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}

// hasIssued reports whether an application has issued tokens. What was counted
// says so for ever; of the last seconds, which may not be counted, a JWT leaves its
// trace on the key, any other token in the families.
func hasIssued(ctx context.Context, s session, applicationID string) (bool, error) {
	for _, trace := range []string{
		`SELECT 1 FROM application WHERE id = $1 AND issued`,
		`SELECT 1 FROM signing_key WHERE application_id = $1 AND needed_until > 0 LIMIT 1`,
		`SELECT 1 FROM client c JOIN family f ON f.client_era = c.era WHERE c.application_id = $1 LIMIT 1`,
	} {
		if _, found, err := one(ctx, s, column[int], trace, applicationID); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// Restored implements instance.Store.
func (i Instances) Restored(ctx context.Context, keep bool, event audit.Event) error {
	return i.db.change(ctx, func(ctx context.Context, s session) error {
		if keep {
			return record(ctx, s, event)
		}
		if _, err := s.exec(ctx, noticesOfAll, micros(event.At), micros(event.At)); err != nil {
			return err
		}
		for _, table := range []string{"family", "dead_era", "dead_user_era", "signed_in_client", "signed_in", "link"} {
			if _, err := s.exec(ctx, s.dialect.empty+table); err != nil {
				return err
			}
		}
		return record(ctx, s, event)
	})
}

// noticesOfAll is insertNotices for every session.
const noticesOfAll = `INSERT INTO logout_notice (sid, client_id, application_id, user_id, ended_at, attempts, due_at)
	SELECT sid, client_id, application_id, user_id, $1, 0, $2 FROM signed_in_client WHERE true ON CONFLICT DO NOTHING`
