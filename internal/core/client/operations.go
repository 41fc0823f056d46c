package client

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/ipallow"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// Operations are every change that can be made to a client, and every look at
// what is kept secret of one. Each change is one transaction with its audit
// event; what a registry remembers is void before the caller hears of it.
type Operations struct {
	store        Store
	log          audit.Store
	clients      *Registry
	applications *application.Registry
	keys         *key.Ring
	now          func() time.Time
	kinds        ScopeKinds // nil: there are no scopes

	role          admin.Role // what whoever makes the changes may do
	administrator string     // who that is; "": a program
}

// NewOperations puts them together.
func NewOperations(store Store, log audit.Store, clients *Registry, applications *application.Registry, keys *key.Ring, now func() time.Time) *Operations {
	return &Operations{store: store, log: log, clients: clients, applications: applications, keys: keys, now: now, role: admin.Owner}
}

// WithScopes gives the operations with the scopes that there are.
func (o *Operations) WithScopes(kinds ScopeKinds) *Operations {
	with := *o
	with.kinds = kinds
	return &with
}

// By gives the operations as an administrator may use them. Programs, which have
// the feature owner or the scope ostiary:admin, have the role owner.
func (o *Operations) By(role admin.Role, administrator string) *Operations {
	by := *o
	by.role, by.administrator = role, administrator
	return &by
}

// permit refuses a change that the role does not permit, by what the client was
// and what it becomes.
func (o *Operations) permit(before, after *Client) error {
	if before.guarded() || after.guarded() {
		return o.role.Require(admin.EditGuardedClients)
	}
	if o.administrator != "" && before.Settings.OwnedBy == o.administrator {
		return o.role.Require(admin.EditOwnClients)
	}
	return o.role.Require(admin.EditClients)
}

// MayEdit reports whether the role permits to change the client as it is.
func (o *Operations) MayEdit(c *Client) bool { return o.permit(c, c) == nil }

// guarded reports whether the client may do more than be given tokens for the
// operator's own scopes.
func (c *Client) guarded() bool {
	return len(c.Settings.Features) > 0 ||
		slices.ContainsFunc(c.Settings.Scopes.Allowed, func(name string) bool { return strings.HasPrefix(name, scope.Prefix) })
}

// What a client may not become, and what may not be done to one.
var (
	ErrMetadata     = fault.Invalidf("features", "Only the operator of the server grants the feature metadata, on the command line.")
	ErrLoginClient  = fault.Invalidf("features", "The feature login_client cannot stand beside another.")
	ErrOwnerDropped = fault.Deniedf("An owner cannot remove the owner feature from itself.")
	ErrOwnerDeleted = fault.Deniedf("Clients with the owner feature cannot be deleted.")
)

// Draft is a client to be made.
type Draft struct {
	Name     string
	Version  string
	Kind     Kind
	Public   bool
	Settings Settings
	Secret   string // its first secret, made by package ident; "": none
	Unique   Uniqueness
}

// Create makes a client. A name in use is a fault Conflict with the Field
// "name"; a value that is refused is a fault Invalid.
func (o *Operations) Create(ctx context.Context, source audit.Source, app *application.Application, draft Draft) (*Client, error) {
	now := o.moment()
	c := &Client{
		ApplicationID: app.ID,
		ID:            ident.Client(),
		Name:          draft.Name,
		Version:       draft.Version,
		Kind:          draft.Kind,
		Public:        draft.Public,
		Era:           newEra(),
		Settings:      draft.Settings,
		CreatedAt:     now,
		UpdatedAt:     now,
	}
	if err := c.conform(app, nil); err != nil {
		return nil, err
	}
	if draft.Secret != "" {
		c.Secrets = []Secret{NewSecret(o.keys, app, c.ID, draft.Secret, now)}
	}
	event := audit.New(source, app.ID, "client.create", object(c.ID), now)
	event.After = c.document()
	defer o.clients.Void(app.ID, c.ID)
	if err := o.store.Create(ctx, c, draft.Unique, event); err != nil {
		return nil, err
	}
	return c, nil
}

// Edit is a change of a client's fields.
type Edit struct {
	// Apply alters the client; it may run more than once and must depend on
	// nothing but its argument.
	Apply  func(*Client)
	Unique Uniqueness // what a new name must not collide with; one that stays is not asked
	Shows  bool       // the answer shows the stored secret: the event says so
}

// Update changes a client's fields. An owner cannot take the feature owner from
// itself (ErrOwnerDropped): that, and what the features may become, is decided
// in the transaction, by the row. Faults as Create, and NotFound.
func (o *Operations) Update(ctx context.Context, source audit.Source, app *application.Application, id string, edit Edit) (*Client, error) {
	now := o.moment()
	defer o.clients.Void(app.ID, id)
	return o.store.Change(ctx, app.ID, id, edit.Unique, func(c *Client) (audit.Event, error) {
		event := audit.New(source, app.ID, "client.update", object(id), now)
		event.Before = c.document()
		before := c.Settings.Features
		edit.Apply(c)
		if err := c.conform(app, before); err != nil {
			return audit.Event{}, err
		}
		if source.Actor == object(id) && before.Has(Owner) && !c.Settings.Features.Has(Owner) {
			return audit.Event{}, ErrOwnerDropped
		}
		c.UpdatedAt = now
		shown := ""
		if secret := c.shownSecret(app, now); edit.Shows && secret != nil {
			shown = secret.ID
		}
		event.After = c.documentShowing(shown)
		return event, nil
	})
}

// conform holds the values of a client to the rules that hold on every surface;
// before is what its features were.
func (c *Client) conform(app *application.Application, before Features) error {
	name, err := CleanName(c.Name)
	if err != nil {
		return err
	}
	c.Name = name
	for _, entry := range c.Settings.AllowedIPs {
		if _, ok := ipallow.Parse(entry); !ok {
			return fault.Invalidf("allowed_ips", "Write each entry as an address, a slash and a prefix length.")
		}
	}
	after := c.Settings.Features
	for _, f := range after {
		if !KnownFeature(string(f)) {
			return fault.Invalidf("features", "There is no such feature.")
		}
	}
	if after.Has(Metadata) && !before.Has(Metadata) {
		return ErrMetadata
	}
	if after.Has(LoginClient) && len(after) > 1 {
		return ErrLoginClient
	}
	// Under the policy `enforced` every client that is made or edited must name
	// its scopes; an imported one that need not loses that with its first edit.
	if app.Settings.ScopePolicy != application.Optional {
		c.Settings.Scopes.AllowUnscoped = false
	}
	return nil
}

// Delete removes a client and all that it was given. One with the feature owner
// stays (ErrOwnerDeleted).
func (o *Operations) Delete(ctx context.Context, source audit.Source, applicationID, id string) error {
	return o.DeleteAt(ctx, source, applicationID, id, nil)
}

// DeleteAt is Delete of a client that still has the revision given, else a fault
// Precondition; nil: whichever it has.
func (o *Operations) DeleteAt(ctx context.Context, source audit.Source, applicationID, id string, revision *int64) error {
	now := o.moment()
	defer o.clients.Void(applicationID, id)
	return o.store.Delete(ctx, applicationID, id, func(c *Client) (audit.Event, error) {
		if revision != nil && *revision != c.Revision {
			return audit.Event{}, errStale
		}
		if c.Settings.Features.Has(Owner) {
			return audit.Event{}, ErrOwnerDeleted
		}
		if err := o.permit(c, c); err != nil {
			return audit.Event{}, err
		}
		event := audit.New(source, applicationID, "client.delete", object(id), now)
		event.Before = c.document()
		return event, nil
	})
}

// SetActive switches a client off, which kills all that it was given, or on
// again, which revives none of it.
func (o *Operations) SetActive(ctx context.Context, source audit.Source, applicationID, id string, active bool) (*Client, error) {
	return o.setActive(ctx, source, applicationID, id, active, nil)
}

func (o *Operations) setActive(ctx context.Context, source audit.Source, applicationID, id string, active bool, revision *int64) (*Client, error) {
	now, era := o.moment(), newEra()
	action := "client.deactivate"
	if active {
		action = "client.activate"
	}
	defer o.clients.Void(applicationID, id)
	return o.store.Change(ctx, applicationID, id, NameAndVersion, func(c *Client) (audit.Event, error) {
		if revision != nil && *revision != c.Revision {
			return audit.Event{}, errStale
		}
		if err := o.permit(c, c); err != nil {
			return audit.Event{}, err
		}
		event := audit.New(source, applicationID, action, object(id), now)
		event.Before = c.document()
		if !active {
			c.Era = era
		}
		c.Inactive = !active
		c.UpdatedAt = now
		event.After = c.document()
		return event, nil
	})
}

// moment is now, in the microseconds that the databases keep.
func (o *Operations) moment() time.Time { return o.now().UTC().Truncate(time.Microsecond) }

// newEra makes an era that no client has had, save once in 2^63 times.
func newEra() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}

// object names a client in audit events, as their object and as their actor.
func object(id string) string { return "client:" + id }
