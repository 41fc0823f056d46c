package store

import (
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/pgtest"
)

const seedPlans = `INSERT INTO client (application_id, id, name, name_key, version, kind, public, inactive, era, features, settings, revision, created_at, updated_at)
	SELECT 'acme', 'id' || i, 'Name ' || i, 'name ' || i, '', 'other', FALSE, FALSE, i,
		CASE WHEN i % 10000 = 0 THEN 1 WHEN i % 10 = 0 THEN 4 ELSE 0 END, '{"description":"what it is for"}', 1, i, i
	FROM generate_series(1, 40000) i`

// TestPostgresPlans: of many clients no search reads more than its window, also
// where a value is rare.
func TestPostgresPlans(t *testing.T) {
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
	for _, statement := range []string{seedPlans, `VACUUM ANALYZE client`} {
		if _, err := db.read.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	const last = int64(1)<<62 - 1
	for name, test := range map[string]struct {
		text string
		args []any
		uses string
	}{
		"list":              {listClients, []any{"acme", 5, 50}, "Index Scan using client_"},
		"window":            {windowEnd, []any{"acme", 5, 9999}, "Index "},
		"window of feature": {windowEndFeature(1), []any{"acme", 5, 9999}, "client_feature_1"},
		"rare feature":      {inWindow(db.dialect, 1), []any{"acme", 0, last, maxWindow, "web", "web", -1, -1, -1, -1, "", `""`, 51}, "client_feature_1"},
		"frequent feature":  {inWindow(db.dialect, 4), []any{"acme", 0, last, maxWindow, "web", "web", -1, -1, -1, -1, "", `""`, 51}, "client_feature_4"},
		"list by feature":   {listClientsFeature(1), []any{"acme", 0, 1, 1, 50}, "client_feature_1"},
		"by name":           {clientsByName, []any{"acme", "n", "", "n\U0010ffff", 250}, "client_name"},
		"text in a block":   {textsInBlock(blockShift), []any{7, "%what%", "acme", 0, 250}, "client_folded_text"},
		"text in a wide":    {textsInBlock(wideShift), []any{0, "%name 777%", "acme", 0, 250}, "client_folded_text"},
		"unused":            {selectUnused, []any{"acme", false, 0, 0, 0, last, 50}, "client_unused"},
		"expiring secrets":  {expiringSoon, []any{"acme", 0, 0, 5, 0, last, maxSecrets}, "client_secret_expiry"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := readAll(t.Context(), db, column[string], "EXPLAIN "+test.text, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(plan, "\n")
			if !strings.Contains(all, test.uses) || strings.Contains(all, "Seq Scan on client ") {
				t.Errorf("does not use %s alone:\n%s", test.uses, all)
			}
		})
	}
}
