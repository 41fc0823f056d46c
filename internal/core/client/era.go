package client

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// EndEra kills all that a client was given until now, by one write however much
// it is; the client itself stays as it was. A fault NotFound where there is none.
func (r *Registry) EndEra(ctx context.Context, applicationID, clientID string, event audit.Event) error {
	era := newEra()
	defer r.Void(applicationID, clientID)
	_, err := r.store.Change(ctx, applicationID, clientID, NameAndVersion, func(c *Client) (audit.Event, error) {
		c.Era = era
		return event, nil
	})
	return err
}
