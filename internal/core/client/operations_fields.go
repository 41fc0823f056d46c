package client

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/granttype"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// ScopeKinds gives the kind of each of the scopes named that the application
// has.
type ScopeKinds func(ctx context.Context, applicationID string, names []string) (map[string]scope.Kind, error)

// intent is what a document says of one field.
type intent uint8

// The intents. A document that replaces leaves no field alone; one that patches
// leaves those that it does not name.
const (
	leave intent = iota
	toDefault
	toValue
)

// writing is one write of fields over a client as it was.
type writing struct {
	app      *application.Application
	values   Fields
	intents  []intent // a field of the table each
	kinds    map[string]scope.Kind
	before   *Client // nil at creation
	keepsOld bool    // an import: require_requested_scopes may be false whatever the policy
	patches  bool    // what it names is meant, and not only sent back
}

// intentsOf gives what a whole document says: what is absent is the default.
func intentsOf(f *Fields) []intent {
	intents := make([]intent, len(fields))
	for i := range fields {
		switch {
		case fields[i].store == nil:
		case fields[i].given(f):
			intents[i] = toValue
		default:
			intents[i] = toDefault
		}
	}
	return intents
}

// given reports whether a document has a value for the field.
func (d *field) given(f *Fields) bool {
	return d.into != nil && !reflect.ValueOf(d.into(f)).Elem().IsNil()
}

// intent gives what is meant for a field by its name.
func (w *writing) intent(name string) intent {
	return w.intents[slices.IndexFunc(fields, func(d field) bool { return d.Name == name })]
}

// apply alters the client and gives all that is wrong with the outcome.
func (w *writing) apply(c *Client) (problems fault.Problems) {
	for i := range fields {
		switch w.intents[i] {
		case leave:
		case toDefault:
			fields[i].reset(c)
		case toValue:
			fields[i].store(c, &w.values)
		}
	}
	w.keepDerived(c)
	w.requireScopes(c, &problems)
	problems = append(problems, c.validate(w.app, w.kinds)...)
	if w.before != nil {
		problems = apart(problems, w.before.validate(w.app, w.kinds))
	}
	c.Settings.settle()
	return problems
}

// keepDerived leaves derived what is written as it was shown, as long as it is
// still what follows: so what was read can be written back, and goes on
// following from what it follows from. A lifetime of refresh tokens that a patch
// does not name goes with the grant.
func (w *writing) keepDerived(c *Client) {
	if w.before == nil {
		return
	}
	s, old := &c.Settings, &w.before.Settings
	derived := w.derivedGrants(w.before)
	if old.GrantTypes == nil && slices.Equal(s.GrantTypes, derived) && slices.Equal(w.derivedGrants(c), derived) {
		s.GrantTypes = nil
	}
	shown, following := old.AccessToken.AccessTokenFormat(), s.AccessToken
	following.Format = ""
	if old.AccessToken.Format == "" && s.AccessToken.Format == shown && following.AccessTokenFormat() == shown {
		s.AccessToken = following
	}
	if w.intent("refresh_token_lifetime") == leave && w.refreshes(w.before) && !w.refreshes(c) {
		s.Refresh.Seconds = 0
	}
}

// derivedGrants gives the grants that follow from kind and features.
func (w *writing) derivedGrants(c *Client) []oauth.GrantType {
	var none granttype.Setting
	return none.InForce(c.Subject(w.app))
}

// refreshes reports whether the client has the grant refresh_token.
func (w *writing) refreshes(c *Client) bool {
	return slices.Contains(c.Settings.GrantTypes.InForce(c.Subject(w.app)), oauth.RefreshToken)
}

// requireScopes holds the write to the scope policy. Under `enforced` every
// client that is made or edited must name its scopes; false is refused, save in
// a replacement where it is what the stored client shows, since that is what was
// read.
func (w *writing) requireScopes(c *Client, problems *fault.Problems) {
	if w.app.Settings.ScopePolicy == application.Optional || w.keepsOld {
		return
	}
	asked := w.intent("require_requested_scopes") == toValue && c.Settings.Scopes.AllowUnscoped
	if asked && (w.patches || w.before == nil || !w.before.Settings.Scopes.AllowUnscoped) {
		problems.Add("require_requested_scopes", "The application's scope policy is enforced, so a client always names the scopes it asks for; leave this out.")
	}
	c.Settings.Scopes.AllowUnscoped = false
}

// fixedProblems refuses what was set once and for all, where it is another.
func (f *Fields) fixedProblems(c *Client) (problems fault.Problems) {
	name := c.Name
	if f.Name != nil {
		if clean, err := CleanName(*f.Name); err == nil {
			name = clean
		} else {
			name = ""
		}
	}
	for _, fixed := range []struct {
		name string
		same bool
	}{
		{"id", f.ID == nil || *f.ID == c.ID},
		{"name", name == c.Name},
		{"kind", f.Kind == nil || *f.Kind == c.Kind},
		{"type", f.Type == nil || *f.Type == typeOf(c.Public)},
	} {
		if !fixed.same {
			problems.Add(fixed.name, "This is fixed when the client is made; leave it out, or make another client.")
		}
	}
	if f.Secret != nil {
		problems.Add("secret", "A secret is given when the client is made; add one to its secrets instead.")
	}
	return problems
}

// scopeKinds asks for the scopes of a write: those written and those there are.
func (o *Operations) scopeKinds(ctx context.Context, applicationID string, f *Fields, c *Client) (map[string]scope.Kind, error) {
	names := map[string]bool{}
	if f.Scopes != nil {
		for _, name := range *f.Scopes {
			names[name] = true
		}
	}
	if c != nil {
		for _, name := range c.Settings.Scopes.Allowed {
			names[name] = true
		}
	}
	if len(names) == 0 || o.kinds == nil {
		return nil, nil
	}
	return o.kinds(ctx, applicationID, slices.Collect(maps.Keys(names)))
}

var errStale = fault.Preconditionf("The client has changed since it was read; read it again.")

// ReplaceFrom writes the whole client: what is absent is the default, save what
// is fixed, which stays. Where revision is not nil the client must still have
// it, else it is a fault Precondition. Refused values are fault.Problems, a name
// and version in use a Conflict, and there may be no such client: NotFound.
func (o *Operations) ReplaceFrom(ctx context.Context, source audit.Source, app *application.Application, id string, f Fields, revision *int64) (*Client, error) {
	return o.edit(ctx, source, app, id, revision, &f, func(*Client) (writing, fault.Problems) {
		return writing{values: f, intents: intentsOf(&f)}, nil
	})
}

// Patch changes the fields that a merge patch (RFC 7396) names; null means the
// default. Faults as ReplaceFrom. One that names `active` alone is no edit of
// the client, as SetActive is none.
func (o *Operations) Patch(ctx context.Context, source audit.Source, app *application.Application, id string, mergePatch []byte, revision *int64) (*Client, error) {
	members, err := parseMembers(mergePatch)
	if err != nil {
		return nil, err
	}
	var f Fields
	if err := patchProblems(members, &f).OrNil(); err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return o.unchanged(ctx, app.ID, id, revision)
	}
	if active, ok := members["active"]; ok && len(members) == 1 {
		return o.setActive(ctx, source, app.ID, id, string(active) != "false", revision)
	}
	return o.edit(ctx, source, app, id, revision, &f, func(c *Client) (writing, fault.Problems) {
		w := writing{values: f, intents: make([]intent, len(fields)), patches: true}
		for i := range fields {
			if _, named := members[fields[i].Name]; named && fields[i].store != nil {
				w.intents[i] = toDefault
				if fields[i].given(&f) {
					w.intents[i] = toValue
				}
			}
		}
		if f.RateLimit == nil {
			return w, nil
		}
		merged, err := c.Settings.RateLimit.Merge(members["rate_limit"])
		if err != nil {
			return w, fault.Problems{inField("rate_limit", err, "This is no rate limit.")}
		}
		w.values.RateLimit = &merged
		return w, nil
	})
}

// unchanged gives the client as it is: to write nothing is no edit.
func (o *Operations) unchanged(ctx context.Context, applicationID, id string, revision *int64) (*Client, error) {
	c, err := o.store.Get(ctx, applicationID, id)
	if err == nil && revision != nil && *revision != c.Revision {
		return nil, errStale
	}
	return c, err
}

// patchProblems reads the members of a patch and gives what no client makes
// right: what is no field, of a wrong type, read only, or fixed and to be taken
// away.
func patchProblems(members map[string]json.RawMessage, f *Fields) fault.Problems {
	problems := f.read(members)
	for i := range fields {
		d := &fields[i]
		value, named := members[d.Name]
		switch {
		case !named:
		case d.ReadOnly:
			problems.Add(d.Name, "This is read only; leave it out.")
		case string(value) == "null" && d.Fixed:
			problems.Add(d.Name, "This is fixed when the client is made; leave it out.")
		}
	}
	return inOrder(problems)
}

// edit runs a write of fields in the transaction that reads the client.
func (o *Operations) edit(
	ctx context.Context, source audit.Source, app *application.Application, id string, revision *int64, f *Fields,
	plan func(*Client) (writing, fault.Problems),
) (*Client, error) {
	known, err := o.clients.Get(ctx, app.ID, id)
	if err != nil {
		return nil, err
	}
	kinds, err := o.scopeKinds(ctx, app.ID, f, known)
	if err != nil {
		return nil, err
	}
	now, era := o.moment(), newEra()
	defer o.clients.Void(app.ID, id)
	return o.store.Change(ctx, app.ID, id, NameAndVersion, func(c *Client) (audit.Event, error) {
		if revision != nil && *revision != c.Revision {
			return audit.Event{}, errStale
		}
		before := *c
		event := audit.New(source, app.ID, "client.update", object(id), now)
		event.Before = c.document()
		w, problems := plan(c)
		w.app, w.kinds, w.before = app, kinds, &before
		problems = append(problems, f.fixedProblems(c)...)
		problems = append(problems, w.apply(c)...)
		if err := inOrder(problems).OrNil(); err != nil {
			return audit.Event{}, err
		}
		if err := o.permit(&before, c); err != nil {
			return audit.Event{}, err
		}
		if source.Actor == object(id) && before.Settings.Features.Has(Owner) && !c.Settings.Features.Has(Owner) {
			return audit.Event{}, ErrOwnerDropped
		}
		if c.Inactive && !before.Inactive {
			c.Era = era
		}
		c.UpdatedAt = now
		event.After = c.document()
		return event, nil
	})
}
