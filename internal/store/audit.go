package store

import (
	"context"
	"encoding/json"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// Audit keeps audit events.
type Audit struct{ db *DB }

// Audit gives the store of audit events.
func (db *DB) Audit() Audit { return Audit{db} }

var _ audit.Store = Audit{}

// Record implements audit.Store.
func (a Audit) Record(ctx context.Context, event audit.Event) error {
	return a.db.change(ctx, func(ctx context.Context, s session) error { return record(ctx, s, event) })
}

// record writes an event in the transaction of what it describes. Events are
// never altered; an id that is there already fails the transaction.
func record(ctx context.Context, s session, e audit.Event) error {
	_, err := s.exec(ctx, `INSERT INTO audit_event (id, application_id, at, actor, action, object, address, request_id, before, after, outcome)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		e.ID, e.ApplicationID, micros(e.At), e.Actor, e.Action, e.Object, e.Address, e.RequestID,
		document(e.Before), document(e.After), string(e.Outcome))
	return err
}

// document gives a JSON document as a column: NULL where there is none.
func document(d json.RawMessage) *string {
	if d == nil {
		return nil
	}
	s := string(d)
	return &s
}

// Cursor is a place in the list of an application's events; the zero value is
// its beginning.
type Cursor struct{ At, Sequence int64 }

const selectEvents = `SELECT sequence, id, application_id, at, actor, action, object, address, request_id, before, after, outcome
	FROM audit_event WHERE application_id = $1 AND (at, sequence) < ($2, $3)
	ORDER BY at DESC, sequence DESC LIMIT $4`

// Events gives at most limit events of an application ("" is the instance),
// newest first, beginning after the cursor, and the cursor to go on from: the
// zero value where there are no more.
func (a Audit) Events(ctx context.Context, applicationID string, after Cursor, limit int) ([]audit.Event, Cursor, error) {
	if after == (Cursor{}) {
		after = Cursor{At: 1<<63 - 1, Sequence: 1<<63 - 1}
	}
	var last Cursor
	events, err := readAll(ctx, a.db, func(row scanner) (e audit.Event, err error) {
		var before, then *string
		err = row.Scan(&last.Sequence, &e.ID, &e.ApplicationID, &last.At, &e.Actor, &e.Action, &e.Object, &e.Address, &e.RequestID, &before, &then, &e.Outcome)
		e.At = instant(last.At)
		if before != nil {
			e.Before = json.RawMessage(*before)
		}
		if then != nil {
			e.After = json.RawMessage(*then)
		}
		return e, err
	}, selectEvents, applicationID, after.At, after.Sequence, limit)
	if len(events) < limit {
		last = Cursor{}
	}
	return events, last, err
}
