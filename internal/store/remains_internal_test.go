package store

import (
	"slices"
	"strings"
	"testing"
)

// TestRemainsNameEveryTable: what is kept by application is removed with it, or
// is known to go by itself.
func TestRemainsNameEveryTable(t *testing.T) {
	t.Parallel()
	db, _ := opened(t, Options{})
	tables, err := readAll(t.Context(), db, column[string], `SELECT m.name FROM sqlite_master m
		JOIN pragma_table_info(m.name) c ON c.name = 'application_id' WHERE m.type = 'table' ORDER BY m.name`)
	if err != nil {
		t.Fatal(err)
	}
	known := []string{
		"client",            // one by one, with what is kept by its sequence
		"family",            // expires, or is of an era that is buried with its client
		"dead_era",          // is forgotten after a while
		"dead_user_era",     // so too
		"audit_event",       // stays
		"usage_application", // is kept for 90 days
		"removed_user",      // goes when what is left of the user went
		"logout_notice",     // is delivered or given up
		"link",              // expires
	}
	for _, statement := range remains {
		known = append(known, strings.Fields(statement)[2])
	}
	for _, table := range tables {
		if !slices.Contains(known, table) {
			t.Errorf("the rows of %s stay when their application is removed", table)
		}
	}
	if len(tables) < 8 {
		t.Errorf("only %d tables are kept by application: %v", len(tables), tables)
	}
}
