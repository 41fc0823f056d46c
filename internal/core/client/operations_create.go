package client

import (
	"context"
	"errors"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/secret"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// CreateOptions says how a client comes to be.
type CreateOptions struct {
	// Import keeps require_requested_scopes: false whatever the scope policy is,
	// until the client is edited.
	Import bool
	// NoSecret makes none, where none is given.
	NoSecret bool
}

// Prepared is a client that can be stored: every rule has been asked but whether
// its id and name are free.
type Prepared struct {
	Client *Client
	Secret string // the secret, in clear, to be shown once; "": none was made
	Event  audit.Event
}

// CreateFrom makes a client and gives its secret, "" where it has none. Refused
// values are fault.Problems; an id or name in use is a Conflict with that Field.
func (o *Operations) CreateFrom(ctx context.Context, source audit.Source, app *application.Application, f Fields, options CreateOptions) (*Client, string, error) {
	p, err := o.Prepare(ctx, source, app, f, options)
	if err != nil {
		return nil, "", err
	}
	if err := o.Keep(ctx, p); err != nil {
		return nil, "", err
	}
	return p.Client, p.Secret, nil
}

// Keep stores what Prepare gave.
func (o *Operations) Keep(ctx context.Context, p *Prepared) error {
	defer o.clients.Void(p.Client.ApplicationID, p.Client.ID)
	return o.store.Create(ctx, p.Client, NameAndVersion, p.Event)
}

// Prepare makes a client without storing it: for a dry run, and for those who
// store many.
func (o *Operations) Prepare(ctx context.Context, source audit.Source, app *application.Application, f Fields, options CreateOptions) (*Prepared, error) {
	kinds, err := o.scopeKinds(ctx, app.ID, &f, nil)
	if err != nil {
		return nil, err
	}
	now := o.moment()
	c := &Client{ApplicationID: app.ID, ID: ident.Client(), Era: newEra(), CreatedAt: now, UpdatedAt: now}
	problems := c.begin(&f)
	w := writing{app: app, values: f, intents: intentsOf(&f), kinds: kinds, keepsOld: options.Import}
	problems = append(problems, w.apply(c)...)
	text := ""
	if f.Secret != nil {
		text = *f.Secret
		problems = append(problems, givenProblems(c, text)...)
	}
	if err := inOrder(problems).OrNil(); err != nil {
		return nil, err
	}
	c.Settings.OwnedBy = o.administrator
	if err := o.permit(c, c); err != nil {
		return nil, err
	}
	if f.Secret != nil {
		if err := o.role.Require(admin.GiveSecrets); err != nil {
			return nil, err
		}
	}
	switch {
	case text != "":
		c.Secrets = append(c.Secrets, GivenSecret(o.keys, app, c.ID, text, now))
	case c.hasSecrets() && !options.NoSecret:
		text = ident.Secret()
		c.Secrets = []Secret{NewSecret(o.keys, app, c.ID, text, now)}
	}
	event := audit.New(source, app.ID, "client.create", object(c.ID), now)
	event.After = c.document()
	return &Prepared{Client: c, Secret: text, Event: event}, nil
}

// hasSecrets reports whether the client is one that has secrets at all.
func (c *Client) hasSecrets() bool { return !c.Public || c.Settings.IssueSecret }

// begin sets what is fixed from now on and gives what is wrong with it.
func (c *Client) begin(f *Fields) (problems fault.Problems) {
	if f.ID != nil {
		c.ID = *f.ID
		if text := IDRefusal(c.ID); text != "" {
			problems.Add("id", "%s", text)
		}
	}
	given := ""
	if f.Name != nil {
		given = *f.Name
	}
	name, err := CleanName(given)
	if refused, ok := errors.AsType[*fault.Error](err); ok {
		problems = append(problems, refused)
	}
	c.Name = name
	if f.Kind == nil {
		problems.Add("kind", "Say what the client is: web, spa, native, service or other.")
		c.Kind = Other // so that the rest can be judged
	} else if c.Kind = *f.Kind; !knownKind(c.Kind) {
		problems.Add("kind", "Choose web, spa, native, service or other.")
		c.Kind = Other
	}
	byKind := kinds[c.Kind]
	c.Public = byKind == PublicType
	if f.Type == nil {
		return problems
	}
	switch *f.Type {
	case Confidential, PublicType:
		if byKind != "" && *f.Type != byKind {
			problems.Add("type", "A client of kind %s is %s; leave this out.", c.Kind, byKind)
		} else {
			c.Public = *f.Type == PublicType
		}
	default:
		problems.Add("type", "Choose confidential or public.")
	}
	return problems
}

func knownKind(k Kind) bool {
	_, ok := kinds[k]
	return ok
}

// givenProblems says what is wrong with a secret that somebody chose.
func givenProblems(c *Client, text string) (problems fault.Problems) {
	if !c.hasSecrets() {
		problems.Add("secret", "A public client has no secret; leave this out.")
	} else if refusal := secret.Refusal(text); refusal != "" {
		problems.Add("secret", "%s", refusal)
	}
	return problems
}
