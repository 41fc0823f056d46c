package store

import (
	"context"
	"slices"
)

func insertClientOrigins(d *dialect) string {
	return `WITH added (name) AS (` + d.values("$1") + `)
		INSERT INTO client_origin (application_id, origin, client_sequence) SELECT $2, name, $3 FROM added WHERE TRUE ON CONFLICT DO NOTHING`
}

func deleteClientOrigins(d *dialect) string {
	return `DELETE FROM client_origin WHERE application_id = $1 AND origin IN (` + d.values("$2") + `) AND client_sequence = $3`
}

// writeClientOrigins makes the rows of a client's origins, which were before,
// those of after.
func writeClientOrigins(ctx context.Context, s session, applicationID string, sequence int64, before, after []string) error {
	if slices.Equal(before, after) {
		return nil
	}
	if added := without(after, before); len(added) > 0 {
		list, err := jsonArray(added)
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, insertClientOrigins(s.dialect), list, applicationID, sequence); err != nil {
			return err
		}
	}
	gone := without(before, after)
	if len(gone) == 0 {
		return nil
	}
	list, err := jsonArray(gone)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, deleteClientOrigins(s.dialect), applicationID, list, sequence)
	return err
}

const hasOrigin = `SELECT client_sequence FROM client_origin WHERE application_id = $1 AND origin = $2 LIMIT 1`

// HasOrigin implements client.Store.
func (c Clients) HasOrigin(ctx context.Context, applicationID, origin string) (bool, error) {
	if !storable(applicationID, origin) {
		return false, nil
	}
	_, found, err := readOne(ctx, c.db, column[int64], hasOrigin, applicationID, origin)
	return found, err
}
