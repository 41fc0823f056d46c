package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
func SetMetadata(ctx context.Context, c *config.Config, applicationID, clientID string, grant bool) (err error) {
	if fresh(c) {
		return fmt.Errorf("there is no database in %s yet; ostiary serve or ostiary init makes one", c.Data)
	}
	db, err := store.Open(ctx, store.Options{Data: c.Data, URL: c.Database, Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if applicationID == "" {
		found, err := db.Instance().Load(ctx)
		if err != nil {
			return fmt.Errorf("find the default application: %w", err)
		}
		applicationID = found.DefaultApplication
	}
	action := "client.feature.revoke"
	if grant {
		action = "client.feature.grant"
	}
	_, err = db.Clients().Change(ctx, applicationID, clientID, client.NameAndVersion, func(cl *client.Client) (audit.Event, error) {
		now := time.Now().UTC()
		event := audit.New(audit.System(), applicationID, action, "client:"+clientID, now)
		event.Before = features(cl)
		if err := setMetadata(cl, grant); err != nil {
			return audit.Event{}, err
		}
		cl.UpdatedAt = now
		event.After = features(cl)
		return event, nil
	})
	if fault.KindOf(err) == fault.NotFound {
		return fmt.Errorf("there is no client %s in the application %s", clientID, applicationID)
	}
	return err
}

func setMetadata(c *client.Client, grant bool) error {
	has := c.Settings.Features.Has(client.Metadata)
	switch {
	case grant == has:
		return fmt.Errorf("nothing to do: the client %s has the features %v", c.ID, c.Settings.Features)
	case !grant:
		c.Settings.Features = slices.DeleteFunc(slices.Clone(c.Settings.Features), func(f client.Feature) bool { return f == client.Metadata })
	case c.Settings.Features.Has(client.LoginClient):
		return client.ErrLoginClient
	default:
		c.Settings.Features = append(slices.Clone(c.Settings.Features), client.Metadata)
	}
	return nil
}

func features(c *client.Client) json.RawMessage {
	text, _ := json.Marshal(map[string]client.Features{"features": c.Settings.Features}) //nolint:errchkjson // words cannot fail
	return text
}
