package store

import (
	"context"
	"slices"
)

// clientNames is a table that has a row for each name of one sort that a client
// has, for what asks by the name.
type clientNames struct{ table, column string }

var (
	clientScopes  = clientNames{"client_scope", "scope"}
	clientOrigins = clientNames{"client_origin", "origin"}
)

func (n clientNames) insert(d *dialect) string {
	return `WITH added (name) AS (` + d.values("$1") + `)
		INSERT INTO ` + n.table + ` (application_id, ` + n.column + `, client_sequence) SELECT $2, name, $3 FROM added WHERE TRUE ON CONFLICT DO NOTHING`
}

func (n clientNames) remove(d *dialect) string {
	return `DELETE FROM ` + n.table + ` WHERE application_id = $1 AND ` + n.column + ` IN (` + d.values("$2") + `) AND client_sequence = $3`
}

// write makes the rows of a client's names, which were before, those of after.
func (n clientNames) write(ctx context.Context, s session, applicationID string, sequence int64, before, after []string) error {
	if slices.Equal(before, after) {
		return nil
	}
	if added := without(after, before); len(added) > 0 {
		list, err := jsonArray(added)
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, n.insert(s.dialect), list, applicationID, sequence); err != nil {
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
	_, err = s.exec(ctx, n.remove(s.dialect), applicationID, list, sequence)
	return err
}
