// Package client owns API clients: what is stored of them, which rules they are
// held to, how they authenticate, and every change that can be made to one. It
// knows neither HTTP nor SQL; the endpoints and the command line are callers.
package client

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/secret"
)

// Kind is what a client runs as; it decides the grants it may have.
type Kind string

// The kinds.
const (
	Web     Kind = "web"
	SPA     Kind = "spa"
	Native  Kind = "native"
	Service Kind = "service"
	Other   Kind = "other" // made by the Configuration API, or of no other kind
)

// Client is one API client as stored, with its secrets. Values handed out by a
// Registry are shared: they must not be changed.
type Client struct {
	ApplicationID string
	ID            string
	Name          string // as given, trimmed; unique, folded, with Version
	Version       string
	Kind          Kind
	Public        bool // the zero value is type confidential
	Inactive      bool

	// Era is replaced by a new random number whenever everything the client was
	// given must die: deactivation. A token family carries the era it was made
	// in and lives only while that is still the client's. One write kills any
	// number of tokens, and no later activation revives one; a client that is
	// made anew under the id of a deleted one has another era too.
	Era int64

	Settings  Settings
	Secrets   []Secret // in order of creation; expired ones may still be among them
	Sequence  int64    // order of creation in the instance; set by the store
	Revision  int64    // grows with every change; set by the store
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Title is the name with the version, by which people know the client.
func (c *Client) Title() string {
	if c.Version == "" {
		return c.Name
	}
	return c.Name + " " + c.Version
}

// MaxSecrets is how many secrets a client holds at most.
const MaxSecrets = secret.Max

// Secret is one credential of a client. The secret itself is not in it.
type Secret struct {
	ID        string
	Label     string
	Hint      string // its last 4 characters
	Digest    []byte // HMAC-SHA-256 under the digest key DigestKey, or a slow hash where DigestKey is 0
	DigestKey int32  // number of the data key; 0: Digest is the text of a hash that key.CheckHash takes
	Sealed    []byte // the secret, sealed; nil where the policy was `once`
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Live reports whether the secret still works at the time now.
func (s *Secret) Live(now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}

// Uniqueness says what a client's name must not collide with.
type Uniqueness uint8

// The scopes of uniqueness.
const (
	NameAndVersion   Uniqueness = iota // another client of that name and version
	NameOfAnyVersion                   // any other client of that name: the Configuration API's rule
)

// Filter narrows a list of clients.
type Filter struct {
	Features Features // a client must have all of these
	After    int64    // only clients whose Sequence is greater
	Limit    int      // at most so many; ≥ 1
}

// Store keeps clients and their secrets. Every method is one transaction and
// writes its audit event in it; nothing of a refused operation is stored.
type Store interface {
	// Create stores a new client with its secrets and sets its Sequence. A name
	// or id in use is a fault Conflict whose Field is "name", "version" or "id". Of many
	// concurrent creations of one name exactly one succeeds. A scope that is not
	// there is a fault Invalid; the scopes of a client cannot be deleted.
	Create(ctx context.Context, c *Client, unique Uniqueness, event audit.Event) error
	// CreateMany is Create for many clients of one application in one transaction,
	// in their order. One that is refused, with a fault of the kinds that Create
	// has, is left out and its fault stands at its place in refused; the others are
	// stored. Where dry is true nothing is stored, and refused is what it would be.
	CreateMany(ctx context.Context, clients []*Client, events []audit.Event, dry bool) (refused []error, err error)
	// Existing gives, for each client that is to be made, the id of the one that is
	// there already: of its own id, or else of its name and version; "": none.
	Existing(ctx context.Context, clients []*Client) (ids []string, err error)
	// Get gives a client with its secrets; a fault NotFound where there is none.
	Get(ctx context.Context, applicationID, id string) (*Client, error)
	// List gives clients in the order of their Sequence.
	List(ctx context.Context, applicationID string, filter Filter) ([]*Client, error)
	// Change reads the client, lets change alter it (anything but ApplicationID,
	// ID, Sequence, Revision, CreatedAt) and stores it with its secrets (added,
	// altered and removed ones, by their ID) and the audit event that change
	// gives back. change may run more than once and must depend on nothing but
	// its argument. Concurrent changes do not overwrite each other. NotFound and
	// Conflict as above, and Invalid for a scope that the client was not allowed
	// before; an error of change is handed on and nothing is stored. Where Era
	// changed, families of the old era are handed to the sweeper.
	Change(ctx context.Context, applicationID, id string, unique Uniqueness, change func(*Client) (audit.Event, error)) (*Client, error)
	// Delete removes the client and its secrets and settings, after check, which
	// may refuse. Its families are handed to the sweeper.
	Delete(ctx context.Context, applicationID, id string, check func(*Client) (audit.Event, error)) error
	// Documents gives the Configuration API's settings documents (JSON objects)
	// of the clients named. A document that was never stored is absent.
	Documents(ctx context.Context, applicationID string, ids ...string) (map[string][]byte, error)
	// PutDocument replaces the settings document of a client, and is Change of the
	// client in the same transaction.
	PutDocument(ctx context.Context, applicationID, id string, document []byte, change func(*Client) (audit.Event, error)) error
	// HasOrigin reports whether a client of the application has an origin among
	// those of its redirect URIs and its allowed ones.
	HasOrigin(ctx context.Context, applicationID, origin string) (bool, error)
	// RemoveExpiredSecrets removes at most limit secrets that expired before the
	// time given, and says how many it removed.
	RemoveExpiredSecrets(ctx context.Context, before time.Time, limit int) (int, error)
}
