package signin

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// Kind is what a credential is.
type Kind string

// The kinds.
const (
	TOTP    Kind = "totp"
	Passkey Kind = "passkey"
)

// Credential is something beside the password by which a user proves who he is,
// as stored.
type Credential struct {
	ID            string // 20 characters
	ApplicationID string
	UserID        string
	Kind          Kind
	Label         string // 1 to MaxLabel characters
	Key           []byte // of a passkey: the id that its authenticator made; else none
	Data          []byte // a passkey's public record; a TOTP's secret, sealed
	Counter       int64  // of a TOTP: the last step that was used; of a passkey: its signature counter
	CreatedAt     time.Time
	UsedAt        time.Time // zero: never
}

// Bounds of what a user keeps.
const (
	MaxLabel       = 60
	MaxCredentials = 20
	recoveryCodes  = 10
)

// RecoveryDigest is what is kept of a recovery code: a digest under a numbered
// key of the ring.
type RecoveryDigest struct {
	Digest []byte
	Key    int32
}

// Credentials keeps credentials and recovery codes. Every method is one
// transaction. What is kept of a user goes with the user.
type Credentials interface {
	// List gives the credentials of a user, the oldest first.
	List(ctx context.Context, applicationID, userID string) ([]Credential, error)
	// ByKey gives the passkey whose Key this is; a fault NotFound where there is
	// none.
	ByKey(ctx context.Context, applicationID string, key []byte) (*Credential, error)
	// Add stores a credential and, where codes is not nil, these recovery codes in
	// the place of those there are. A Key that is there, or more than
	// MaxCredentials, is a fault Conflict; NotFound where there is no such user.
	Add(ctx context.Context, c *Credential, codes []RecoveryDigest, event audit.Event) error
	// Remove removes a credential, and with the last TOTP the recovery codes.
	// NotFound where there is none.
	Remove(ctx context.Context, applicationID, userID, id string, event audit.Event) error
	// Use dates a credential and stores its counter; false where the counter that
	// is stored is as great already: of many at once, one is let through. A counter
	// of 0 over one of 0 is let through too: a passkey that does not count.
	Use(ctx context.Context, applicationID, id string, counter int64, data []byte, at time.Time) (bool, error)
	// Recovery gives the recovery codes of a user that are not used.
	Recovery(ctx context.Context, applicationID, userID string) ([]RecoveryDigest, error)
	// SetRecovery replaces the recovery codes of a user.
	SetRecovery(ctx context.Context, applicationID, userID string, codes []RecoveryDigest, event audit.Event) error
	// TakeRecovery removes a recovery code; false, and no event, where it is gone:
	// of many at once, one is let through.
	TakeRecovery(ctx context.Context, applicationID, userID string, code RecoveryDigest, event audit.Event) (bool, error)
}

// hasSecond reports whether a user signs in with a second factor.
func (s *Service) hasSecond(ctx context.Context, applicationID, userID string) (bool, error) {
	list, err := s.Credentials.List(ctx, applicationID, userID)
	for _, c := range list {
		if c.Kind == TOTP {
			return true, err
		}
	}
	return false, err
}
