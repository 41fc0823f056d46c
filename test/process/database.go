package process

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// open opens the server's database beside it, for what no surface offers:
// looking at rows, and making what only a later surface will make.
func (s *Server) open(t testing.TB) *sql.DB {
	t.Helper()
	driver, source := "pgx", s.Database
	if source == "" {
		driver, source = "sqlite", "file:"+filepath.Join(s.Data, "ostiary.db")+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Execute runs a statement on the server's database and gives how many rows it
// changed. The server remembers rows: it should not be running.
func (s *Server) Execute(t testing.TB, statement string, args ...any) int64 {
	t.Helper()
	db := s.open(t)
	result, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// Number gives the one number that a query answers.
func (s *Server) Number(t testing.TB, query string, args ...any) (n int64) {
	t.Helper()
	db := s.open(t)
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// MakeOpaque gives the clients that a condition finds opaque access tokens,
// which no surface can choose yet. The server must not be running.
func (s *Server) MakeOpaque(t testing.TB, condition string) int64 {
	t.Helper()
	settings := `json_patch(settings, '{"access_token":{"format":"opaque"}}')`
	if s.Database != "" {
		settings = `(settings::jsonb || '{"access_token":{"format":"opaque"}}')::text`
	}
	return s.Execute(t, "UPDATE client SET settings = "+settings+" WHERE "+condition)
}
