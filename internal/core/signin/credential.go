package signin

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
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

// List gives the credentials of a user, the oldest first, and how many recovery
// codes are left.
func (s *Service) List(ctx context.Context, app *application.Application, u *user.User) (list []Credential, recovery int, err error) {
	if list, err = s.Credentials.List(ctx, app.ID, u.UUID); err != nil {
		return nil, 0, err
	}
	codes, err := s.Credentials.Recovery(ctx, app.ID, u.UUID)
	return list, len(codes), err
}

// Remove removes a credential of a user; a fault NotFound where there is none.
func (s *Service) Remove(ctx context.Context, source audit.Source, app *application.Application, u *user.User, id string) error {
	list, err := s.Credentials.List(ctx, app.ID, u.UUID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(c Credential) bool { return c.ID == id })
	if i < 0 {
		return fault.NotFoundf("There is no such credential.")
	}
	event, err := list[i].event(source, "user.credential.remove", s.moment())
	if err != nil {
		return err
	}
	return s.Credentials.Remove(ctx, app.ID, u.UUID, id, event)
}

// event is a credential as its audit events show it.
func (c *Credential) event(source audit.Source, action string, at time.Time) (audit.Event, error) {
	event := audit.New(source, c.ApplicationID, action, object(c.UserID), at)
	document, err := json.Marshal(struct {
		ID    string `json:"id"`
		Kind  Kind   `json:"kind"`
		Label string `json:"label"`
	}{c.ID, c.Kind, c.Label})
	if action == "user.credential.remove" {
		event.Before = document
	} else {
		event.After = document
	}
	return event, err
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
