package client

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
)

// pageSize is how many clients are in memory at a time while a list is walked.
const pageSize = 100

// walk gives all clients that have the features, in order of creation, a page
// at a time; last says that no page follows. What is created meanwhile may or
// may not be among them.
func (o *Operations) walk(ctx context.Context, applicationID string, features Features, visit func(page []*Client, last bool) error) error {
	filter := Filter{Features: features, Limit: pageSize}
	for {
		page, err := o.store.List(ctx, applicationID, filter)
		if err != nil {
			return err
		}
		last := len(page) < pageSize
		if err := visit(page, last); err != nil || last {
			return err
		}
		filter.After = page[len(page)-1].Sequence
	}
}

// Walk gives all clients that have the features, in order of creation, each
// with the secret that the answer shows ("": none). Where it shows any, one
// event is written before the first is given: it names them, or says that they
// are all those of a list that is longer than a page.
func (o *Operations) Walk(ctx context.Context, source audit.Source, app *application.Application, features Features, visit func(c *Client, secret string) error) error {
	audited := false
	return o.walk(ctx, app.ID, features, func(page []*Client, last bool) error {
		seen := look{Features: features, All: !last}
		texts := make([]string, len(page))
		for i, c := range page {
			secret := c.shownSecret(app, o.now())
			if secret == nil {
				continue
			}
			text, err := o.open(c, secret)
			if err != nil {
				return err
			}
			texts[i] = text
			seen.Secrets = append(seen.Secrets, lookedAt{c.ID, secret.ID})
		}
		if len(seen.Secrets) > 0 && !audited {
			if seen.All {
				seen.Secrets = nil
			}
			if err := o.recordLook(ctx, source, app.ID, "clients", seen); err != nil {
				return err
			}
			audited = true
		}
		for i, c := range page {
			if err := visit(c, texts[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
