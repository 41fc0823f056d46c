package instance

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/key"
)

// Operations make and remove applications.
type Operations struct {
	store        Applications
	applications *application.Registry
	clients      *client.Registry
	signers      *key.Signers
	ring         *key.Ring
	now          func() time.Time
	standing     func() string
	others       []func()
	forget       func(ctx context.Context, source audit.Source, id string) error
}

// NewOperations puts them together. standing gives the default application, which
// cannot be removed; it is asked each time, since the founding comes later.
func NewOperations(store Applications, applications *application.Registry, clients *client.Registry, signers *key.Signers, ring *key.Ring, now func() time.Time, standing func() string) *Operations {
	return &Operations{store: store, applications: applications, clients: clients, signers: signers, ring: ring, now: now, standing: standing}
}

// Voiding gives the operations with what else is remembered of applications:
// each function forgets all of its kind when an application comes or goes.
func (o *Operations) Voiding(others ...func()) *Operations {
	with := *o
	with.others = others
	return &with
}

// Forgetting gives the operations with what takes away, before an application is
// made, what people may still do in the one that had its id before.
func (o *Operations) Forgetting(forget func(ctx context.Context, source audit.Source, id string) error) *Operations {
	with := *o
	with.forget = forget
	return &with
}

// Draft is an application to be made.
type Draft struct {
	ID     string // "": made
	Name   string
	Preset string // "": the defaults
}

// OwnerClient is the client that is made with an application.
type OwnerClient struct{ ID, Secret string }

// OwnerName is the name of that client; it can be changed later.
const OwnerName = "First owner"

// Addition is everything that the making of an application stores.
type Addition struct {
	Application application.Application
	Owner       client.Client
	SigningKeys []key.SigningKey
	Events      []audit.Event
}

// Applications keeps the applications of an instance. Every method is one
// transaction.
type Applications interface {
	// List gives at most limit applications in the order of their ids, those
	// whose id is greater than after.
	List(ctx context.Context, after string, limit int) ([]*application.Application, error)
	// With gives the ids of at most limit applications that have a client of
	// this id.
	With(ctx context.Context, clientID string, limit int) ([]string, error)
	// Add stores a new application whole. An id in use, and one whose
	// application was removed a short time ago, is a fault Conflict whose Field
	// is "id".
	Add(ctx context.Context, a *Addition) error
	// Remove takes an application away, after check, which may refuse; what was
	// in it is handed to the sweeper. NotFound where there is none.
	Remove(ctx context.Context, id string, check func(*application.Application) (audit.Event, error)) error
}

// Applications gives at most limit applications in the order of their ids, those
// after the id given.
func (o *Operations) Applications(ctx context.Context, after string, limit int) ([]*application.Application, error) {
	return o.store.List(ctx, after, limit)
}

// Seen gives at most limit applications that an administrator has a role in, in
// the order of their ids, those after the id given, and whether there are more.
func (o *Operations) Seen(ctx context.Context, access administrator.Access, after string, limit int) (list []*application.Application, more bool, err error) {
	if access.Instance {
		list, err = o.Applications(ctx, after, limit+1)
		if len(list) > limit {
			list, more = list[:limit], true
		}
		return list, more, err
	}
	for _, id := range access.Applications() {
		if id <= after {
			continue
		}
		if len(list) == limit {
			return list, true, nil
		}
		app, err := o.applications.Get(ctx, id)
		if fault.KindOf(err) == fault.NotFound {
			continue // it was removed
		}
		if err != nil {
			return nil, false, err
		}
		list = append(list, app)
	}
	return list, false, nil
}

// ApplicationsOf gives the ids of at most limit applications that have a client
// of this id.
func (o *Operations) ApplicationsOf(ctx context.Context, clientID string, limit int) ([]string, error) {
	return o.store.With(ctx, clientID, limit)
}

// Create makes an application with its signing key and a client that owns it.
// Refused values are faults Invalid, an id in use is a Conflict.
func (o *Operations) Create(ctx context.Context, source audit.Source, draft Draft) (*application.Application, OwnerClient, error) {
	settings, err := o.check(&draft)
	if err != nil {
		return nil, OwnerClient{}, err
	}
	now := o.now().UTC().Truncate(time.Microsecond)
	owner := OwnerClient{ID: ident.Client(), Secret: ident.Secret()}
	a := &Addition{Application: application.Application{
		ID: draft.ID, Name: draft.Name, Settings: settings, Revision: 1, CreatedAt: now, UpdatedAt: now,
	}}
	a.Owner = NewOwner(&a.Application, owner.ID, client.NewSecret(o.ring, &a.Application, owner.ID, owner.Secret, now), now)
	if a.SigningKeys, err = o.signers.Found(draft.ID, settings.Algorithm()); err != nil {
		return nil, OwnerClient{}, err
	}
	if a.Events, err = a.events(source, now); err != nil {
		return nil, OwnerClient{}, err
	}
	if err := o.forgotten(ctx, source, draft.ID); err != nil {
		return nil, OwnerClient{}, err
	}
	defer o.void(draft.ID)
	if err := o.store.Add(ctx, a); err != nil {
		return nil, OwnerClient{}, err
	}
	return &a.Application, owner, nil
}

// forgotten makes sure that nobody has a role in an application that is to be made.
func (o *Operations) forgotten(ctx context.Context, source audit.Source, id string) error {
	_, err := o.applications.Get(ctx, id)
	if fault.KindOf(err) != fault.NotFound {
		return err // one that is there is refused later
	}
	return o.forget(ctx, source, id)
}

func (o *Operations) check(draft *Draft) (application.Settings, error) {
	var problems fault.Problems
	settings, err := application.Preset(draft.Preset)
	if err != nil {
		problems = append(problems, asFault(err))
	}
	if draft.ID == "" {
		draft.ID = ident.Application()
	}
	if err := application.ValidateID(draft.ID); err != nil {
		problems = append(problems, asFault(err))
	}
	return settings, problems.OrNil()
}

func asFault(err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	return fault.Invalidf("", "%s", err.Error())
}

// NewOwner makes the client that owns an application.
func NewOwner(app *application.Application, id string, secret client.Secret, now time.Time) client.Client {
	var era [8]byte
	_, _ = rand.Read(era[:])
	return client.Client{
		ApplicationID: app.ID, ID: id, Name: OwnerName, Kind: client.Other,
		Era:      int64(binary.BigEndian.Uint64(era[:])), //nolint:gosec // any 64 bits
		Settings: client.Settings{Features: client.Features{client.Owner}},
		Secrets:  []client.Secret{secret}, CreatedAt: now, UpdatedAt: now,
	}
}

// events are the audit events of a creation, without its secret. The instance
// has the first of them too: an owner of the new application sees it, and the
// application can be removed.
func (a *Addition) events(source audit.Source, now time.Time) ([]audit.Event, error) {
	id := a.Application.ID
	state, err := a.Application.Record()
	if err != nil {
		return nil, fmt.Errorf("write an audit event: %w", err)
	}
	features, err := json.Marshal(a.Owner.Settings)
	if err != nil {
		return nil, fmt.Errorf("write an audit event: %w", err)
	}
	made := audit.New(source, id, "application.create", "application:"+id, now)
	made.After = state
	known := audit.New(source, "", made.Action, made.Object, now)
	known.After = state
	owner := audit.New(source, id, "client.create", "client:"+a.Owner.ID, now)
	owner.After = features
	events := []audit.Event{made, known, owner}
	for i := range a.SigningKeys {
		k := &a.SigningKeys[i]
		e := audit.New(source, id, "key.create", "key:"+k.ID, now)
		e.After = k.Public
		events = append(events, e)
	}
	return events, nil
}

var errStanding = fault.Conflictf("The default application cannot be deleted; it goes with the whole deployment.")

// Deletable refuses the application that cannot be deleted, the default one, with
// a fault Conflict.
func (o *Operations) Deletable(id string) error {
	if id == o.standing() {
		return errStanding
	}
	return nil
}

// Delete removes an application and everything in it, which is dead when this
// returns. The default one stays: a fault Conflict. revision, where it is given,
// is the one that the caller read; a fault Precondition says that it is another
// by now.
func (o *Operations) Delete(ctx context.Context, source audit.Source, id string, revision *int64) error {
	if err := o.Deletable(id); err != nil {
		return err
	}
	now := o.now().UTC().Truncate(time.Microsecond)
	defer o.void(id)
	return o.store.Remove(ctx, id, func(a *application.Application) (audit.Event, error) {
		if revision != nil && *revision != a.Revision {
			return audit.Event{}, fault.Preconditionf("The application was changed since it was read; read it again.")
		}
		event := audit.New(source, "", "application.delete", "application:"+id, now)
		var err error
		event.Before, err = a.Record()
		return event, err
	})
}

// void forgets what is remembered of an application. Clients and what else there
// is are forgotten all together: this is rare, and an application may come again
// under the same id.
func (o *Operations) void(id string) {
	o.applications.Void(id)
	o.signers.Void(id)
	o.clients.VoidAll()
	for _, void := range o.others {
		void()
	}
}
