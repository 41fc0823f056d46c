package scope

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/record"
)

// Operations are every change that can be made to a scope. One that is built in
// can be altered by none of them, which is a fault Conflict; so is the deletion
// of one that a client is allowed, that a resource lists or that a live token
// carries.
type Operations struct {
	*record.Operations[Scope, Fields]

	scopes *Registry
}

// NewOperations puts them together.
func NewOperations(store Store, scopes *Registry, now func() time.Time) *Operations {
	return &Operations{record.NewOperations(&kind, withBuiltIn{store}, scopes.Void, now), scopes}
}

var kind = record.Kind[Scope, Fields]{
	Noun: "scope",
	New: func(applicationID string, at time.Time) *Scope {
		return &Scope{ApplicationID: applicationID, CreatedAt: at}
	},
	Key:      func(s *Scope) string { return s.Name },
	Revision: func(s *Scope) int64 { return s.Revision },
	Place:    func(s *Scope) string { return Key(s.Name) },
	Fields:   (*Scope).Fields,
	Read:     (*Fields).Patch,
	Write:    (*Scope).write,
	Refuse:   alterable,
}

// What may not be done to a scope.
var (
	errBuiltIn = fault.Conflictf("This scope is built in: it is in every application, and cannot be altered or deleted.")
	errTaken   = fault.Takenf("name", "There is a scope of this name already; names are compared without regard to case.")
	errFixed   = fault.Problems{fault.Invalidf("name", "The name of a scope is fixed; make another scope and delete this one.")}
)

// Create makes a scope. A name in use is a fault Conflict with the Field "name";
// refused values are fault.Problems.
func (o *Operations) Create(ctx context.Context, source audit.Source, applicationID string, fields Fields) (*Scope, error) {
	if slices.ContainsFunc(builtIn, func(s Scope) bool { return s.Name == Key(fields.Name) }) {
		return nil, errTaken
	}
	return o.Operations.Create(ctx, source, applicationID, fields)
}

// Get gives a scope, a built-in one too; NotFound where there is none.
func (o *Operations) Get(ctx context.Context, applicationID, name string) (*Scope, error) {
	return o.scopes.Get(ctx, applicationID, name)
}

// withBuiltIn lists the built-in scopes among those that are stored, in the
// order of their names without regard to case.
type withBuiltIn struct{ Store }

// List implements Store.
func (w withBuiltIn) List(ctx context.Context, applicationID, after string, limit int) ([]*Scope, error) {
	list, err := w.Store.List(ctx, applicationID, after, limit)
	if err != nil {
		return nil, err
	}
	for i := range builtIn {
		if builtIn[i].Name > after {
			list = append(list, builtInOf(applicationID, i))
		}
	}
	slices.SortFunc(list, func(a, b *Scope) int { return cmp.Compare(Key(a.Name), Key(b.Name)) })
	return list[:min(limit, len(list))], nil
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

// write judges fields and stores them; an empty list is none.
func (s *Scope) write(f Fields, now time.Time) error {
	if s.Name != "" && f.Name != s.Name {
		return errFixed
	}
	if err := f.settle(s.URLPatterns).OrNil(); err != nil {
		return err
	}
	s.Name, s.Description, s.Kind, s.RequiredRole, s.URLPatterns = f.Name, f.Description, f.Kind, f.RequiredRole, nil
	if len(f.URLPatterns) > 0 {
		s.URLPatterns = f.URLPatterns
	}
	s.UpdatedAt = now
	return nil
}
