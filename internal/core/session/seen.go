package session

import (
	"context"
	"time"
)

const (
	// seenStep is how late SeenAt may be: a session in use costs one row of a
	// shared statement in that time, and nothing a request.
	seenStep = 5 * time.Minute
	// maxSeen bounds what waits to be written; what is beyond it is noted later.
	maxSeen = 100_000
)

// sighting is when a session was seen.
type sighting struct {
	sid string
	at  time.Time
}

// note remembers that a session was seen, until Flush writes it.
func (s *Service) note(found *Session, now time.Time) {
	if now.Sub(found.SeenAt) < seenStep {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	noted, again := s.seen[found.ID]
	if again && now.Sub(noted.at) < seenStep || !again && len(s.seen) >= maxSeen {
		return
	}
	s.seen[found.ID] = sighting{found.SID, now.UTC().Truncate(time.Microsecond)}
}

// Flush writes when sessions were seen last. What cannot be written is noted
// anew when the sessions are seen again.
func (s *Service) Flush(ctx context.Context) error {
	s.mu.Lock()
	noted := s.seen
	s.seen = make(map[ID]sighting)
	s.mu.Unlock()
	if len(noted) == 0 {
		return nil
	}
	batch := make(map[string]time.Time, len(noted))
	for _, n := range noted {
		batch[n.sid] = n.at
	}
	if err := s.store.Seen(ctx, batch); err != nil {
		return err
	}
	for id := range noted {
		s.cache.Void(id)
	}
	return nil
}
