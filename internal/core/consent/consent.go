// Package consent owns what users granted to clients: which scopes, since when.
// It remembers, shows and takes back; whether a request needs a consent is not
// decided here.
package consent

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// Consent is what a user granted to a client, as stored. Values handed out by a
// Service are shared: they must not be changed.
type Consent struct {
	ID            string // 20 characters, for the management API
	ApplicationID string
	UserID        string
	ClientID      string
	Scopes        []string  // sorted
	GrantedAt     time.Time // when the first of them was
	UpdatedAt     time.Time // when the user was last asked
	Sequence      int64     // its place in lists; set when it is stored
	// ClientSequence is the client's, which no other client ever has.
	ClientSequence int64
}

// Filter narrows a list; the zero value of each field does not.
type Filter struct {
	UserID   string
	ClientID string
	After    int64 // only those of a greater Sequence
	Limit    int   // at most so many; ≥ 1
}

// Store keeps consents. Every method is one transaction. A client that is
// deleted takes its consents with it: one made anew under its id has none.
type Store interface {
	// Find gives the consent of a user and a client; a fault NotFound where there
	// is none.
	Find(ctx context.Context, applicationID, userID, clientID string) (*Consent, error)
	// Get gives the consent of an id; NotFound as Find.
	Get(ctx context.Context, applicationID, id string) (*Consent, error)
	// Change reads the consent of a user and a client, an empty one of the id
	// where there is none, lets change alter its scopes and times, and stores it
	// with the audit event that change gives back; NotFound where there is no such
	// client, or user. An error of change is handed on and nothing is stored; change
	// may run more than once. Concurrent changes do not overwrite each other.
	Change(ctx context.Context, applicationID, userID, clientID, id string, change func(*Consent) (audit.Event, error)) (*Consent, error)
	// Delete removes a consent with its audit event; NotFound where there is none.
	Delete(ctx context.Context, applicationID, userID, clientID string, event func(*Consent) (audit.Event, error)) error
	// List gives consents of the application in the order of their Sequence.
	List(ctx context.Context, applicationID string, filter Filter) ([]*Consent, error)
	// RemoveOrphans removes at most limit consents of deleted clients, and says
	// how many.
	RemoveOrphans(ctx context.Context, limit int) (int, error)
}
