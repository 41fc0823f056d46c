package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// Schema says how far the schema of a database is.
type Schema struct {
	Version int64 // of the database
	Known   int64 // the newest that this program knows
}

// migrator reads the migrations of a dialect; goose prints nothing.
func migrator(dialect goose.Dialect, pool *sql.DB) (*goose.Provider, error) {
	folder := "migrations/postgres"
	if dialect == goose.DialectSQLite3 {
		folder = "migrations/sqlite"
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, pool, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

func schemaOf(ctx context.Context, provider *goose.Provider) (Schema, error) {
	version, known, err := provider.GetVersions(ctx)
	if err != nil {
		return Schema{}, fmt.Errorf("read the version of the schema: %w", err)
	}
	return Schema{version, known}, nil
}

// migrate brings the schema up to date. The caller holds the lock that keeps
// other servers out. There is no way back: an older program can work on a newer
// schema only where the release notes say so, and that is not decided here.
func migrate(ctx context.Context, dialect goose.Dialect, pool *sql.DB) error {
	provider, err := migrator(dialect, pool)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	schema, err := schemaOf(ctx, provider)
	if err != nil {
		return err
	}
	if schema.Version > schema.Known {
		return fmt.Errorf("the database has schema version %d, and this ostiary knows versions up to %d: start the newer ostiary that made it", schema.Version, schema.Known)
	}
	if schema.Version == schema.Known {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema from version %d to %d: %w", schema.Version, schema.Known, err)
	}
	return nil
}

// Empty reports whether a PostgreSQL database was never set up. It changes
// nothing.
func Empty(ctx context.Context, options Options) (empty bool, err error) {
	pool, err := openPool(options)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := pool.QueryRowContext(ctx, `SELECT to_regclass('instance') IS NULL`).Scan(&empty); err != nil {
		return false, fmt.Errorf("look at the database: %w", err)
	}
	return empty, nil
}

// MigrationStatus says how far the schema of a database is. It needs no hold on
// it and changes nothing, save that goose makes its own table in an empty
// PostgreSQL database.
func MigrationStatus(ctx context.Context, options Options) (schema Schema, err error) {
	dialect, open := goose.DialectPostgres, openPool
	if options.URL == "" {
		dialect, open = goose.DialectSQLite3, openFile
	}
	pool, err := open(options)
	if err != nil {
		return Schema{}, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	provider, err := migrator(dialect, pool)
	if err != nil {
		return Schema{}, err
	}
	return schemaOf(ctx, provider)
}
