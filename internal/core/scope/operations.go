package scope

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// Operations are every change that can be made to a scope. Each is one
// transaction with its audit event; what a registry remembers is void before
// the caller hears of it.
type Operations struct {
	store  Store
	scopes *Registry
	now    func() time.Time
}

// NewOperations puts them together.
func NewOperations(store Store, scopes *Registry, now func() time.Time) *Operations {
	return &Operations{store: store, scopes: scopes, now: now}
}

// What may not be done to a scope.
var (
	errBuiltIn = fault.Conflictf("This scope is built in: it is in every application, and cannot be altered or deleted.")
	errTaken   = &fault.Error{Kind: fault.Conflict, Field: "name", Message: "There is a scope of this name already; names are compared without regard to case."}
	errFixed   = fault.Problems{fault.Invalidf("name", "The name of a scope is fixed; make another scope and delete this one.")}
	errStale   = fault.Preconditionf("The scope has changed since it was read; read it again.")
)

// Create makes a scope. A name in use is a fault Conflict with the Field "name";
// refused values are fault.Problems.
func (o *Operations) Create(ctx context.Context, source audit.Source, applicationID string, fields Fields) (*Scope, error) {
	if slices.ContainsFunc(builtIn, func(s Scope) bool { return s.Name == Key(fields.Name) }) {
		return nil, errTaken
	}
	if err := fields.settle().OrNil(); err != nil {
		return nil, err
	}
	now := o.moment()
	s := &Scope{ApplicationID: applicationID, Name: fields.Name, CreatedAt: now}
	s.set(fields, now)
	event := audit.New(source, applicationID, "scope.create", object(s.Name), now)
	var err error
	if event.After, err = s.document(); err != nil {
		return nil, err
	}
	defer o.scopes.Void(applicationID, s.Name)
	if err := o.store.Create(ctx, s, event); err != nil {
		return nil, err
	}
	return s, nil
}

// Get gives a scope, a built-in one too; NotFound where there is none.
func (o *Operations) Get(ctx context.Context, applicationID, name string) (*Scope, error) {
	return o.scopes.Get(ctx, applicationID, name)
}

// List gives at most limit scopes, built-in ones among them, in the order of
// their names without regard to case, and the cursor to go on from: "" where
// there are no more. after is such a cursor, or "" for the beginning; what cannot be
// one is a fault Invalid.
func (o *Operations) List(ctx context.Context, applicationID, after string, limit int) (list []*Scope, next string, err error) {
	if !utf8.ValidString(after) || strings.Contains(after, "\x00") {
		return nil, "", fault.Invalidf("cursor", "This is no cursor of this list; begin without one.")
	}
	list, err = o.store.List(ctx, applicationID, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	for i := range builtIn {
		if builtIn[i].Name > after {
			list = append(list, builtInOf(applicationID, i))
		}
	}
	slices.SortFunc(list, func(a, b *Scope) int { return cmp.Compare(Key(a.Name), Key(b.Name)) })
	if len(list) > limit {
		list = list[:limit]
		next = Key(list[limit-1].Name)
	}
	return list, next, nil
}

// Patch changes a scope by a merge patch (RFC 7396) over its fields; null is the
// default. Where a revision is given and is not that of the scope, it is a fault
// Precondition. A scope that is built in is a Conflict; NotFound where there is
// none; refused values are fault.Problems.
func (o *Operations) Patch(ctx context.Context, source audit.Source, applicationID, name string, patch []byte, revision *int64) (*Scope, error) {
	if err := alterable(name); err != nil {
		return nil, err
	}
	now := o.moment()
	defer o.scopes.Void(applicationID, name)
	return o.store.Change(ctx, applicationID, name, func(s *Scope) (event audit.Event, err error) {
		if revision != nil && *revision != s.Revision {
			return event, errStale
		}
		event = audit.New(source, applicationID, "scope.update", object(name), now)
		if event.Before, err = s.document(); err != nil {
			return event, err
		}
		fields := s.Fields()
		if err := fields.Patch(patch); err != nil {
			return event, err
		}
		if fields.Name != name {
			return event, errFixed
		}
		if err := fields.settle().OrNil(); err != nil {
			return event, err
		}
		s.set(fields, now)
		event.After, err = s.document()
		return event, err
	})
}

// Delete removes a scope. One that is built in, that a client is allowed, that a
// resource lists or that a live token carries is a fault Conflict. revision and
// NotFound as Patch.
func (o *Operations) Delete(ctx context.Context, source audit.Source, applicationID, name string, revision *int64) error {
	if err := alterable(name); err != nil {
		return err
	}
	now := o.moment()
	defer o.scopes.Void(applicationID, name)
	return o.store.Delete(ctx, applicationID, name, func(s *Scope) (event audit.Event, err error) {
		if revision != nil && *revision != s.Revision {
			return event, errStale
		}
		event = audit.New(source, applicationID, "scope.delete", object(name), now)
		event.Before, err = s.document()
		return event, err
	})
}

// alterable refuses the name of a scope that is built in, and one that none has.
func alterable(name string) error {
	switch {
	case IsBuiltIn(name):
		return errBuiltIn
	case !validName(name):
		return errNoScope // no question for the database
	default:
		return nil
	}
}

// set stores fields that were settled; an empty list is none.
func (s *Scope) set(f Fields, now time.Time) {
	s.Description, s.Kind, s.RequiredRole, s.URLPatterns = f.Description, f.Kind, f.RequiredRole, nil
	if len(f.URLPatterns) > 0 {
		s.URLPatterns = f.URLPatterns
	}
	s.UpdatedAt = now
}

// document is a scope as its audit events show it.
func (s *Scope) document() (json.RawMessage, error) {
	document, err := json.Marshal(s.Fields())
	if err != nil {
		return nil, fmt.Errorf("write scope %s: %w", s.Name, err)
	}
	return document, nil
}

// moment is now, in the microseconds that the databases keep.
func (o *Operations) moment() time.Time { return o.now().UTC().Truncate(time.Microsecond) }

// object names a scope in audit events.
func object(name string) string { return "scope:" + name }
