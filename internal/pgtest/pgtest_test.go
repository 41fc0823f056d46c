package pgtest_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ostiary/ostiary/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// Two tests have databases of their own on one server, which syncs.
func TestDatabase(t *testing.T) {
	one, other := pgtest.Database(t), pgtest.Database(t)
	if one == other {
		t.Fatal("two tests got one database")
	}
	conn, err := pgx.Connect(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	var fsync, commit string
	if err := conn.QueryRow(t.Context(), `SELECT current_setting('fsync'), current_setting('synchronous_commit')`).Scan(&fsync, &commit); err != nil {
		t.Fatal(err)
	}
	if fsync != "on" || commit != "on" {
		t.Fatalf("fsync %s, synchronous_commit %s", fsync, commit)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
