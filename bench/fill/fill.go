//go:build linux

// Package fill owns what a large instance looks like: the rows that it has
// after years, realistic in length and in how often a value comes, and the quick
// way for them into either database. It fills the schema that the server made;
// it makes none, and measures nothing.
package fill

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver
)

// table is rows to be made: the i-th has the values of the columns.
type table struct {
	name    string
	columns []string
	n       int
	row     func(i int) []any
}

// database takes tables in bulk, and statements.
type database interface {
	fill(ctx context.Context, t *table) error
	number(ctx context.Context, text string, args ...any) (int64, error)
	exec(ctx context.Context, text string, args ...any) error
	close(ctx context.Context) error
}

// open opens the database of an instance that is not running; url is
// PostgreSQL's, "" where there is an SQLite file in the directory data.
func open(ctx context.Context, data, url string) (database, error) {
	if url != "" {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return nil, err
		}
		// The server makes it anew when it starts: row by row it takes minutes.
		_, err = conn.Exec(ctx, `DROP INDEX IF EXISTS client_folded_text`)
		return postgres{conn}, err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "ostiary.db")+"?_pragma=synchronous(off)&_pragma=cache_size(-400000)&_pragma=wal_autocheckpoint(100000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return sqlite{db}, nil
}

type sqlite struct{ *sql.DB }

func (d sqlite) fill(ctx context.Context, t *table) (err error) {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ")
	insert, err := tx.PrepareContext(ctx, "INSERT INTO "+t.name+" ("+strings.Join(t.columns, ", ")+") VALUES ("+marks+")")
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for i := range t.n {
		if _, err := insert.ExecContext(ctx, t.row(i)...); err != nil {
			return fmt.Errorf("fill %s: %w", t.name, err)
		}
	}
	return tx.Commit()
}

func (d sqlite) number(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = d.QueryRowContext(ctx, text, args...).Scan(&n)
	return n, err
}

func (d sqlite) exec(ctx context.Context, text string, args ...any) error {
	_, err := d.ExecContext(ctx, text, args...)
	return err
}

func (d sqlite) close(ctx context.Context) error {
	return errors.Join(d.exec(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`), d.Close())
}

type postgres struct{ *pgx.Conn }

func (d postgres) fill(ctx context.Context, t *table) error {
	i := -1
	_, err := d.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
		if i++; i == t.n {
			return nil, nil
		}
		return t.row(i), nil
	}))
	if err != nil {
		return fmt.Errorf("fill %s: %w", t.name, err)
	}
	return nil
}

func (d postgres) number(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = d.QueryRow(ctx, text, args...).Scan(&n)
	return n, err
}

func (d postgres) exec(ctx context.Context, text string, args ...any) error {
	_, err := d.Exec(ctx, text, args...)
	return err
}

// close leaves what autovacuum would have made of the tables in a minute.
func (d postgres) close(ctx context.Context) error {
	return errors.Join(d.exec(ctx, `VACUUM ANALYZE`), d.exec(ctx, `CHECKPOINT`), d.Close(ctx))
}
