package store

import (
	"context"
	"slices"
)

// names is a table that has a row for each name of one sort that a client or a
// user has, by its Sequence: what the record says, for what asks by the name.
type names struct {
	table, name, owner string
	adding             *rowStatement
}

var (
	clientScopes  = newNames("client_scope", "scope", "client_sequence")
	clientOrigins = newNames("client_origin", "origin", "client_sequence")
	userTerms     = newNames("user_term", "term", "user_sequence")
	userRoles     = newNames("user_role", "role", "user_sequence")
)

func newNames(table, name, owner string) names {
	return names{table, name, owner, newInsertion(table, "application_id, "+name+", "+owner+" BIGINT", "ON CONFLICT DO NOTHING")}
}

// nameRow is a name that somebody has.
type nameRow struct {
	owner int64
	name  string
}

// nameRows says that somebody has each name of a list.
func nameRows(owner int64, list []string) []nameRow {
	rows := make([]nameRow, len(list))
	for i, name := range list {
		rows[i] = nameRow{owner, name}
	}
	return rows
}

func (n names) remove(d *dialect) string {
	return `DELETE FROM ` + n.table + ` WHERE application_id = $1 AND ` + n.name + ` IN (` + d.values("$2") + `) AND ` + n.owner + ` = $3`
}

// add makes rows; those that are there stay.
func (n names) add(ctx context.Context, s session, applicationID string, rows []nameRow) error {
	return insert(ctx, s, n.adding, rows, func(r *nameRow) []any { return []any{applicationID, r.name, r.owner} })
}

// write makes the rows of somebody's names, which were before, those of after.
// The record was written in this transaction, so nobody else changes them.
func (n names) write(ctx context.Context, s session, applicationID string, owner int64, before, after []string) error {
	if slices.Equal(before, after) {
		return nil
	}
	if err := n.add(ctx, s, applicationID, nameRows(owner, without(after, before))); err != nil {
		return err
	}
	gone := without(before, after)
	if len(gone) == 0 {
		return nil
	}
	list, err := jsonArray(gone)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, n.remove(s.dialect), applicationID, list, owner)
	return err
}
