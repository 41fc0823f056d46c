package audit

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Cursor is a place in the list of an application's events; the zero value is
// its beginning.
type Cursor struct{ At, Sequence int64 }

// ErrCursor says that a text is no cursor.
var ErrCursor = errors.New("not a place in a list of events")

// String is the cursor as ParseCursor reads it; "" of the zero value.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	return strconv.FormatInt(c.At, 10) + "." + strconv.FormatInt(c.Sequence, 10)
}

// ParseCursor reads what String wrote; "" is the zero value.
func ParseCursor(text string) (c Cursor, err error) {
	if text == "" {
		return Cursor{}, nil
	}
	at, sequence, _ := strings.Cut(text, ".")
	if c.At, err = strconv.ParseInt(at, 10, 64); err == nil {
		c.Sequence, err = strconv.ParseInt(sequence, 10, 64)
	}
	if err != nil || c == (Cursor{}) {
		return Cursor{}, ErrCursor
	}
	return c, nil
}

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

// exportStep is how many events an export holds at once.
const exportStep = 200

// Export hands over all events that a filter leaves, the newest first, in steps
// of a bounded size. Limit is not looked at. An error of visit ends it.
func Export(ctx context.Context, reader Reader, applicationID string, filter Filter, visit func([]Event) error) error {
	filter.Limit = exportStep
	for {
		events, next, err := reader.Search(ctx, applicationID, filter)
		if err != nil {
			return err
		}
		if len(events) > 0 {
			if err := visit(events); err != nil {
				return err
			}
		}
		if next == (Cursor{}) {
			return nil
		}
		filter.After = next
	}
}
