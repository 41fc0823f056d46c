package application

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// Operations are the changes that can be made to an application as it stands.
// What makes and removes one is in package instance.
type Operations struct {
	registry *Registry
	now      func() time.Time
	changed  func(*Application)
}

// NewOperations puts them together.
func NewOperations(registry *Registry, now func() time.Time) *Operations {
	return &Operations{registry: registry, now: now, changed: func(*Application) {}}
}

// OnSession has changed called, after the commit, with an application whose users'
// sessions live for another time than before. It is called before the operations
// are used.
func (o *Operations) OnSession(changed func(*Application)) *Operations {
	o.changed = changed
	return o
}

// Patch changes settings and name by a JSON Merge Patch (RFC 7396) of the
// document. revision, where it is given, is the one that the caller read; a
// fault Precondition says that it is another by now. Refused values are
// fault.Problems.
func (o *Operations) Patch(ctx context.Context, source audit.Source, id string, patch map[string]json.RawMessage, revision *int64) (*Application, error) {
	now := o.now().UTC().Truncate(time.Microsecond)
	var session time.Duration // as it was
	after, err := o.registry.Change(ctx, id, func(a *Application) (audit.Event, error) {
		if revision != nil && *revision != a.Revision {
			return audit.Event{}, fault.Preconditionf("The application was changed since it was read; read it again.")
		}
		session = a.Settings.Session()
		event := audit.New(source, id, "application.update", "application:"+id, now)
		var err error
		if event.Before, err = a.Record(); err != nil {
			return audit.Event{}, err
		}
		if err := a.Patch(patch); err != nil {
			return audit.Event{}, err
		}
		a.UpdatedAt = now
		event.After, err = a.Record()
		return event, err
	})
	if err == nil && after.Settings.Session() != session {
		o.changed(after)
	}
	return after, err
}

// Record is the application as audit events show it.
func (a *Application) Record() (json.RawMessage, error) {
	return json.Marshal(struct {
		Name     string   `json:"name"`
		Settings Settings `json:"settings"`
	}{a.Name, a.Settings})
}

// refusal gives the text for the caller of what was refused.
func refusal(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}
