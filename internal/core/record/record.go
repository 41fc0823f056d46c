// Package record owns what the changes of all small records have in common: a
// merge patch onto the fields, the revision that the caller read, the audit
// event of each change, and that nothing is remembered of what changed. What a
// record is, and what its fields may be, is for the package of its kind.
package record

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// Kind is a kind of record: R as it is stored, F its fields, as people and
// programs write them and as they are answered.
type Kind[R, F any] struct {
	Noun     string                                        // in audit events and refusals
	New      func(applicationID string, at time.Time) *R   // one that was not written yet
	Key      func(record *R) string                        // names it within its application
	Revision func(record *R) int64                         // grows with every change
	Place    func(record *R) string                        // where lists go on after it
	Fields   func(record *R) F                             //
	Read     func(fields *F, patch []byte) error           // a merge patch; the error is fault.Problems
	Write    func(record *R, fields F, at time.Time) error // judges all fields, and then sets them
	Refuse   func(key string) error                        // what cannot be there, or cannot be changed; asks no database
}

// Store keeps the records of one kind. Every method is one transaction and
// writes its audit event in it; each kind says more about its own.
type Store[R any] interface {
	Create(ctx context.Context, record *R, event audit.Event) error
	Get(ctx context.Context, applicationID, key string) (*R, error)
	List(ctx context.Context, applicationID, after string, limit int) ([]*R, error)
	Change(ctx context.Context, applicationID, key string, change func(*R) (audit.Event, error)) (*R, error)
	Delete(ctx context.Context, applicationID, key string, check func(*R) (audit.Event, error)) error
}

// Operations are every change that can be made to a record of the kind. Each is
// one transaction with its audit event; what is remembered is void before the
// caller hears of it.
type Operations[R, F any] struct {
	kind  *Kind[R, F]
	store Store[R]
	void  func(applicationID, key string)
	now   func() time.Time
}

// NewOperations puts them together; void forgets what is remembered of a record.
func NewOperations[R, F any](kind *Kind[R, F], store Store[R], void func(applicationID, key string), now func() time.Time) *Operations[R, F] {
	return &Operations[R, F]{kind, store, void, now}
}

// Create makes a record. Where its name is in use it is a fault Conflict whose
// Field says which; refused values are fault.Problems.
func (o *Operations[R, F]) Create(ctx context.Context, source audit.Source, applicationID string, fields F) (*R, error) {
	now := o.moment()
	r := o.kind.New(applicationID, now)
	if err := o.kind.Write(r, fields, now); err != nil {
		return nil, err
	}
	key := o.kind.Key(r)
	event := o.event(source, applicationID, "create", key, now)
	var err error
	if event.After, err = o.document(r); err != nil {
		return nil, err
	}
	defer o.void(applicationID, key)
	if err := o.store.Create(ctx, r, event); err != nil {
		return nil, err
	}
	return r, nil
}

// Get gives a record as it is stored now; NotFound where there is none.
func (o *Operations[R, F]) Get(ctx context.Context, applicationID, key string) (*R, error) {
	if err := o.kind.Refuse(key); err != nil {
		return nil, err
	}
	return o.store.Get(ctx, applicationID, key)
}

// List gives at most limit records in the order of their places, and the cursor
// to go on from: "" where there are no more. after is such a cursor, or "" for
// the beginning; what cannot be one is a fault Invalid.
func (o *Operations[R, F]) List(ctx context.Context, applicationID, after string, limit int) (list []*R, next string, err error) {
	if !utf8.ValidString(after) || strings.Contains(after, "\x00") {
		return nil, "", fault.Invalidf("cursor", "This is no cursor of this list; begin without one.")
	}
	list, err = o.store.List(ctx, applicationID, after, limit+1)
	if err == nil && len(list) > limit {
		list = list[:limit]
		next = o.kind.Place(list[limit-1])
	}
	return list, next, err
}

// Patch changes a record by a merge patch (RFC 7396) over its fields; null is
// the default. Where a revision is given and is not that of the record, it is a
// fault Precondition. NotFound where there is none; refused values are
// fault.Problems.
func (o *Operations[R, F]) Patch(ctx context.Context, source audit.Source, applicationID, key string, patch []byte, revision *int64) (*R, error) {
	if err := o.kind.Refuse(key); err != nil {
		return nil, err
	}
	now := o.moment()
	defer o.void(applicationID, key)
	return o.store.Change(ctx, applicationID, key, func(r *R) (event audit.Event, err error) {
		if err := o.unchanged(r, revision); err != nil {
			return event, err
		}
		event = o.event(source, applicationID, "update", key, now)
		if event.Before, err = o.document(r); err != nil {
			return event, err
		}
		fields := o.kind.Fields(r)
		if err := o.kind.Read(&fields, patch); err != nil {
			return event, err
		}
		if err := o.kind.Write(r, fields, now); err != nil {
			return event, err
		}
		event.After, err = o.document(r)
		return event, err
	})
}

// Delete removes a record. One that is in use is a fault Conflict. revision and
// NotFound as Patch.
func (o *Operations[R, F]) Delete(ctx context.Context, source audit.Source, applicationID, key string, revision *int64) error {
	if err := o.kind.Refuse(key); err != nil {
		return err
	}
	now := o.moment()
	defer o.void(applicationID, key)
	return o.store.Delete(ctx, applicationID, key, func(r *R) (event audit.Event, err error) {
		if err := o.unchanged(r, revision); err != nil {
			return event, err
		}
		event = o.event(source, applicationID, "delete", key, now)
		event.Before, err = o.document(r)
		return event, err
	})
}

// unchanged refuses a record that is not the revision which the caller read.
func (o *Operations[R, F]) unchanged(r *R, revision *int64) error {
	if revision != nil && *revision != o.kind.Revision(r) {
		return fault.Preconditionf("The %s has changed since it was read; read it again.", o.kind.Noun)
	}
	return nil
}

func (o *Operations[R, F]) event(source audit.Source, applicationID, verb, key string, at time.Time) audit.Event {
	return audit.New(source, applicationID, o.kind.Noun+"."+verb, o.kind.Noun+":"+key, at)
}

// document is a record as its audit events show it.
func (o *Operations[R, F]) document(r *R) (json.RawMessage, error) {
	document, err := json.Marshal(o.kind.Fields(r))
	if err != nil {
		return nil, fmt.Errorf("write %s %s: %w", o.kind.Noun, o.kind.Key(r), err)
	}
	return document, nil
}

// moment is now, in the microseconds that the databases keep.
func (o *Operations[R, F]) moment() time.Time { return o.now().UTC().Truncate(time.Microsecond) }
