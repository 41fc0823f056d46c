package key_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/key"
)

var errUnconfirmed = errors.New("the standby did not confirm the commit")

// unconfirmed stores, and says that it does not know.
type unconfirmed struct{ key.Store }

func (u unconfirmed) ChangeSigningKeys(ctx context.Context, applicationID string, change func([]key.SigningKey) ([]key.SigningKey, []audit.Event, error)) ([]key.SigningKey, error) {
	keys, err := u.Store.ChangeSigningKeys(ctx, applicationID, change)
	return keys, errors.Join(err, errUnconfirmed)
}

// What was remembered of the tokens of a key is forgotten too where nobody knows
// whether it was withdrawn: whoever tries again hears that there is none.
func TestWithdrawnPerhaps(t *testing.T) {
	s, c := open(t)
	ring := ringOf(t, s, c, 1)
	signers := key.NewSigners(s, ring, c.Now, key.DefaultSchedule)
	if err := signers.Tend(t.Context(), "app", "ES256"); err != nil {
		t.Fatal(err)
	}
	keys, err := signers.Rotate(t.Context(), audit.System(), "app", "ES256", true)
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Second)
	forgotten := false
	signers = key.NewSigners(unconfirmed{s}, ring, c.Now, key.DefaultSchedule)
	signers.OnWithdraw(func() { forgotten = true })
	if err := signers.Withdraw(t.Context(), audit.System(), "app", keys[0].ID); !errors.Is(err, errUnconfirmed) {
		t.Error(err)
	}
	if left, err := signers.Keys(t.Context(), "app"); err != nil || len(left) != 1 || !forgotten {
		t.Errorf("keys %v, %v; forgotten is %v", left, err, forgotten)
	}
}
