package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/pgtest"
)

const seedFamilies = `INSERT INTO family (` + plainNames + `)
	SELECT decode(md5(i::text), 'hex'), 'acme', 'client', 7, 'authorization_code', '', '', 'jwt', decode(md5(i::text), 'hex'),
		1, 0, i, i, 0, '', i, '127.0.0.1' FROM generate_series(1, 2000) i`

// TestPostgresRotatesByID: a batch of rotations looks its families up, also in a
// table that is quicker read as a whole: the plan is kept while the table grows.
func TestPostgresRotatesByID(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), Options{URL: pgtest.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, statement := range []string{seedFamilies, `VACUUM ANALYZE family`} {
		if _, err := db.read.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var batch []*item
	for range 30 {
		batch = append(batch, &item{rotate: true, family: &token.Family{ID: token.NewID(time.Now()), Generation: 1}})
	}
	rotating := split(batch)[0]
	plan, err := explain(t.Context(), db, &rotating)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, "Index Scan using family_pkey") || strings.Contains(plan, "Seq Scan") {
		t.Errorf("it reads the whole table:\n%s", plan)
	}
}

// explain gives the plan of a part of a batch, on the connection that it goes by.
func explain(ctx context.Context, db *DB, p *part) (plan string, err error) {
	conn, err := db.backend.(*postgresBackend).families.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(c any) error {
		rows, err := c.(*stdlib.Conn).Conn().Query(ctx, "EXPLAIN "+p.text, p.arrays()...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				return err
			}
			plan += line + "\n"
		}
		return rows.Err()
	})
	return plan, err
}
