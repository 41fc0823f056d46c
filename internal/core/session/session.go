// Package session owns the sessions of users: browsers in which somebody has
// signed in to an application. It says which session a cookie is of, how long
// one lives, and which clients took part in it; it neither authenticates
// anybody (package signin) nor knows what a cookie is called.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// ID is the SHA-256 of the cookie's value: what is stored opens no session.
type ID [32]byte

// Session is one session as stored. Values handed out by a Service are shared:
// they must not be changed.
type Session struct {
	ID            ID
	SID           string // public: the claim `sid`
	ApplicationID string
	UserID        string
	UserEra       int64     // the session lives while this is still the user's
	AuthTime      time.Time // when the user last proved who he is
	AMR           []string  // how (RFC 8176)
	ACR           string    // OneFactor or TwoFactors
	CreatedAt     time.Time
	SeenAt        time.Time // late by up to a few minutes
	ExpiresAt     time.Time
	Address       string   // of the last sign-in
	UserAgent     string   // of the last sign-in, cut to MaxUserAgent bytes
	Clients       []string // ids of those that took part, sorted
}

// Authentication context classes (the claim `acr`).
const (
	OneFactor  = "1"
	TwoFactors = "2" // or a passkey that verified its user
)

// Bounds of what is kept.
const (
	MaxUserAgent = 300 // bytes
	// MaxSessions is how many sessions a user has at most; one more ends the one
	// that signed in the longest ago.
	MaxSessions = 100
	// MaxClients is how many clients of a session are remembered.
	MaxClients = 100
)

// Ended is a session that is over.
type Ended struct {
	ID     ID
	SID    string
	UserID string
}

// Store keeps sessions. Every method is one transaction. Whenever a session
// ends, whichever way, a notice for each of the clients that took part is
// stored in the same transaction (Notices).
type Store interface {
	// Begin stores a new session with its audit event and dates the user's last
	// sign-in; the oldest ones of the user beyond MaxSessions end, and are given
	// back. A fault NotFound where the user is gone, inactive or of another era.
	Begin(ctx context.Context, s *Session, event audit.Event) ([]Ended, error)
	// Get gives a session; a fault NotFound where there is none.
	Get(ctx context.Context, id ID) (*Session, error)
	// Renew replaces the session that was stored under the id before by s, which
	// has the same SID, with the audit event, and dates the sign-in. A fault
	// NotFound where it ended, and as Begin.
	Renew(ctx context.Context, before ID, s *Session, event audit.Event) error
	// Join remembers that a client took part in a session, unless MaxClients did.
	// Again changes nothing. A fault NotFound where the session ended.
	Join(ctx context.Context, s *Session, clientID string) error
	// Seen moves the times at which sessions, by their SID, were seen last; those
	// that ended are left out.
	Seen(ctx context.Context, seen map[string]time.Time) error
	// End ends the session of the user (of any, where userID is "") that has the
	// SID; false, and no event, where there is none.
	End(ctx context.Context, applicationID, userID, sid string, event audit.Event) (Ended, bool, error)
	// EndAll ends the sessions of a user, save the one of the SID except ("": none),
	// with the audit event that event makes of those that ended; no event where
	// none did.
	EndAll(ctx context.Context, applicationID, userID, except string, event func([]Ended) (audit.Event, error)) ([]Ended, error)
	// List gives the sessions of a user, the one that signed in last first.
	List(ctx context.Context, applicationID, userID string) ([]*Session, error)
	// Shorten has at most limit sessions of an application that live longer than
	// lifetime after their AuthTime live no longer, those of users from the one
	// given on ("": the first), and says how many, and whose was the last.
	Shorten(ctx context.Context, applicationID string, lifetime time.Duration, from string, limit int) (last string, n int, err error)
	// RemoveExpired ends at most limit sessions that expired before now, and says
	// how many.
	RemoveExpired(ctx context.Context, now time.Time, limit int) (int, error)
}

// cookieBytes is the entropy of a cookie's value.
const cookieBytes = 32

// newCookie makes the value of a cookie, and the id under which its session is
// kept.
func newCookie() (string, ID) {
	var b [cookieBytes]byte
	_, _ = rand.Read(b[:])
	text := base64.RawURLEncoding.EncodeToString(b[:])
	return text, sha256.Sum256([]byte(text))
}

// idOf gives the id that a cookie's value would have; false where it is no such
// value, which costs no look at the database.
func idOf(cookie string) (ID, bool) {
	if len(cookie) != base64.RawURLEncoding.EncodedLen(cookieBytes) {
		return ID{}, false
	}
	// The decoder skips line breaks, and then gives fewer bytes.
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(cookie); err != nil || len(raw) != cookieBytes {
		return ID{}, false
	}
	return sha256.Sum256([]byte(cookie)), true
}
