package key

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// Keys gives the signing keys of an application in order of creation.
func (s *Signers) Keys(ctx context.Context, applicationID string) ([]SigningKey, error) {
	set, err := s.load(ctx, applicationID)
	if err != nil {
		return nil, err
	}
	return set.keys(), nil
}

// State says what a key does at the time now: it is published, and will sign;
// it is active, and signs; or it is retired, and signs no more.
func (k *SigningKey) State(now time.Time) string {
	switch {
	case k.signs(now):
		return "active"
	case now.Before(k.ActiveAt):
		return "published"
	default:
		return "retired"
	}
}

var errNextKey = fault.Conflictf("The next key is published already, and signs from its active_at on; rotate immediately where that is too late.")

// Rotate begins with the next signing key of an application ahead of the
// schedule: it is published now and signs after the time that verifiers need to
// learn of it; immediately: it signs at once, the one that waits where there is
// one. A fault Conflict says that one waits already. It gives all keys after it.
func (s *Signers) Rotate(ctx context.Context, source audit.Source, applicationID, algorithm string, immediately bool) ([]SigningKey, error) {
	now := s.now()
	// It is made ahead of the transaction: RSA takes long, and writers wait.
	fresh, err := s.newKey(applicationID, algorithm, now.Add(s.schedule.PublishAhead))
	if err != nil {
		return nil, err
	}
	_, err = s.store.ChangeSigningKeys(ctx, applicationID, func(keys []SigningKey) ([]SigningKey, []audit.Event, error) {
		next := slices.Clone(keys)
		waits := slices.IndexFunc(next, func(k SigningKey) bool { return k.Algorithm == algorithm && now.Before(k.ActiveAt) })
		switch {
		case waits >= 0 && !immediately:
			return nil, nil, errNextKey
		case waits < 0:
			next = append(next, fresh)
			waits = len(next) - 1
		}
		var events []audit.Event
		if immediately {
			next[waits].ActiveAt = now
		}
		for i := range next {
			k := &next[i]
			if i != waits && (k.RetiredAt.IsZero() || k.RetiredAt.After(next[waits].ActiveAt)) {
				k.RetiredAt = next[waits].ActiveAt
				events = append(events, rotation(source, k, "key.retire", now))
			}
		}
		return next, append(events, rotation(source, &next[waits], "key.rotate", now)), nil
	})
	s.Void(applicationID)
	if err != nil {
		return nil, fmt.Errorf("rotate the signing keys: %w", err)
	}
	return s.Keys(ctx, applicationID)
}

func rotation(source audit.Source, k *SigningKey, action string, at time.Time) audit.Event {
	e := audit.New(source, k.ApplicationID, action, "key:"+k.ID, at)
	e.After = k.Public
	return e
}
