package store

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule/redirect"
)

// The origins of clients that were there before are found as those of new ones.
func TestOriginsOfOlderSchema(t *testing.T) {
	t.Parallel()
	olderSchema(t, 12, testOriginsOfOlderSchema)
}

func testOriginsOfOlderSchema(t *testing.T, pool *sql.DB, open func() *DB) {
	t.Helper()
	ctx := t.Context()
	settings := []redirect.Setting{
		{},
		{URIs: []string{"https://app.example/cb", "https://app.example:443/x", "HTTPS://Upper.example?a=/b", "https://bare.example", "com.example.app://x/y"}},
		{URIs: []string{"http://127.0.0.1:80/cb", "http://[::1]:3000/a:80", "https://port.example:8443?x"}, Origins: []string{"capacitor://localhost"}},
	}
	want := make([][]string, len(settings))
	for i, s := range settings {
		text, err := json.Marshal(map[string]any{"redirect": s})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.ExecContext(ctx, `INSERT INTO client (application_id, id, name, name_key, version, kind, public, inactive, era, features, settings, revision, created_at, updated_at)
			VALUES ('app', $1, $2, $3, '', 'spa', TRUE, FALSE, 1, 0, $4, 1, 1, 1)`, "c"+strconv.Itoa(i), strconv.Itoa(i), strconv.Itoa(i), string(text)); err != nil {
			t.Fatal(err)
		}
		want[i] = s.AllOrigins()
	}
	db := open()
	for i := range settings {
		got, err := readAll(ctx, db, column[string], `SELECT o.origin FROM client_origin o JOIN client c ON c.sequence = o.client_sequence
			WHERE o.application_id = 'app' AND c.id = $1 ORDER BY o.origin`, "c"+strconv.Itoa(i))
		if err != nil || !slices.Equal(got, want[i]) {
			t.Errorf("client %d: %q, %v; want %q", i, got, err, want[i])
		}
	}
}
