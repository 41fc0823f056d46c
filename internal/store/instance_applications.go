package store

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/instance"
)

var _ instance.Applications = Instances{}

const (
	listApplications = `SELECT id, name, settings, revision, created_at, updated_at FROM application
		WHERE id > $1 ORDER BY id LIMIT $2`
	// One look at an index an application: there are few of these, and clients
	// have no index by their id alone.
	applicationsWith = `SELECT a.id FROM application a WHERE EXISTS
		(SELECT 1 FROM client c WHERE c.application_id = a.id AND c.id = $1) LIMIT $2`
)

// List implements instance.Applications.
func (i Instances) List(ctx context.Context, after string, limit int) ([]*application.Application, error) {
	return readAll(ctx, i.db, scanApplication, listApplications, after, limit)
}

// With implements instance.Applications.
func (i Instances) With(ctx context.Context, clientID string, limit int) ([]string, error) {
	return readAll(ctx, i.db, column[string], applicationsWith, clientID, limit)
}

// Add implements instance.Applications.
func (i Instances) Add(ctx context.Context, a *instance.Addition) error {
	return i.db.change(ctx, func(ctx context.Context, s session) error {
		id := a.Application.ID
		if err := s.dialect.lock(ctx, s, lockNumber("application", id)); err != nil {
			return err
		}
		_, taken, err := one(ctx, s, column[string], `SELECT id FROM application WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if taken {
			return fault.Takenf("id", "There is an application of this id already; choose another.")
		}
		_, removed, err := one(ctx, s, column[string], `SELECT id FROM removed_application WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if removed {
			return fault.Takenf("id", "An application of this id was deleted a short time ago; choose another id, or wait a quarter of an hour.")
		}
		if err := insertApplication(ctx, s, &a.Application); err != nil {
			return err
		}
		if err := insertClient(ctx, s, &a.Owner, client.NameAndVersion); err != nil {
			return err
		}
		if err := writeSigningKeys(ctx, s, id, nil, a.SigningKeys); err != nil {
			return err
		}
		return record(ctx, s, a.Events...)
	})
}

// Remove implements instance.Applications.
func (i Instances) Remove(ctx context.Context, id string, check func(*application.Application) (audit.Event, error)) error {
	return i.db.change(ctx, func(ctx context.Context, s session) error {
		found, ok, err := one(ctx, s, scanApplication, selectApplication, id)
		if err != nil {
			return err
		}
		if !ok {
			return noApplication()
		}
		event, err := check(found)
		if err != nil {
			return err
		}
		n, err := s.exec(ctx, `DELETE FROM application WHERE id = $1 AND revision = $2`, id, found.Revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return errRaced
		}
		if _, err := s.exec(ctx, `INSERT INTO removed_application (id, since) VALUES ($1, $2)`, id, micros(i.db.now())); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}

// remains are the statements that remove at most $3 rows of a removed
// application, $1 and $2, beside its clients. Families are not among them: their eras
// are handed to the sweeper with the clients. Audit events stay.
var remains = []string{
	`DELETE FROM settings_document WHERE application_id = $1 AND client_id IN
		(SELECT client_id FROM settings_document WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM signing_key WHERE application_id = $1 AND id IN
		(SELECT id FROM signing_key WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM client_scope WHERE application_id = $1 AND (scope, client_sequence) IN
		(SELECT scope, client_sequence FROM client_scope WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM client_origin WHERE application_id = $1 AND (origin, client_sequence) IN
		(SELECT origin, client_sequence FROM client_origin WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM scope WHERE application_id = $1 AND name_key IN
		(SELECT name_key FROM scope WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM resource_client WHERE application_id = $1 AND (identifier, ordinal) IN
		(SELECT identifier, ordinal FROM resource_client WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM resource WHERE application_id = $1 AND identifier IN
		(SELECT identifier FROM resource WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM user_term WHERE application_id = $1 AND (term, user_sequence) IN
		(SELECT term, user_sequence FROM user_term WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM user_role WHERE application_id = $1 AND (role, user_sequence) IN
		(SELECT role, user_sequence FROM user_role WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM user_record WHERE application_id = $1 AND uuid IN
		(SELECT uuid FROM user_record WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM signed_in_client WHERE application_id = $1 AND (sid, client_id) IN
		(SELECT c.sid, c.client_id FROM signed_in x JOIN signed_in_client c ON c.sid = x.sid WHERE x.application_id = $2 LIMIT $3)`,
	`DELETE FROM signed_in WHERE application_id = $1 AND id IN
		(SELECT id FROM signed_in WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM consent WHERE application_id = $1 AND sequence IN
		(SELECT sequence FROM consent WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM credential WHERE application_id = $1 AND id IN
		(SELECT id FROM credential WHERE application_id = $2 LIMIT $3)`,
	`DELETE FROM recovery_code WHERE application_id = $1 AND (user_id, digest) IN
		(SELECT user_id, digest FROM recovery_code WHERE application_id = $2 LIMIT $3)`,
}

// RemoveRemains takes a step at what is left of removed applications, at most
// limit rows, and says how many it removed. An id is free once nothing is left
// and no request of its time can be under way.
func (i Instances) RemoveRemains(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	// A look first: there is hardly ever anything to do, and a transaction costs.
	id, ok, err := readOne(ctx, i.db, column[string], `SELECT id FROM removed_application ORDER BY since LIMIT 1`)
	if err != nil || !ok {
		return 0, err
	}
	err = i.db.change(ctx, func(ctx context.Context, s session) error {
		// A client is removed by half a dozen statements.
		if removed, err = removeClients(ctx, s, id, now, max(1, limit/5)); err != nil || removed > 0 {
			return err
		}
		for _, statement := range remains {
			n, err := s.exec(ctx, statement, id, id, limit)
			if err != nil {
				return err
			}
			if removed += int(n); removed >= limit {
				return nil
			}
		}
		if removed > 0 {
			return nil
		}
		// Until then a request that was under way may leave a row behind. Those
		// behind it in the queue wait too: they are younger.
		_, err := s.exec(ctx, `DELETE FROM removed_application WHERE id = $1 AND since <= $2`, id, micros(now.Add(-eraKept)))
		return err
	})
	return removed, err
}

// removeClients removes clients of a removed application, and buries their eras.
func removeClients(ctx context.Context, s session, applicationID string, now time.Time, limit int) (int, error) {
	type row struct {
		sequence, era int64
		id            string
	}
	if err := holdClients(ctx, s); err != nil {
		return 0, err
	}
	found, err := all(ctx, s, func(r scanner) (c row, err error) {
		err = r.Scan(&c.sequence, &c.era, &c.id)
		return c, err
	}, `SELECT sequence, era, id FROM client WHERE application_id = $1 ORDER BY sequence LIMIT $2`, applicationID, limit)
	if err != nil {
		return 0, err
	}
	for _, c := range found {
		for _, statement := range ofClient {
			if _, err := s.exec(ctx, statement, c.sequence); err != nil {
				return 0, err
			}
		}
		if err := bury(ctx, s, applicationID, c.id, c.era, now); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}

// ofClient are the statements that remove a client by its sequence, and what is
// kept by it.
var ofClient = []string{
	`DELETE FROM client_secret WHERE client_sequence = $1`,
	buryConsents,
	`DELETE FROM client WHERE sequence = $1`,
}
