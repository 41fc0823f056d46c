package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/store"
)

// Schema says how far the schema of the database is.
type Schema struct {
	Version int64 `json:"version"` // of the database; 0: it is empty
	Known   int64 `json:"known"`   // the newest that this program knows
}

// SchemaOf looks at the schema and changes nothing.
func SchemaOf(ctx context.Context, c *config.Config) (Schema, error) {
	if fresh(c) {
		return Schema{}, noDatabase(c)
	}
	s, err := store.MigrationStatus(ctx, store.Options{Data: c.Data, URL: c.Database})
	return Schema(s), err
}

// Migrate brings the schema up to date, as the start of a server does; it is
// refused while one runs.
func Migrate(ctx context.Context, c *config.Config) (Schema, error) {
	if fresh(c) {
		return Schema{}, noDatabase(c)
	}
	if err := lendStore(ctx, c, func(*store.DB) error { return nil }); err != nil {
		return Schema{}, err
	}
	return SchemaOf(ctx, c)
}

// noDatabase is what is said where nothing was set up yet.
func noDatabase(c *config.Config) error {
	if c.Database != "" {
		return errors.New("there is nothing of ostiary in this PostgreSQL database yet; restore it with pg_restore, or set it up with ostiary serve or ostiary init")
	}
	return fmt.Errorf("there is no database in %s yet; ostiary serve or ostiary init makes one", c.Data)
}

// withStore lends the database of a server that does not run. One that was never
// set up stays empty: what pg_restore is to make must not be there.
func withStore(ctx context.Context, c *config.Config, do func(*store.DB) error) error {
	empty := fresh(c)
	if c.Database != "" {
		var err error
		if empty, err = store.Empty(ctx, store.Options{URL: c.Database}); err != nil {
			return err
		}
	}
	if empty {
		return noDatabase(c)
	}
	return lendStore(ctx, c, do)
}

func lendStore(ctx context.Context, c *config.Config, do func(*store.DB) error) error {
	db, err := store.Open(ctx, store.Options{Data: c.Data, URL: c.Database, Now: time.Now})
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}
