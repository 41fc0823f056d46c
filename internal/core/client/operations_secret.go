package client

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/secret"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/key"
)

// MaxHoursToLive is how many hours a replaced secret may still work.
const MaxHoursToLive = secret.MaxOverlap

// NewSecret makes the record of a secret that package ident made: a digest and,
// where the application lets secrets be seen again, the secret under seal.
func NewSecret(keys *key.Ring, app *application.Application, clientID, text string, now time.Time) Secret {
	s := Secret{ID: ident.Record(), Hint: hint(text), CreatedAt: now}
	s.Digest, s.DigestKey = keys.DigestSecret(app.ID, clientID, text)
	if app.Settings.Revealable() {
		s.Sealed = keys.Seal([]byte(text), SecretContext(app.ID, clientID, s.ID)...)
	}
	return s
}

// GivenSecret is NewSecret of a secret that somebody chose: one of little entropy
// is kept under a slow hash.
func GivenSecret(keys *key.Ring, app *application.Application, clientID, text string, now time.Time) Secret {
	s := NewSecret(keys, app, clientID, text, now)
	if !strong(text) {
		s.Digest, s.DigestKey = []byte(key.HashPassword(text)), 0
	}
	return s
}

// strong reports whether a secret needs no slow hash: to try all that it might
// be is out of reach. The estimate is low for short random texts, such as the
// secrets of the Akamai Identity Cloud, of which a third would be taken for weak.
func strong(text string) bool {
	bits := key.EstimatedBits(text)
	return bits >= secret.StrongBits || bits >= secret.MadeBits && secret.LooksMade(text)
}

// SecretContext is what a sealed secret is bound to.
func SecretContext(applicationID, clientID, secretID string) []string {
	return []string{applicationID, clientID, secretID}
}

// ReplaceSecret gives a client a new secret, made by package ident; every other
// one works for hoursToLive hours more at most (0: no more). Where the client
// has MaxSecrets, the one that would expire soonest goes.
func (o *Operations) ReplaceSecret(ctx context.Context, source audit.Source, app *application.Application, id, text string, hoursToLive int) (*Client, error) {
	now := o.moment()
	until := now.Add(time.Duration(hoursToLive) * time.Hour)
	fresh := NewSecret(o.keys, app, id, text, now)
	defer o.clients.Void(app.ID, id)
	return o.store.Change(ctx, app.ID, id, NameAndVersion, func(c *Client) (audit.Event, error) {
		event := audit.New(source, app.ID, "client.secret.replace", object(id), now)
		event.Before = c.document()
		c.retireBy(until)
		// All of them expire now, so the smallest is well defined; those that
		// have expired already come first.
		for len(c.Secrets) >= MaxSecrets {
			soonest := slices.MinFunc(c.Secrets, func(a, b Secret) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
			c.Secrets = slices.DeleteFunc(c.Secrets, func(s Secret) bool { return s.ID == soonest.ID })
		}
		c.Secrets = append(c.Secrets, fresh)
		c.UpdatedAt = now
		event.After = c.document()
		return event, nil
	})
}

// shownSecret gives the secret that answers show: the newest one that works,
// where the application lets secrets be seen again and it was made under that
// policy; else nil. An older one is never shown in its place.
func (c *Client) shownSecret(app *application.Application, now time.Time) *Secret {
	if !app.Settings.Revealable() {
		return nil
	}
	for _, s := range slices.Backward(c.Secrets) {
		if s.Live(now) {
			if s.Sealed == nil {
				return nil
			}
			return &s
		}
	}
	return nil
}

// Shown opens the secret that an answer shows, "" where it shows none. It
// writes no audit event: it is for answers to a change whose event says so.
func (o *Operations) Shown(app *application.Application, c *Client) (string, error) {
	secret := c.shownSecret(app, o.now())
	if secret == nil {
		return "", nil
	}
	return o.open(c, secret)
}

func (o *Operations) open(c *Client, secret *Secret) (string, error) {
	plain, err := o.keys.Open(secret.Sealed, SecretContext(c.ApplicationID, c.ID, secret.ID)...)
	if err != nil {
		return "", fmt.Errorf("open secret %s of client %s: %w", secret.ID, c.ID, err)
	}
	return string(plain), nil
}

// look is what the event of a look at secrets says.
type look struct {
	Secrets  []lookedAt `json:"secrets,omitempty"`  // each that was shown
	All      bool       `json:"all,omitempty"`      // too many to name: those of every client listed
	Features Features   `json:"features,omitempty"` // that the clients listed have
}

type lookedAt struct {
	Client string `json:"client"`
	Secret string `json:"secret"`
}

func (o *Operations) recordLook(ctx context.Context, source audit.Source, applicationID, object string, seen look) error {
	event := audit.New(source, applicationID, "client.secret.reveal", object, o.moment())
	event.After = mustJSON(seen)
	return o.log.Record(ctx, event)
}

// Show gives the secret that an answer about one client shows, "" where it
// shows none; the look is audited first.
func (o *Operations) Show(ctx context.Context, source audit.Source, app *application.Application, c *Client) (string, error) {
	secret := c.shownSecret(app, o.now())
	if secret == nil {
		return "", nil
	}
	return o.reveal(ctx, source, c, secret)
}

// Reveal gives a secret by its id; the look is audited first. A fault Conflict
// says that it cannot be seen again, NotFound that there is none.
func (o *Operations) Reveal(ctx context.Context, source audit.Source, app *application.Application, clientID, secretID string) (string, error) {
	if err := o.role.Require(admin.RevealSecrets); err != nil {
		return "", err
	}
	c, err := o.clients.Get(ctx, app.ID, clientID)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(c.Secrets, func(s Secret) bool { return s.ID == secretID })
	if i < 0 {
		return "", errNoSecret
	}
	if !app.Settings.Revealable() || c.Secrets[i].Sealed == nil {
		return "", fault.Conflictf("This secret was shown when it was made and cannot be seen again; make a new one.")
	}
	return o.reveal(ctx, source, c, &c.Secrets[i])
}

func (o *Operations) reveal(ctx context.Context, source audit.Source, c *Client, secret *Secret) (string, error) {
	text, err := o.open(c, secret)
	if err != nil {
		return "", err
	}
	seen := look{Secrets: []lookedAt{{c.ID, secret.ID}}}
	if err := o.recordLook(ctx, source, c.ApplicationID, object(c.ID), seen); err != nil {
		return "", err
	}
	return text, nil
}
