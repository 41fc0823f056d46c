package key

import (
	"context"
	"fmt"
	"slices"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

var (
	errNoKey     = fault.NotFoundf("There is no such signing key.")
	errNeededKey = fault.Conflictf("Only a retired key can be withdrawn, and this one signs, or will; rotate immediately first.")
)

// OnWithdraw has forget called after a key was withdrawn, or may have been, so
// that what was remembered of the tokens that it signed is forgotten.
func (s *Signers) OnWithdraw(forget func()) { s.withdrawn = forget }

// Key gives a signing key of an application; a fault NotFound where there is none.
func (s *Signers) Key(ctx context.Context, applicationID, id string) (SigningKey, error) {
	keys, err := s.Keys(ctx, applicationID)
	if err != nil {
		return SigningKey{}, err
	}
	i := slices.IndexFunc(keys, func(k SigningKey) bool { return k.ID == id })
	if i < 0 {
		return SigningKey{}, errNoKey
	}
	return keys[i], nil
}

// Withdraw takes a retired signing key out of the JWK set at once: whatever it
// signed is refused here from now on, and elsewhere once the set is fetched
// again. A fault Conflict says that the key is not retired, NotFound that there
// is none.
func (s *Signers) Withdraw(ctx context.Context, source audit.Source, applicationID, id string) error {
	_, err := s.store.ChangeSigningKeys(ctx, applicationID, func(keys []SigningKey) ([]SigningKey, []audit.Event, error) {
		now := s.now()
		i := slices.IndexFunc(keys, func(k SigningKey) bool { return k.ID == id })
		if i < 0 {
			return nil, nil, errNoKey
		}
		if keys[i].State(now) != "retired" {
			return nil, nil, errNeededKey
		}
		e := audit.New(source, applicationID, "key.withdraw", "key:"+id, now)
		e.Before = keys[i].Public
		return slices.Delete(keys, i, i+1), []audit.Event{e}, nil
	})
	// Also where it failed: of a commit that was not confirmed nobody knows.
	s.Void(applicationID)
	s.withdrawn()
	if err != nil {
		return fmt.Errorf("withdraw a signing key: %w", err)
	}
	return nil
}
