package store

import (
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/token"
)

// Whatever is asked for, a page begins with a bounded number of families and
// looks the client of each up: never with all clients.
func TestFamilyPagePlans(t *testing.T) {
	t.Parallel()
	db, _ := opened(t, Options{})
	for _, part := range []scan{scanOfAll(lastID), scanOfEra(7, lastID), scanOfUser("app", "user", lastID)} {
		for _, state := range []token.State{"", token.Live, token.Expired, token.Revoked} {
			for _, scope := range []string{"", "a"} {
				q := token.Query{Selection: token.Selection{Scope: scope}, State: state, Limit: 10}
				text, args := selectPage(db.dialect, &part, "app", &q)
				plan, err := readAll(t.Context(), db, func(row scanner) (detail string, err error) {
					var id, parent, unused int
					err = row.Scan(&id, &parent, &unused, &detail)
					return detail, err
				}, "EXPLAIN QUERY PLAN "+text, args...)
				if err != nil {
					t.Fatal(err)
				}
				client := slices.IndexFunc(plan, func(step string) bool { return strings.HasPrefix(step, "SEARCH c USING INDEX client_id") })
				owner := slices.IndexFunc(plan, func(step string) bool { return strings.HasPrefix(step, "SEARCH u USING INDEX user_record_uuid") })
				if client < 0 || owner < 0 || slices.Contains(plan, "SCAN family") || slices.ContainsFunc(plan, func(step string) bool { return strings.Contains(step, "AUTOMATIC") }) {
					t.Errorf("%q, scope %q: reads too much:\n%s", state, scope, strings.Join(plan, "\n"))
				}
			}
		}
	}
}
