package signin

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Purpose is what a link is for.
type Purpose string

// The purposes.
const (
	ForReset    Purpose = "reset"    // choose a password
	ForVerify   Purpose = "verify"   // show that an address is one's own
	ForRegister Purpose = "register" // make an account with the address that the link was sent to
)

// lifetime is how long a link is good.
func (p Purpose) lifetime() time.Duration {
	if p == ForReset {
		return time.Hour
	}
	return 24 * time.Hour
}

// Link is a link that is good once, as stored.
type Link struct {
	Digest        [32]byte // SHA-256 of the token in the link
	ApplicationID string
	Purpose       Purpose
	UserID        string // "": whom it will be made for
	UserEra       int64  // another password since, or deactivation, kills the link
	Email         string // that it was sent to, or is about
	Request       string // what goes on afterwards, as it was given; "": nothing
	ExpiresAt     time.Time
}

// Links keeps links, and makes the changes to users that they, and what users
// know, permit. Every method is one transaction.
type Links interface {
	// Put stores a link, with an audit event where there is one.
	Put(ctx context.Context, l *Link, event *audit.Event) error
	// Get gives a link that is good at the time now; a fault NotFound where there
	// is none, or its user has another era.
	Get(ctx context.Context, applicationID string, digest [32]byte, now time.Time) (*Link, error)
	// Redeem removes a link as Get gives it, and changes its user as user.Store's
	// Change does. Of many at once, one is let through; nothing is removed where
	// change gives an error.
	Redeem(ctx context.Context, applicationID string, digest [32]byte, now time.Time, change func(*user.User) (audit.Event, error)) (*user.User, error)
	// Register removes a link as Get gives it, and stores the user as user.Store's
	// Create does.
	Register(ctx context.Context, digest [32]byte, now time.Time, u *user.User, event audit.Event) error
	// ChangePassword changes a user as user.Store's Change does, ends his sessions
	// save the one that was stored under the id before, and renews that one as
	// session.Store's Renew does.
	ChangePassword(ctx context.Context, before session.ID, after *session.Session, change func(*user.User) (audit.Event, error)) (*user.User, error)
	// RemoveExpired removes at most limit links that were good until before now, and
	// says how many.
	RemoveExpired(ctx context.Context, now time.Time, limit int) (int, error)
}
