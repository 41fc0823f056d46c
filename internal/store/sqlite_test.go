package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/pgtest"
	"github.com/ostiary/ostiary/internal/store"
)

func TestSecondServerOnOneDirectory(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	first, err := store.Open(t.Context(), store.Options{Data: directory})
	if err != nil {
		t.Fatal(err)
	}
	if second, err := store.Open(t.Context(), store.Options{Data: directory}); err == nil {
		t.Fatal("a second server opened the directory", second.Close())
	} else if !strings.Contains(err.Error(), "another ostiary") || !strings.Contains(err.Error(), directory) {
		t.Fatalf("the refusal does not say why: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := store.Open(t.Context(), store.Options{Data: directory})
	if err != nil {
		t.Fatalf("the directory was not given back: %v", err)
	}
	if err := third.Close(); err != nil {
		t.Fatal(err)
	}
}

// The name of the directory is anything that a file system takes.
func TestOddDirectory(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "a b?mode=ro&x=%41#é", "deeper")
	env := environment(t, store.Options{Data: directory})
	env.Reopen()
	for name, mode := range map[string]fs.FileMode{"": 0o700, store.FileName: 0o600, store.FileName + "-wal": 0o600, "ostiary.lock": 0o600} {
		info, err := os.Stat(filepath.Join(directory, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%q has mode %o, want %o", name, info.Mode().Perm(), mode)
		}
	}
}

// What was in the log of a database that is closed is in its file, which can be
// copied alone.
func TestClosedIsOneFile(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Data: directory})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Tokens().Mint(t.Context(), family(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Tokens().RemoveExpired(t.Context(), now, 1); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(directory, store.FileName+"-*")); len(left) > 0 || err != nil {
		t.Error(left, err)
	}
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	directory, url := t.TempDir(), pgtest.Database(t)
	for _, test := range []struct {
		options      store.Options
		driver, name string
	}{
		{store.Options{Data: directory}, "sqlite", filepath.Join(directory, store.FileName)},
		{store.Options{URL: url}, "pgx", url},
	} {
		db, err := store.Open(t.Context(), test.options)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		schema, err := store.MigrationStatus(t.Context(), test.options)
		if err != nil {
			t.Fatal(err)
		}
		if schema.Version != schema.Known || schema.Known < 1 {
			t.Fatalf("%s: the schema of an opened database is at version %d of %d", test.driver, schema.Version, schema.Known)
		}
		raw, err := sql.Open(test.driver, test.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := raw.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`); err != nil {
			t.Fatal(err)
		}
		if err := raw.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = store.Open(t.Context(), test.options); err == nil {
			t.Fatal("a newer schema was opened", db.Close())
		}
		if !strings.Contains(err.Error(), "99999") || !strings.Contains(err.Error(), "newer ostiary") {
			t.Fatalf("the refusal does not say why: %v", err)
		}
	}
}

// Nobody waits for a slow disk alone: with a commit that takes 5 ms, 256
// requests at once share commits.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]store.Options{
		"SQLite":     {Data: t.TempDir(), CommitDelay: 5 * time.Millisecond},
		"PostgreSQL": {URL: pgtest.Database(t), CommitDelay: 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := environment(t, options)
			before := env.DB.Stats()
			var all sync.WaitGroup
			errs := make(chan error, 256)
			for range 256 {
				all.Go(func() {
					var err error
					for range 8 {
						_, e := env.DB.Tokens().Mint(context.Background(), family(1))
						err = errors.Join(err, e)
					}
					errs <- err
				})
			}
			all.Wait()
			close(errs)
			for err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
			// Whoever wrote last hears of it before it is counted.
			until(t, "the count of all writes", func() bool { return env.DB.Stats().Items-before.Items == 2048 })
			if batches := env.DB.Stats().Batches - before.Batches; 2048 < 64*batches {
				t.Fatalf("%d writes took %d commits; at 256 requests at once each should carry 64 or more", 2048, batches)
			}
		})
	}
}

// TestOneWrapper: statements are counted because there is no other way to run
// one.
func TestOneWrapper(t *testing.T) {
	t.Parallel()
	runs := regexp.MustCompile(`\.(Exec|Query|QueryRow|Prepare)(Context)?\(`)
	allowed := map[string]int{
		"session.go": 5, "batch_sqlite.go": 3, "batch_postgres.go": 1, "hold.go": 2, "postgres.go": 1,
		"backup.go": 2, "migrate.go": 1, // on databases that they open for one statement
		"text_index.go": 10, // a database of its own, and what makes the index of the other kind
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(runs.FindAll(source, -1)); n != allowed[name] {
			t.Errorf("%s calls the driver in %d places, want %d: statements go through a session, which counts them", name, n, allowed[name])
		}
	}
}

// TestCount: what Statements says is what ran.
func TestCount(t *testing.T) {
	t.Parallel()
	env := environment(t, store.Options{Data: t.TempDir()})
	for _, test := range []struct {
		name string
		want uint64
		run  func() error
	}{
		{"nothing", 0, func() error { return env.DB.Lease() }},
		{"a read", 1, func() error {
			_, err := env.DB.Keys().DataKeys(t.Context())
			return err
		}},
		{"a family", 3, func() error { // BEGIN, INSERT, COMMIT
			_, err := env.DB.Tokens().Mint(t.Context(), family(1))
			return err
		}},
		{"a change", 5, func() error { // BEGIN, SAVEPOINT, DELETE, RELEASE, COMMIT
			_, err := env.DB.Tokens().RemoveExpired(t.Context(), now, 1)
			return err
		}},
	} {
		before := env.DB.Statements()
		if err := test.run(); err != nil {
			t.Fatal(err)
		}
		if n := env.DB.Statements() - before; n != test.want {
			t.Errorf("%s: %d statements, want %d", test.name, n, test.want)
		}
	}
}
