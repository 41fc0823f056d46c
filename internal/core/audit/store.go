package audit

import "context"

// Store keeps the events that no change goes with. Every other event is written
// by the store operation that it describes.
type Store interface {
	// Record stores an event: something was looked at, or refused.
	Record(ctx context.Context, event Event) error
}
