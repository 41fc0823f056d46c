package store

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/pgtest"
)

// Administrators of before the console had accounts of its own come along with
// what they may do and the password that they have.
func TestAdministratorsComeAlong(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, FileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]struct {
		dialect goose.Dialect
		open    func(Options) (*sql.DB, error)
		options Options
	}{
		"SQLite":     {goose.DialectSQLite3, openFile, Options{Data: directory}},
		"PostgreSQL": {goose.DialectPostgres, openPool, Options{URL: pgtest.Database(t)}},
	} {
		t.Run(name, func(t *testing.T) {
			pool, err := from.open(from.options)
			if err != nil {
				t.Fatal(err)
			}
			older(t, from.dialect, pool)
			db, err := Open(t.Context(), from.options)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			people := user.NewRegistry(db.Users(), 1<<20)
			for email, instance := range map[string]bool{"Ann@example.com": true, "bob@example.com": false} {
				u, err := people.ByEmail(t.Context(), administrator.ApplicationID, email)
				if err != nil {
					t.Fatal(err)
				}
				if u.Email != email || u.PasswordHash != "$argon2id$of "+email || u.Inactive || len(u.UUID) != 36 || u.Era == 0 ||
					!u.CreatedAt.Equal(time.UnixMicro(1_700_000_000_000_000)) {
					t.Errorf("%s is now %+v", email, u)
				}
				if got := administrator.AccessOf(u); got.Instance != instance || len(got.Roles) != 0 {
					t.Errorf("%s may %+v", email, got)
				}
			}
			found, _, err := db.Users().Search(t.Context(), administrator.ApplicationID, user.Search{Role: "instance", Limit: 10})
			if err != nil || len(found) != 1 {
				t.Errorf("%d administrators of the instance, %v", len(found), err)
			}
		})
	}
}

// older makes a database of the version before, with two administrators.
func older(t *testing.T, dialect goose.Dialect, pool *sql.DB) {
	t.Helper()
	defer func() {
		if err := pool.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	provider, err := migrator(dialect, pool)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 17); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		`('ann@example.com', 'Ann@example.com', '$argon2id$of Ann@example.com', TRUE, 1700000000000000)`,
		`('bob@example.com', 'bob@example.com', '$argon2id$of bob@example.com', FALSE, 1700000000000000)`,
	} {
		if _, err := pool.ExecContext(t.Context(), `INSERT INTO administrator (email_key, email, password_hash, instance, created_at) VALUES `+row); err != nil {
			t.Fatal(err)
		}
	}
}
