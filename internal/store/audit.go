package store

import (
	"context"
	"encoding/json"
	"strings"

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

var insertEvents = newInsertion("audit_event",
	"id, application_id, at BIGINT, actor, action, object, address, request_id, before, after, outcome", "")

// record writes events in the transaction of what they describe. They are never
// altered; an id that is there already fails the transaction.
func record(ctx context.Context, s session, events ...audit.Event) error {
	return insert(ctx, s, insertEvents, events, func(e *audit.Event) []any {
		return []any{
			e.ID, e.ApplicationID, micros(e.At), e.Actor, e.Action, e.Object, e.Address, e.RequestID, document(e.Before), document(e.After), string(e.Outcome),
		}
	})
}

// document gives a JSON document as a column, which is text: NULL where there is
// none.
func document(d json.RawMessage) *string {
	if d == nil {
		return nil
	}
	s := string(d)
	return &s
}

// Cursor is a place in the list of an application's events.
type Cursor = audit.Cursor

var _ audit.Reader = Audit{}

// maxScanned bounds the events that a search reads: at up to 8 µs each where they
// are not in memory, 20 ms.
const maxScanned = 2500

const (
	// The window of a search reads the index alone. Each end is said once: of two
	// lower ends SQLite looks for either, and reads all that is above it.
	eventWindow = `SELECT at, sequence FROM audit_event WHERE application_id = $1 AND at >= $2 AND (at, sequence) < ($3, $4)
		ORDER BY at DESC, sequence DESC LIMIT 1 OFFSET $5`
	searchEvents = `SELECT sequence, id, application_id, at, actor, action, object, address, request_id, before, after, outcome
		FROM audit_event WHERE application_id = $1 AND (at, sequence) >= ($2, $3) AND (at, sequence) < ($4, $5)
		AND ($6 = '' OR actor = $7) AND ($8 = '' OR object = $9) AND ($10 = '' OR action = $11 OR substr(action, 1, $12) = $13)
		ORDER BY at DESC, sequence DESC LIMIT $14`
)

// Events is Search for all events.
func (a Audit) Events(ctx context.Context, applicationID string, after Cursor, limit int) ([]audit.Event, Cursor, error) {
	return a.Search(ctx, applicationID, audit.Filter{After: after, Limit: limit})
}

// Search implements audit.Reader.
func (a Audit) Search(ctx context.Context, applicationID string, f audit.Filter) ([]audit.Event, Cursor, error) {
	const end = 1<<63 - 1
	before := f.After
	if before == (Cursor{}) {
		before = Cursor{At: end, Sequence: end}
	}
	if until := micros(f.Until); until > 0 && until <= before.At {
		before = Cursor{At: until} // sequences are positive: nothing of that moment
	}
	since := micros(f.Since)
	least, more, err := readOne(ctx, a.db, func(row scanner) (c Cursor, err error) {
		err = row.Scan(&c.At, &c.Sequence)
		return c, err
	}, eventWindow, applicationID, since, before.At, before.Sequence, max(maxScanned, f.Limit)-1)
	if err != nil {
		return nil, Cursor{}, err
	}
	if !more {
		least = Cursor{At: since}
	}
	prefix := prefixOf(f.Action)
	var last Cursor
	events, err := readAll(ctx, a.db, func(row scanner) (audit.Event, error) { return scanEvent(row, &last) },
		searchEvents, applicationID, least.At, least.Sequence, before.At, before.Sequence,
		f.Actor, f.Actor, f.Object, f.Object, f.Action, f.Action, len(prefix), prefix, f.Limit)
	switch {
	case err != nil || len(events) == f.Limit:
		return events, last, err
	case more:
		return events, least, nil
	default:
		return events, Cursor{}, nil
	}
}

// prefixOf is what an action must begin with; one that is no prefix matches
// nothing by it.
func prefixOf(action string) string {
	if strings.HasSuffix(action, ".") {
		return action
	}
	return "\x01"
}

func scanEvent(row scanner, last *Cursor) (e audit.Event, err error) {
	var before, after *string
	err = row.Scan(&last.Sequence, &e.ID, &e.ApplicationID, &last.At, &e.Actor, &e.Action, &e.Object, &e.Address, &e.RequestID, &before, &after, &e.Outcome)
	e.At = instant(last.At)
	if before != nil {
		e.Before = json.RawMessage(*before)
	}
	if after != nil {
		e.After = json.RawMessage(*after)
	}
	return e, err
}
