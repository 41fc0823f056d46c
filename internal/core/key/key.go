// Package key owns the keys of the server: the master key, which only wraps;
// the data keys that it wraps (digest, token, sealing), each numbered, the
// number carried in whatever the key made; and the applications' signing keys,
// which are sealed under a data key and follow a schedule. It signs and
// verifies; it knows nothing of clients or token families.
package key

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// Purpose of a data key.
type Purpose string

// The purposes.
const (
	Digest  Purpose = "digest"  // HMAC-SHA-256 over client secrets
	Token   Purpose = "token"   // HMAC-SHA-256 tags and MACs of opaque tokens
	Sealing Purpose = "sealing" // AES-256-GCM
)

// WrappedKey is a data key as stored: 32 bytes under the master key.
type WrappedKey struct {
	Number    int32 // unique in the instance, ≥ 1; the highest of a purpose is the one in use
	Purpose   Purpose
	Wrapped   []byte // AES-256-GCM under the master key, nonce first, purpose and number as associated data
	CreatedAt time.Time
}

// SigningKey is a signing key as stored.
type SigningKey struct {
	ApplicationID string
	ID            string          // kid
	Algorithm     string          // ES256, RS256 or EdDSA
	Sealed        []byte          // PKCS #8, sealed; the sealing key's number is in it
	Public        json.RawMessage // JWK (RFC 7517)
	CreatedAt     time.Time       // published from then on
	ActiveAt      time.Time       // signs from then on
	RetiredAt     time.Time       // signs no more from then on; zero: not planned
	NeededUntil   time.Time       // the latest `exp` that it signed, rounded up; published until then
}

// Store keeps keys. Every method is one transaction.
type Store interface {
	// DataKeys gives all data keys in the order of their numbers.
	DataKeys(ctx context.Context) ([]WrappedKey, error)
	// ChangeDataKeys reads all data keys, lets change add to them or rewrap
	// them, and stores the outcome with the events (none of them: no audit
	// event is written). Concurrent changes happen one after the other.
	ChangeDataKeys(ctx context.Context, change func([]WrappedKey) ([]WrappedKey, []audit.Event, error)) ([]WrappedKey, error)
	// SigningKeys gives the signing keys of an application in order of creation.
	SigningKeys(ctx context.Context, applicationID string) ([]SigningKey, error)
	// ChangeSigningKeys reads the signing keys of an application, lets change
	// add, alter and drop some, and stores the outcome with the events.
	// Concurrent changes of one application happen one after the other.
	ChangeSigningKeys(ctx context.Context, applicationID string, change func([]SigningKey) ([]SigningKey, []audit.Event, error)) ([]SigningKey, error)
}
