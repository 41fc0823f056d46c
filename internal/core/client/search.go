package client

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Search narrows a list of clients; the zero value of each field does not.
type Search struct {
	Text    string // in name, id or description, without regard to case; under 3 characters: what the name begins with, or the id
	Kind    Kind
	Type    string // Confidential or PublicType
	Feature Feature
	Active  *bool
	Tag     string
	After   Place // only clients that come after it in the list
	Limit   int   // at most so many; ≥ 1
}

// Place is a place in a list of clients; the zero value is its beginning. Lists
// are in the order of creation, those by the beginning of a name in that of the
// names, after the one client that has the text for its id.
type Place struct {
	Sequence int64  `json:"s,omitempty"`
	NameKey  string `json:"n,omitempty"`
	Version  string `json:"v,omitempty"`
}

// ByName reports whether the list is in the order of the names.
func (s *Search) ByName() bool { return s.Text != "" && utf8.RuneCountInString(s.Text) < 3 }

// Matches reports whether a client is one of those that are searched for, its
// name and texts aside.
func (s *Search) Matches(c *Client) bool {
	return (s.Kind == "" || c.Kind == s.Kind) &&
		(s.Type == "" || typeOf(c.Public) == s.Type) &&
		(s.Feature == "" || c.Settings.Features.Has(s.Feature)) &&
		(s.Active == nil || *s.Active != c.Inactive)
}

// Says reports whether the texts and tags of a client are searched for.
func (s *Search) Says(c *Client) bool {
	text := strings.ToLower(s.Text)
	return (s.Tag == "" || slices.Contains(c.Settings.Tags, s.Tag)) &&
		(text == "" || s.ByName() && (c.ID == s.Text || strings.HasPrefix(strings.ToLower(c.Name), text)) ||
			!s.ByName() && strings.Contains(strings.ToLower(c.Name+"\n"+c.ID+"\n"+c.Settings.Description), text))
}

// Searcher looks for clients.
type Searcher interface {
	// Search gives clients of an application and the place to go on from: the
	// zero value where there are no more. The work of a call is bounded: where
	// few match there may be fewer than Limit, none even, and yet more to come.
	Search(ctx context.Context, applicationID string, search Search) ([]*Client, Place, error)
	// Pick gives the clients of these ids that there are, in no order.
	Pick(ctx context.Context, applicationID string, ids []string) ([]*Client, error)
	// Expiring gives the ids of at most limit clients of an application that have a
	// secret which expires after a place and not after a moment, those first whose
	// secret expires first, and the place to go on from: the zero value where there
	// are no more. active nil: whether they are active or not. No more than 250
	// secrets are read, those of other applications included: there may be fewer than
	// limit, none even, and yet more to come.
	Expiring(ctx context.Context, applicationID string, after Expiry, until time.Time, active *bool, limit int) ([]string, Expiry, error)
}

// Expiry is a place in the list of secrets by when they expire.
type Expiry struct {
	At       time.Time
	Sequence int64 // of the client
}
