package app

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/store"
)

// Backup writes the SQLite database into a new file, while a server runs or
// none does; progress hears how much of it there is. The master key is not in it.
func Backup(ctx context.Context, c *config.Config, path string, progress func(bytes int64)) error {
	if c.Database != "" {
		return &config.Error{Err: errors.New("this is about SQLite: back a PostgreSQL database up with pg_dump, or as you do others")}
	}
	if fresh(c) {
		return noDatabase(c)
	}
	return store.Backup(ctx, store.Options{Data: c.Data}, path, progress)
}

// Restore puts a backup into a data directory that has no database. On
// PostgreSQL the database was restored before, with its own tools, and there is
// no file. Either way every token, session and link that the backup holds is
// ended, unless they are kept. progress hears how much of the file was read.
func Restore(ctx context.Context, c *config.Config, path string, keep bool, progress func(bytes int64)) error {
	finish := func(db *store.DB) error {
		if _, err := db.Instance().Load(ctx); err != nil {
			return err
		}
		event := audit.New(audit.System(), "", "instance.restore", "instance", time.Now())
		after, err := json.Marshal(map[string]bool{"keep_tokens": keep})
		if err != nil {
			return err
		}
		event.After = after
		return db.Instance().Restored(ctx, keep, event)
	}
	switch {
	case c.Database == "" && path == "":
		return &config.Error{Err: errors.New("say which backup: ostiary restore FILE")}
	case c.Database == "":
		return store.Restore(ctx, store.Options{Data: c.Data, Now: time.Now}, path, progress, finish)
	case path != "":
		return &config.Error{Err: errors.New("restore the database with pg_restore, then run this without a file")}
	default:
		return withStore(ctx, c, finish)
	}
}
