package resource

import (
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/record"
)

// Operations are every change that can be made to a resource. Get gives one as
// it is stored, clients that were deleted since left out. After Delete nobody
// gets a token for it any more, and those that are out live on.
type Operations = record.Operations[Resource, Fields]

// NewOperations puts them together.
func NewOperations(store Store, resources *Registry, now func() time.Time) *Operations {
	return record.NewOperations(&kind, store, resources.Void, now)
}

var kind = record.Kind[Resource, Fields]{
	Noun: "resource",
	New: func(applicationID string, at time.Time) *Resource {
		return &Resource{ApplicationID: applicationID, CreatedAt: at}
	},
	Key:      func(r *Resource) string { return r.Identifier },
	Revision: func(r *Resource) int64 { return r.Revision },
	Place:    func(r *Resource) string { return r.Identifier },
	Fields:   (*Resource).Fields,
	Read:     (*Fields).Patch,
	Write:    (*Resource).write,
	Refuse: func(identifier string) error {
		if !ValidIdentifier(identifier) {
			return errNoResource // no question for the database
		}
		return nil
	},
}

var errFixed = fault.Problems{fault.Invalidf("identifier", "The identifier of a resource is fixed; make another resource and delete this one.")}

// write judges fields and stores them.
func (r *Resource) write(f Fields, now time.Time) error {
	if r.Identifier != "" && f.Identifier != r.Identifier {
		return errFixed
	}
	if err := f.settle().OrNil(); err != nil {
		return err
	}
	r.Identifier, r.Name, r.Scopes, r.AccessTokenFormat, r.UpdatedAt = f.Identifier, f.Name, f.Scopes, f.AccessTokenFormat, now
	r.Introspectors = nil
	for _, id := range f.IntrospectingClients {
		r.Introspectors = append(r.Introspectors, Introspector{ClientID: id})
	}
	return nil
}
