// Package token owns token families: one authorization and everything that is
// minted from it. It mints, introspects and revokes; which client may ask for
// what was decided before (package client).
package token

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// ID names a family: 48 bits of milliseconds since 1970, then 80 random bits,
// so that new rows are appended to the table's tree rather than strewn over it.
type ID [16]byte

// NewID makes an id at the time now.
func NewID(now time.Time) ID {
	var id ID
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(id[:6], ms[2:])
	_, _ = rand.Read(id[6:])
	return id
}

// FirstID is smaller than every id that is made at the time now or later.
func FirstID(now time.Time) ID {
	id := NewID(now)
	clear(id[6:])
	return id
}

// String gives the id as audit events and the management API show it: base64url,
// 22 characters.
func (id ID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// Family is one authorization as stored: one row, the only thing written when
// tokens are issued.
type Family struct {
	ID              ID
	ApplicationID   string
	ClientID        string
	ClientEra       int64 // the family lives while this is still the client's
	GrantType       oauth.GrantType
	Scopes          []string
	Audience        []string // resources (RFC 8707); empty: the issuer
	Format          lifetime.Format
	Salt            [16]byte // of the MACs of its opaque tokens
	TokenKey        int32    // number of the data key of those MACs
	Generation      int32    // of the tokens; 0 from the start
	IssuedAt        time.Time
	AccessExpiresAt time.Time // zero: never
	RevokedAt       time.Time // zero: not revoked
	RevokedFor      string    // why: "revoked", "replaced" (the oldest of too many never-expiring ones), …
	Address         string    // the peer's address at issue
}

// Never reports whether the access token never expires.
func (f *Family) Never() bool { return f.AccessExpiresAt.IsZero() }

// Retention is how long a family is kept after everything in it has expired.
const Retention = time.Minute

// MaxNever is how many live never-expiring tokens a client has at most.
const MaxNever = 1000

// Store keeps families. Every method is one transaction.
type Store interface {
	// Mint stores a new family. Concurrent calls share a commit; it returns once
	// the row is on disk. Where the family never expires and its client then has
	// more than MaxNever live ones of its era, the oldest are revoked in the same
	// transaction, with an audit event each, and their ids are given back.
	Mint(ctx context.Context, f *Family) (died []ID, err error)
	// Get gives a family of the application; a fault NotFound where there is
	// none. A revoked family is there until it is removed.
	Get(ctx context.Context, applicationID string, id ID) (*Family, error)
	// Revoke marks a family revoked, with its audit event; false, and no event,
	// where there is none or it was revoked before.
	Revoke(ctx context.Context, applicationID string, id ID, reason string, event audit.Event) (bool, error)
	// List gives a page of the families of an application, having read at most
	// MaxScan of them, or of each era that its client had in the last minutes.
	List(ctx context.Context, applicationID string, q Query) (Page, error)
	// RevokeStep revokes, of the next MaxScan families, the first MaxRevoke that
	// are live and selected, with the audit event that event makes of their ids;
	// none, and no event, where there is no such family. It says where the next
	// step begins, and whether there is more. The State and Limit of q are not
	// asked.
	RevokeStep(ctx context.Context, applicationID string, q Query, reason string, event func([]ID) (audit.Event, error)) (revoked []ID, next ID, more bool, err error)
	// CountLive counts the live families of an era of a client, up to limit.
	CountLive(ctx context.Context, era int64, clientID string, now time.Time, limit int) (int, error)
	// RemoveExpired removes at most limit families that ended longer than
	// Retention before now, and says how many it removed.
	RemoveExpired(ctx context.Context, now time.Time, limit int) (int, error)
	// RemoveDead removes at most limit families of deactivated and deleted
	// clients (those of an era that is over), and says how many it removed.
	RemoveDead(ctx context.Context, now time.Time, limit int) (int, error)
}
