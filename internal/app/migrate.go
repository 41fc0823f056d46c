package app

import (
	"context"
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
		return Schema{}, fmt.Errorf("there is no database in %s yet; ostiary serve or ostiary init makes one", c.Data)
	}
	s, err := store.MigrationStatus(ctx, store.Options{Data: c.Data, URL: c.Database})
	return Schema(s), err
}

// Migrate brings the schema up to date, as the start of a server does; it is
// refused while one runs.
func Migrate(ctx context.Context, c *config.Config) (Schema, error) {
	if fresh(c) {
		return SchemaOf(ctx, c)
	}
	db, err := store.Open(ctx, store.Options{Data: c.Data, URL: c.Database, Now: time.Now})
	if err != nil {
		return Schema{}, err
	}
	if err := db.Close(); err != nil {
		return Schema{}, err
	}
	return SchemaOf(ctx, c)
}
