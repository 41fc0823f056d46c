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
	Generation      int32    // of the access token minted last; 0 from the start, which in a code flow is the code
	IssuedAt        time.Time
	AccessExpiresAt time.Time // of that token, of a code until it is redeemed; zero: never
	RevokedAt       time.Time // zero: not revoked
	RevokedFor      string    // why: "revoked", "replaced" (the oldest of too many never-expiring ones), …
	Address         string    // the peer's address at the last issue

	// What follows is zero where the client acts for itself.

	UserID  string  // `sub`
	UserEra int64   // the family lives while this is still the user's
	SID     string  // of the session in which the user agreed; "": none
	Details Details // does not change

	// Rotation: one UPDATE, under the condition that Generation is what it was.
	AccessIssuedAt    time.Time // of the access token minted last; zero: IssuedAt
	RefreshGeneration int32     // of the refresh token that is out; 0: none
	RotatedFrom       int32     // the refresh token that the last refresh used; 0: there was none
	RotatedAt         time.Time
	Refreshes         int32
	RefreshExpiresAt  time.Time // of the refresh token; where there is none any more, until when its last use is answered again
	FamilyExpiresAt   time.Time // zero: never
	Latest            Latest
}

// Details are what was agreed beside scopes and resources, as far as a token
// tells of it or an exchange is checked against it.
type Details struct {
	RedirectURI   string               `json:"redirect_uri,omitempty"`   // as sent
	CodeChallenge string               `json:"code_challenge,omitempty"` // S256
	Nonce         string               `json:"nonce,omitempty"`
	AuthTime      int64                `json:"auth_time,omitempty"` // seconds since 1970
	AMR           []string             `json:"amr,omitempty"`
	ACR           string               `json:"acr,omitempty"`
	Claims        *oauth.ClaimsRequest `json:"claims,omitempty"`
}

// Latest is what the last exchange asked for and was given, as far as that is
// less than the whole family.
type Latest struct {
	AskedScopes    []string `json:"asked_scopes,omitempty"`    // sorted
	AskedResources []string `json:"asked_resources,omitempty"` // sorted
	Scopes         []string `json:"scopes,omitempty"`          // of the access token; none: the family's
	Audience       []string `json:"audience,omitempty"`        // so too

	// Outlives is when the last of its access tokens ends, in microseconds since
	// 1970, where that is not the one minted last: their lifetime was shortened
	// in between. Never is -1.
	Outlives int64 `json:"outlives,omitempty"`
}

// never stands for no end, in Latest.
const never = -1

// Never reports whether the access token minted last never expires.
func (f *Family) Never() bool { return f.AccessExpiresAt.IsZero() }

// Refreshable reports whether the family has, or had, a refresh token.
func (f *Family) Refreshable() bool { return f.RefreshGeneration > 0 || f.Refreshes > 0 }

// EndsAt is when the last thing in the family expires; the zero value is never.
func (f *Family) EndsAt() time.Time {
	if f.Never() || f.Latest.Outlives == never {
		return time.Time{}
	}
	end := f.AccessExpiresAt
	if outlives := time.UnixMicro(f.Latest.Outlives); f.Latest.Outlives > 0 && outlives.After(end) {
		end = outlives.UTC()
	}
	if f.RefreshExpiresAt.After(end) {
		end = f.RefreshExpiresAt
	}
	return end
}

// issuedAt is when the access token was minted last.
func (f *Family) issuedAt() time.Time {
	if f.AccessIssuedAt.IsZero() {
		return f.IssuedAt
	}
	return f.AccessIssuedAt
}

// refreshIssuedAt is when the refresh token that is out was made; zero where that
// is not known: one that stays the same keeps no date.
func (f *Family) refreshIssuedAt() time.Time {
	if f.RefreshGeneration == f.Generation {
		return f.issuedAt()
	}
	return time.Time{}
}

// Subject is `sub` (RFC 9068 §2.2).
func (f *Family) Subject() string {
	if f.UserID == "" {
		return f.ClientID
	}
	return f.UserID
}

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
	// Rotate stores what an exchange made of a family (Format, Address and all
	// that changes in a rotation), where it is not revoked and its Generation is
	// still the one before that of f; false where it is not. Concurrent calls
	// share a commit; of those on one family one succeeds. As Mint it gives the
	// never-expiring families that died.
	Rotate(ctx context.Context, f *Family) (rotated bool, died []ID, err error)
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
	CountLive(ctx context.Context, era int64, clientID string, now time.Time, limit int) (Living, error)
}
