package store

import (
	"context"
	"errors"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// dialect is what the two databases say differently.
type dialect struct {
	name string
	// values gives the rows of a JSON array of strings that is the parameter.
	values func(parameter string) string
	// elements gives, as a table of one column named value, what is in a JSON
	// array that is the parameter.
	elements func(parameter string) string
	// bytes gives the bytes that a text has in hexadecimal.
	bytes func(text string) string
	// dead gives the ids of at most $1 families of dead eras, beginning with the
	// eras: these are few, and either planner would rather read all families.
	dead string
	// deadOfUsers is dead for the eras of users.
	deadOfUsers string
	// empty begins the statement that removes every row of a table, which ends it,
	// without looking at them.
	empty string
	// position is the function that says where the second text is in the first; 0:
	// nowhere. It regards case.
	position string
	// description is that in a client's settings.
	description string
	// shared ends a SELECT whose rows must be there still at the commit. They may be
	// changed beside it: who holds several waits for nobody who changes several.
	shared string
	// exclusive ends a SELECT whose rows nobody else changes until the commit.
	exclusive string
	// lock makes transactions on the same things, named by lockNumber, wait for one
	// another. SQLite has one writer and needs none.
	lock func(ctx context.Context, s session, things ...int64) error
	// readContext bounds a query outside a transaction.
	readContext func(ctx context.Context) (context.Context, context.CancelFunc)
	// unavailable reports whether an error of the driver means that the
	// database is out of reach for now, as against a defect.
	unavailable func(err error) bool
}

// classify gives an error of the database the form that the core knows.
func (d *dialect) classify(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || d.unavailable(err) {
		return fault.Unavailablef(err, "The database cannot be reached now; try again.")
	}
	return err
}
