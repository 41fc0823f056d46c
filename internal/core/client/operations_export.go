package client

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// ExportOptions say what an export gives.
type ExportOptions struct {
	After string // the id of the client to go on after; "": from the beginning
	// WithSecrets gives the secrets too, where the application lets them be seen
	// again: in clear, or as the hash that an import brought. A look, audited.
	WithSecrets bool
}

// Export gives the clients of an application as records, in order of creation, a
// page in memory at a time. Refusals come before the first record: Denied and
// Conflict where secrets may not be seen, Invalid where After is no client.
func (o *Operations) Export(ctx context.Context, source audit.Source, app *application.Application, options ExportOptions, visit func(*Record) error) error {
	filter := Filter{Limit: pageSize}
	if options.After != "" {
		last, err := o.store.Get(ctx, app.ID, options.After)
		if fault.KindOf(err) == fault.NotFound {
			return fault.Invalidf("after", "There is no such client; give the id of the last one that was exported.")
		}
		if err != nil {
			return err
		}
		filter.After = last.Sequence
	}
	if options.WithSecrets {
		if err := o.lookAtAll(ctx, source, app); err != nil {
			return err
		}
	}
	for {
		page, err := o.store.List(ctx, app.ID, filter)
		if err != nil {
			return err
		}
		for _, c := range page {
			r, err := o.record(app, c, options.WithSecrets)
			if err != nil {
				return err
			}
			if err := visit(&r); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
		filter.After = page[len(page)-1].Sequence
	}
}

// lookAtAll permits a look at the secrets of all clients, and audits it first.
func (o *Operations) lookAtAll(ctx context.Context, source audit.Source, app *application.Application) error {
	if err := o.role.Require(admin.RevealSecrets); err != nil {
		return err
	}
	if !app.Settings.Revealable() {
		return fault.Conflictf("Secrets of this application cannot be seen again (secret_policy once); export without them.")
	}
	return o.recordLook(ctx, source, app.ID, "clients", look{All: true})
}

func (o *Operations) record(app *application.Application, c *Client, withSecrets bool) (Record, error) {
	r := c.Record(app)
	if !withSecrets {
		return r, nil
	}
	if shown := c.shownSecret(app, o.now()); shown != nil {
		text, err := o.open(c, shown)
		if err != nil {
			return Record{}, err
		}
		r.Secret = &text
		return r, nil
	}
	for i := range c.Secrets {
		if s := &c.Secrets[i]; s.DigestKey == 0 && s.Live(o.now()) {
			hash := string(s.Digest)
			r.SecretHash = &hash
		}
	}
	return r, nil
}
