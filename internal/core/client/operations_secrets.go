package client

import (
	"context"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/secret"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// SecretFields is a secret to be made, as people and programs write it.
type SecretFields struct {
	Label               *string    `json:"label,omitempty"`
	ExpiresAt           *time.Time `json:"expires_at,omitempty"`             // nil: never
	RetireOthersInHours *int64     `json:"retire_others_in_hours,omitempty"` // 0..168, 0: at once; nil: they stay
}

func (f *SecretFields) validate(now time.Time) (problems fault.Problems) {
	if f.Label != nil {
		if text := secret.LabelRefusal(*f.Label); text != "" {
			problems.Add("label", "%s", text)
		}
	}
	if at := f.expiry(); !at.IsZero() && (!at.After(now) || at.Sub(now) > lifetime.MaxSeconds*time.Second) {
		problems.Add("expires_at", "Write a time to come, within 100 years.")
	}
	if h := f.RetireOthersInHours; h != nil && (*h < 0 || *h > secret.MaxOverlap) {
		problems.Add("retire_others_in_hours", "Write a whole number from 0 to %d.", secret.MaxOverlap)
	}
	return problems
}

// expiry is when the secret ends, in the microseconds that the databases keep;
// the zero time: never.
func (f *SecretFields) expiry() time.Time {
	if f.ExpiresAt == nil {
		return time.Time{}
	}
	return f.ExpiresAt.UTC().Truncate(time.Microsecond)
}

// AddSecret makes one more secret and gives it in clear, with its record in the
// client. Those that there are stay as they are, or work for
// RetireOthersInHours more at most. One that would be the eleventh to work is a
// fault Conflict, as is one of a public client that has none.
func (o *Operations) AddSecret(ctx context.Context, source audit.Source, app *application.Application, id string, f SecretFields, revision *int64) (*Client, Secret, string, error) {
	now := o.moment()
	if err := f.validate(now).OrNil(); err != nil {
		return nil, Secret{}, "", err
	}
	text := ident.Secret()
	fresh := NewSecret(o.keys, app, id, text, now)
	if f.Label != nil {
		fresh.Label = *f.Label
	}
	fresh.ExpiresAt = f.expiry()
	c, err := o.changeSecrets(ctx, source, app, id, revision, "client.secret.create", func(c *Client) error {
		if !c.hasSecrets() {
			return fault.Conflictf("A public client has no secret; a native one has with issue_secret.")
		}
		if f.RetireOthersInHours != nil {
			c.retireBy(now.Add(time.Duration(*f.RetireOthersInHours) * time.Hour))
		}
		if len(c.Secrets) >= MaxSecrets { // those that are over make room
			c.Secrets = slices.DeleteFunc(c.Secrets, func(s Secret) bool { return !s.Live(now) })
		}
		if len(c.Secrets) >= MaxSecrets {
			return fault.Conflictf("The client has %d secrets; retire one first.", MaxSecrets)
		}
		c.Secrets = append(c.Secrets, fresh)
		return nil
	})
	return c, fresh, text, err
}

// retireBy lets no secret work longer than until.
func (c *Client) retireBy(until time.Time) {
	for i := range c.Secrets {
		if s := &c.Secrets[i]; s.ExpiresAt.IsZero() || s.ExpiresAt.After(until) {
			s.ExpiresAt = until
		}
	}
}

// RetireSecret ends a secret at once; NotFound where there is none.
func (o *Operations) RetireSecret(ctx context.Context, source audit.Source, app *application.Application, id, secretID string, revision *int64) (*Client, error) {
	return o.changeSecrets(ctx, source, app, id, revision, "client.secret.delete", func(c *Client) error {
		had := len(c.Secrets)
		c.Secrets = slices.DeleteFunc(c.Secrets, func(s Secret) bool { return s.ID == secretID })
		if len(c.Secrets) == had {
			return errNoSecret
		}
		return nil
	})
}

var errNoSecret = fault.NotFoundf("The client has no such secret.")

// changeSecrets is a change of secrets, which is no edit of the client's fields.
func (o *Operations) changeSecrets(ctx context.Context, source audit.Source, app *application.Application, id string, revision *int64, action string, change func(*Client) error) (*Client, error) {
	now := o.moment()
	defer o.clients.Void(app.ID, id)
	return o.store.Change(ctx, app.ID, id, NameAndVersion, func(c *Client) (audit.Event, error) {
		if revision != nil && *revision != c.Revision {
			return audit.Event{}, errStale
		}
		if err := o.permit(c, c); err != nil {
			return audit.Event{}, err
		}
		event := audit.New(source, app.ID, action, object(id), now)
		event.Before = c.document()
		if err := change(c); err != nil {
			return audit.Event{}, err
		}
		c.UpdatedAt = now
		event.After = c.document()
		return event, nil
	})
}

// SetMetadata grants a client the feature metadata, or takes it away: the one
// feature that the operator of the server alone grants. A fault Conflict says that
// it is so already.
func (o *Operations) SetMetadata(ctx context.Context, source audit.Source, app *application.Application, id string, granted bool) (*Client, error) {
	now, action := o.moment(), "client.feature.revoke"
	if granted {
		action = "client.feature.grant"
	}
	defer o.clients.Void(app.ID, id)
	return o.store.Change(ctx, app.ID, id, NameAndVersion, func(c *Client) (audit.Event, error) {
		if err := o.role.Require(admin.EditGuardedClients); err != nil {
			return audit.Event{}, err
		}
		event := audit.New(source, app.ID, action, object(id), now)
		event.Before = c.document()
		set := slices.DeleteFunc(slices.Clone(c.Settings.Features), func(f Feature) bool { return f == Metadata })
		if granted {
			set = append(set, Metadata)
		}
		if len(set) == len(c.Settings.Features) {
			return audit.Event{}, fault.Conflictf("There is nothing to do: the client %s has the features %v.", id, c.Settings.Features)
		}
		c.Settings.Features, c.UpdatedAt = set, now
		if err := c.conform(app, set); err != nil {
			return audit.Event{}, err
		}
		event.After = c.document()
		return event, nil
	})
}
