package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/pgtest"
)

// olderSchema runs a test on a database of each kind at a version of the schema.
// open closes the database and opens it as servers do.
func olderSchema(t *testing.T, version int64, test func(t *testing.T, pool *sql.DB, open func() *DB)) {
	t.Helper()
	on := func(dialect goose.Dialect, options Options, pool *sql.DB, err error) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			if err != nil {
				t.Fatal(err)
			}
			provider, err := migrator(dialect, pool)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := provider.UpTo(t.Context(), version); err != nil {
				t.Fatal(err)
			}
			test(t, pool, func() *DB {
				if err := pool.Close(); err != nil {
					t.Fatal(err)
				}
				db, err := Open(t.Context(), options)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = db.Close() })
				return db
			})
		}
	}
	lite, postgres := Options{Data: t.TempDir()}, Options{URL: pgtest.Database(t)}
	pool, err := sql.Open("sqlite", dsn(filepath.Join(lite.Data, FileName), writerPragmas))
	t.Run("SQLite", on(goose.DialectSQLite3, lite, pool, err))
	pool, err = openPool(postgres)
	t.Run("PostgreSQL", on(goose.DialectPostgres, postgres, pool, err))
}

// What clients were allowed before there were scopes is theirs after.
func TestScopesOfOlderSchema(t *testing.T) {
	t.Parallel()
	olderSchema(t, 1, testScopesOfOlderSchema)
}

func testScopesOfOlderSchema(t *testing.T, pool *sql.DB, open func() *DB) {
	t.Helper()
	ctx := t.Context()
	for i, settings := range []string{
		`{}`, `{"scopes":{}}`, `{"scopes":{"allowed":["Read","openid","ostiary:introspect","write"]}}`, `{"scopes":{"allowed":["write"],"allow_unscoped":true}}`,
	} {
		if _, err := pool.ExecContext(ctx, `INSERT INTO client (application_id, id, name, name_key, version, kind, public, inactive, era, features, settings, revision, created_at, updated_at)
			VALUES ('app', $1, $2, $3, '', 'service', FALSE, FALSE, 1, 0, $4, 1, 1, 1)`, fmt.Sprint("c", i), strconv.Itoa(i), strconv.Itoa(i), settings); err != nil {
			t.Fatal(err)
		}
	}
	db := open()
	list, err := db.Scopes().List(ctx, "app", "", 10)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range list {
		names = append(names, s.Name+" "+string(s.Kind))
		if s.CreatedAt.Year() < 2026 || s.Revision != 1 {
			t.Errorf("%+v", s)
		}
	}
	if !slices.Equal(names, []string{"Read any", "write any"}) {
		t.Errorf("scopes %q", names)
	}
	for _, name := range []string{"Read", "write"} {
		if err := deleteScope(ctx, db, name); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, id := range []string{"c2", "c3"} {
		err := db.Clients().Delete(ctx, "app", id, func(*client.Client) (audit.Event, error) {
			return audit.New(audit.System(), "app", "client.delete", "client:"+id, time.Now()), nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	left, err := readAll(ctx, db, column[string], `SELECT scope FROM client_scope`)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func deleteScope(ctx context.Context, db *DB, name string) error {
	return db.Scopes().Delete(ctx, "app", name, func(*scope.Scope) (audit.Event, error) {
		return audit.New(audit.System(), "app", "scope.delete", "scope:"+name, time.Now()), nil
	})
}

// Families are looked through in steps; a token in any of them counts.
func TestScopeCarriedByOneOfMany(t *testing.T) {
	t.Parallel()
	db, b := opened(t, Options{})
	ctx := t.Context()
	const many = 3*scanStep + 5
	for _, text := range []string{
		`INSERT INTO client (application_id, id, name, name_key, version, kind, public, inactive, era, features, settings, revision, created_at, updated_at)
			VALUES ('app', 'c', 'c', 'c', '', 'service', FALSE, FALSE, 7, 0, '{}', 1, 1, 1)`,
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ` + strconv.Itoa(many) + `)
			INSERT INTO family (` + plainNames + `) SELECT CAST(printf('%016d', i) AS BLOB), 'app', 'c', 7, 'client_credentials', 'all s' || i || ' more', '', 'jwt', x'00',
			1, 0, 1, 9000000000000000, 0, '', 9000000000000000, '' FROM n`,
	} {
		if _, err := b.session.exec(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{1, 2, scanStep - 1, scanStep, scanStep + 1, 2 * scanStep, 3*scanStep + 1, many, many + 1, 0} {
		name := fmt.Sprint("s", i)
		if err := db.Scopes().Create(ctx, &scope.Scope{ApplicationID: "app", Name: name}, audit.New(audit.System(), "app", "scope.create", name, time.Now())); err != nil {
			t.Fatal(err)
		}
		err := deleteScope(ctx, db, name)
		if carried := i >= 1 && i <= many; carried != (fault.KindOf(err) == fault.Conflict) || !carried && err != nil {
			t.Errorf("scope %s: %v", name, err)
		}
	}
}

// What is asked again and again is found by an index.
func TestPlansOfScopes(t *testing.T) {
	t.Parallel()
	db, _ := opened(t, Options{})
	for _, test := range []struct {
		text string
		args int
	}{
		{selectScope, 3},
		{listScopes, 3},
		{selectScopeNames(db.dialect), 2},
		{clientsAllowed, 2},
		{clientScopes.remove(db.dialect), 3},
		{scanEnd, 2},
		{liveWithScope(db.dialect), 5},
		{carriesScope(db.dialect), 2},
		{selectResource, 2},
		{listResources, 3},
		{clientSequence(db.dialect), 2},
		{forgetResources, 1},
		{resourcesNaming(db.dialect), 2},
	} {
		plan, err := readAll(t.Context(), db, func(row scanner) (detail string, err error) {
			var id, parent, unused int
			err = row.Scan(&id, &parent, &unused, &detail)
			return detail, err
		}, "EXPLAIN QUERY PLAN "+test.text, slices.Repeat([]any{1}, test.args)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range plan {
			if strings.HasPrefix(step, "SCAN ") && step != "SCAN r" && !strings.Contains(step, "json_each") {
				t.Errorf("%s\nreads too much:\n%s", test.text, strings.Join(plan, "\n"))
			}
		}
	}
}
