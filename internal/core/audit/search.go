package audit

import (
	"context"
	"time"
)

// Cursor is a place in the list of an application's events; the zero value is
// its beginning.
type Cursor struct{ At, Sequence int64 }

// Filter narrows a list of events; the zero value of each field does not.
type Filter struct {
	Actor  string
	Action string // one that ends with a full stop stands for all that begin so
	Object string
	Since  time.Time // at or after
	Until  time.Time // before
	After  Cursor    // only events that come after it in the list
	Limit  int       // at most so many; ≥ 1
}

// Reader looks at the events.
type Reader interface {
	// Search gives events of an application ("" is the instance), the newest
	// first, and the cursor to go on from: the zero value where there are no
	// more. It reads a bounded number of events: where few of them match there
	// may be fewer than Limit, none even, and yet more to come.
	Search(ctx context.Context, applicationID string, filter Filter) ([]Event, Cursor, error)
}
