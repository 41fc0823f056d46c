// Package user owns user records: what is stored of the people who sign in, what
// their attributes may be, what of it OpenID Connect clients are told, and every
// change that can be made to one. How people prove who they are, beyond a
// password's form and its hash, is package signin's; their sessions are package
// session's.
package user

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// User is one user record as stored. Values handed out by a Registry are shared:
// they must not be changed.
type User struct {
	ApplicationID string
	UUID          string // RFC 9562, version 4; `sub` in tokens
	Sequence      int64  // the numeric id; set by the store

	Email           string    // NFC, as given; unique without regard to case; "": has none
	EmailVerifiedAt time.Time // zero: not verified
	Attributes      Attributes
	Roles           []string
	Inactive        bool

	// Era is replaced by a new random number whenever everything that the user
	// was given must die: deactivation, another password. Token families and
	// sessions carry the era that they were made in, as client.Client's Era.
	Era int64

	PasswordHash   string // a PHC string; "": has no password
	Revision       int64  // grows with every change, sign-ins apart; set by the store
	CreatedAt      time.Time
	UpdatedAt      time.Time
	LastSignedInAt time.Time // zero: never; as of when the record was read
}

// Attributes are what is known of a user beside the fields above: an object as a
// Schema has it, in the values that encoding/json gives (string, json.Number,
// bool, []any, map[string]any). Nothing in it is null.
type Attributes map[string]any

// Search narrows a list of users; the zero value of each field does not.
type Search struct {
	Text   string // words, each the beginning of a word of the name or of the address, or of the uuid
	Active *bool
	Role   string
	After  Place // only users that come after it in the list
	Limit  int   // at most so many; ≥ 1
}

// Place is a place in a list of users; the zero value is its beginning. Lists
// are in the order of creation, those by a text in that of the words found.
type Place struct {
	Sequence int64  `json:"s,omitempty"`
	Term     string `json:"t,omitempty"`
}

// ParsePlace reads what Place.String wrote; false where it is no place.
func ParsePlace(text string) (at Place, ok bool) {
	if text == "" {
		return at, true
	}
	ok = json.Unmarshal([]byte(text), &at) == nil && at.Sequence > 0 && utf8.ValidString(at.Term) && !strings.ContainsRune(at.Term, 0)
	return at, ok
}

// String gives the place as a cursor; "" for the beginning.
func (p Place) String() string {
	if p == (Place{}) {
		return ""
	}
	text, _ := json.Marshal(p) //nolint:errchkjson // a number and a text cannot fail
	return string(text)
}

// Store keeps users. Every method is one transaction and writes its audit event
// in it; nothing of a refused operation is stored.
type Store interface {
	// Create stores a new user and sets its Sequence and Revision. An address in
	// use is a fault Conflict whose Field is "email"; of many concurrent creations
	// with one address exactly one succeeds. A UUID in use is a Conflict, too.
	Create(ctx context.Context, u *User, event audit.Event) error
	// Get gives a user; a fault NotFound where there is none.
	Get(ctx context.Context, applicationID, uuid string) (*User, error)
	// ByEmail gives the user of an address, without regard to case; NotFound as
	// Get, and for the empty address.
	ByEmail(ctx context.Context, applicationID, email string) (*User, error)
	// Search gives users and the place to go on from: the zero value where there
	// are no more. The work of a call is bounded: where few match there may be
	// fewer than Limit, none even, and yet more to come.
	Search(ctx context.Context, applicationID string, search Search) ([]*User, Place, error)
	// Change reads the user, lets change alter it (anything but ApplicationID,
	// UUID, Sequence, Revision, CreatedAt, LastSignedInAt) and stores it with the
	// audit event that change gives back. change may run more than once and must
	// depend on nothing but its argument. Concurrent changes do not overwrite each
	// other. NotFound and Conflict as above; an error of change is handed on and
	// nothing is stored.
	Change(ctx context.Context, applicationID, uuid string, change func(*User) (audit.Event, error)) (*User, error)
	// Delete removes a user, after check, which may refuse. What others keep of
	// the user is handed to RemoveRemains.
	Delete(ctx context.Context, applicationID, uuid string, check func(*User) (audit.Event, error)) error
	// RemoveRemains takes a step, of at most limit rows, at what is left of users
	// who were deleted, and says how many rows it removed.
	RemoveRemains(ctx context.Context, now time.Time, limit int) (int, error)
}
