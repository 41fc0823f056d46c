package store

import (
	"context"
	"strconv"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client"
)

// TestTextTables: a search goes from one table of the index to the next, also
// where clients were many in between that are gone.
func TestTextTables(t *testing.T) {
	t.Parallel()
	db, _ := opened(t, Options{})
	want := []int64{5, 1<<textShift - 1, 1 << textShift, 3<<textShift + 7}
	err := db.change(t.Context(), func(ctx context.Context, s session) error {
		for _, sequence := range want {
			_, err := s.exec(ctx, `INSERT INTO client (sequence, application_id, id, name, name_key, version, kind, public, inactive, era, features, settings, revision, created_at, updated_at)
				VALUES ($1, 'acme', $2, 'needle', $3, '', 'other', FALSE, FALSE, 1, 0, '{}', 1, 1, 1)`, sequence, strconv.FormatInt(sequence, 10), strconv.FormatInt(sequence, 10))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		if more, err = db.IndexTexts(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if db.texts.mark != want[len(want)-1] {
		t.Errorf("the index goes to %d", db.texts.mark)
	}
	q := client.Search{Text: "needle", Limit: 1}
	var found []int64
	for range 100 {
		list, next, err := db.Clients().Search(t.Context(), "acme", q)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			found = append(found, c.Sequence)
		}
		if q.After = next; next == (client.Place{}) {
			break
		}
	}
	if len(found) != len(want) || found[0] != want[0] || found[3] != want[3] {
		t.Errorf("found %v, want %v", found, want)
	}
}
