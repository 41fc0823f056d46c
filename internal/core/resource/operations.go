package resource

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

// Operations are every change that can be made to a resource. Each is one
// transaction with its audit event; what a registry remembers is void before
// the caller hears of it.
type Operations struct {
	store     Store
	resources *Registry
	now       func() time.Time
}

// NewOperations puts them together.
func NewOperations(store Store, resources *Registry, now func() time.Time) *Operations {
	return &Operations{store: store, resources: resources, now: now}
}

// What may not be done to a resource.
var (
	errFixed = fault.Problems{fault.Invalidf("identifier", "The identifier of a resource is fixed; make another resource and delete this one.")}
	errStale = fault.Preconditionf("The resource has changed since it was read; read it again.")
)

// Create makes a resource. An identifier in use is a fault Conflict with the
// Field "identifier"; refused values are fault.Problems.
func (o *Operations) Create(ctx context.Context, source audit.Source, applicationID string, fields Fields) (*Resource, error) {
	if err := fields.settle().OrNil(); err != nil {
		return nil, err
	}
	now := o.moment()
	r := &Resource{ApplicationID: applicationID, Identifier: fields.Identifier, CreatedAt: now}
	r.set(fields, now)
	event := audit.New(source, applicationID, "resource.create", object(r.Identifier), now)
	var err error
	if event.After, err = r.document(); err != nil {
		return nil, err
	}
	defer o.resources.Void(applicationID, r.Identifier)
	if err := o.store.Create(ctx, r, event); err != nil {
		return nil, err
	}
	return r, nil
}

// Get gives a resource as stored now, clients that were deleted since left out;
// NotFound where there is none.
func (o *Operations) Get(ctx context.Context, applicationID, identifier string) (*Resource, error) {
	if !ValidIdentifier(identifier) {
		return nil, errNoResource // no question for the database
	}
	return o.store.Get(ctx, applicationID, identifier)
}

// List gives at most limit resources in the order of their identifiers, and the
// cursor to go on from: "" where there are no more. after is such a cursor, or
// "" for the beginning; what cannot be one is a fault Invalid.
func (o *Operations) List(ctx context.Context, applicationID, after string, limit int) (list []*Resource, next string, err error) {
	if !utf8.ValidString(after) || strings.Contains(after, "\x00") {
		return nil, "", fault.Invalidf("cursor", "This is no cursor of this list; begin without one.")
	}
	list, err = o.store.List(ctx, applicationID, after, limit+1)
	if err == nil && len(list) > limit {
		list = list[:limit]
		next = list[limit-1].Identifier
	}
	return list, next, err
}

// Patch changes a resource by a merge patch (RFC 7396) over its fields; null is
// the default. Where a revision is given and is not that of the resource, it is
// a fault Precondition. NotFound where there is none; refused values are
// fault.Problems.
func (o *Operations) Patch(ctx context.Context, source audit.Source, applicationID, identifier string, patch []byte, revision *int64) (*Resource, error) {
	if !ValidIdentifier(identifier) {
		return nil, errNoResource
	}
	now := o.moment()
	defer o.resources.Void(applicationID, identifier)
	return o.store.Change(ctx, applicationID, identifier, func(r *Resource) (event audit.Event, err error) {
		if revision != nil && *revision != r.Revision {
			return event, errStale
		}
		event = audit.New(source, applicationID, "resource.update", object(identifier), now)
		if event.Before, err = r.document(); err != nil {
			return event, err
		}
		fields := r.Fields()
		if err := fields.Patch(patch); err != nil {
			return event, err
		}
		if fields.Identifier != identifier {
			return event, errFixed
		}
		if err := fields.settle().OrNil(); err != nil {
			return event, err
		}
		r.set(fields, now)
		event.After, err = r.document()
		return event, err
	})
}

// Delete removes a resource: nobody gets a token for it any more, and those that
// are out live on. revision and NotFound as Patch.
func (o *Operations) Delete(ctx context.Context, source audit.Source, applicationID, identifier string, revision *int64) error {
	if !ValidIdentifier(identifier) {
		return errNoResource
	}
	now := o.moment()
	defer o.resources.Void(applicationID, identifier)
	return o.store.Delete(ctx, applicationID, identifier, func(r *Resource) (event audit.Event, err error) {
		if revision != nil && *revision != r.Revision {
			return event, errStale
		}
		event = audit.New(source, applicationID, "resource.delete", object(identifier), now)
		event.Before, err = r.document()
		return event, err
	})
}

// set stores fields that were settled.
func (r *Resource) set(f Fields, now time.Time) {
	r.Name, r.Scopes, r.AccessTokenFormat, r.UpdatedAt = f.Name, f.Scopes, f.AccessTokenFormat, now
	r.Introspectors = nil
	for _, id := range f.IntrospectingClients {
		r.Introspectors = append(r.Introspectors, Introspector{ClientID: id})
	}
}

// document is a resource as its audit events show it.
func (r *Resource) document() (json.RawMessage, error) {
	document, err := json.Marshal(r.Fields())
	if err != nil {
		return nil, fmt.Errorf("write resource %s: %w", r.Identifier, err)
	}
	return document, nil
}

// moment is now, in the microseconds that the databases keep.
func (o *Operations) moment() time.Time { return o.now().UTC().Truncate(time.Microsecond) }

// object names a resource in audit events.
func object(identifier string) string { return "resource:" + identifier }
