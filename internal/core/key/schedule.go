package key

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// Schedule of the signing keys: made and published PublishAhead before they
// sign, so that verifiers who cache the JWK set know them in time; retired when
// the next one signs; dropped when nothing that they signed lives any more.
type Schedule struct {
	Period       time.Duration // how long a key signs; > PublishAhead
	PublishAhead time.Duration // more than the max-age of the JWK set
}

// DefaultSchedule changes keys each quarter.
var DefaultSchedule = Schedule{Period: 90 * 24 * time.Hour, PublishAhead: 24 * time.Hour}

// neededStep is by how much NeededUntil is rounded up, so that it is written
// about once a day a key and not with each token.
const neededStep = 24 * time.Hour

// need writes that a key signs something that lives until exp.
func (s *Signers) need(ctx context.Context, k SigningKey, exp time.Time) error {
	_, err := s.store.ChangeSigningKeys(ctx, k.ApplicationID, func(keys []SigningKey) ([]SigningKey, []audit.Event, error) {
		keys = slices.Clone(keys)
		for i := range keys {
			if keys[i].ID == k.ID && keys[i].NeededUntil.Before(exp) {
				keys[i].NeededUntil = exp.Add(neededStep)
			}
		}
		return keys, nil, nil
	})
	s.Void(k.ApplicationID)
	if err != nil {
		return fmt.Errorf("keep signing key %s published: %w", k.ID, err)
	}
	return nil
}

// Tend takes the steps of the schedule that are due for an application which
// signs with algorithm. It is cheap where none is, and harmless where several
// nodes do it at once: each step is decided inside the transaction.
func (s *Signers) Tend(ctx context.Context, applicationID, algorithm string) error {
	set, err := s.load(ctx, applicationID)
	if err != nil {
		return err
	}
	now := s.now()
	if _, events := s.step(set.keys(), algorithm, now, SigningKey{}); len(events) == 0 {
		return nil
	}
	// A key is made ahead of the transaction: RSA takes long, and writers wait.
	fresh, err := s.newKey(applicationID, algorithm, now)
	if err != nil {
		return err
	}
	_, err = s.store.ChangeSigningKeys(ctx, applicationID, func(keys []SigningKey) ([]SigningKey, []audit.Event, error) {
		next, events := s.step(keys, algorithm, now, fresh)
		return next, events, nil
	})
	s.Void(applicationID)
	if err != nil {
		return fmt.Errorf("change the signing keys: %w", err)
	}
	return nil
}

// step computes the keys after what is due at the time now, and the events of
// it; fresh is used where a key is needed.
func (s *Signers) step(keys []SigningKey, algorithm string, now time.Time, fresh SigningKey) ([]SigningKey, []audit.Event) {
	var next []SigningKey
	var events []audit.Event
	newest := -1
	for _, k := range keys {
		switch {
		case k.finished(now.Add(-s.schedule.PublishAhead)):
			events = append(events, event(&k, "key.drop", now))
			continue
		case k.Algorithm != algorithm && k.RetiredAt.IsZero():
			k.RetiredAt = now
			events = append(events, event(&k, "key.retire", now))
		case k.Algorithm == algorithm && k.RetiredAt.IsZero():
			newest = len(next)
		}
		next = append(next, k)
	}
	switch {
	case newest < 0:
		fresh.ActiveAt = now
	case now.Before(next[newest].ActiveAt.Add(s.schedule.Period - s.schedule.PublishAhead)):
		return next, events
	default:
		fresh.ActiveAt = later(next[newest].ActiveAt.Add(s.schedule.Period), now.Add(s.schedule.PublishAhead))
		next[newest].RetiredAt = fresh.ActiveAt
		events = append(events, event(&next[newest], "key.retire", now))
	}
	events = append(events, event(&fresh, "key.create", now))
	return append(next, fresh), events
}

// finished reports whether nothing that the key signed lives at the time t.
func (k *SigningKey) finished(t time.Time) bool {
	return !k.RetiredAt.IsZero() && later(k.RetiredAt, k.NeededUntil).Before(t)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
