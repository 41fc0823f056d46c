package app

import (
	"context"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/store"
)

// SetMetadata gives a client the feature metadata, or takes it away: what only
// the operator of the server may do. It works on the database itself, so it is
// refused while a server runs. An applicationID of "" is the default one.
func SetMetadata(ctx context.Context, c *config.Config, applicationID, clientID string, grant bool) error {
	return withStore(ctx, c, func(db *store.DB) error {
		if applicationID == "" {
			found, err := db.Instance().Load(ctx)
			if err != nil {
				return fmt.Errorf("find the default application: %w", err)
			}
			applicationID = found.DefaultApplication
		}
		app, err := db.Applications().Get(ctx, applicationID)
		if err == nil {
			clients := client.NewRegistry(db.Clients(), nil, time.Now, clientCache)
			_, err = client.NewOperations(db.Clients(), db.Audit(), clients, nil, nil, time.Now).SetMetadata(ctx, audit.System(), app, clientID, grant)
		}
		if fault.KindOf(err) == fault.NotFound {
			return fmt.Errorf("there is no client %s in the application %s", clientID, applicationID)
		}
		return err
	})
}
