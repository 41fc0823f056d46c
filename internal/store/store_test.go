package store_test

import (
	"os"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/pgtest"
	"github.com/ostiary/ostiary/internal/store"
	"github.com/ostiary/ostiary/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// now is when the tests happen.
var now = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// environment opens options, and closes it at the end of the test.
func environment(t *testing.T, options store.Options) *storetest.Env {
	t.Helper()
	options.Now = func() time.Time { return now }
	env := &storetest.Env{T: t, Now: now}
	open := func() {
		t.Helper()
		db, err := store.Open(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		env.DB = db
	}
	env.Reopen = func() {
		t.Helper()
		if err := env.DB.Close(); err != nil {
			t.Fatal(err)
		}
		open()
	}
	open()
	t.Cleanup(func() {
		if err := env.DB.Close(); err != nil {
			t.Error(err)
		}
	})
	return env
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *storetest.Env { return environment(t, store.Options{Data: t.TempDir()}) })
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *storetest.Env { return environment(t, store.Options{URL: pgtest.Database(t)}) })
}
