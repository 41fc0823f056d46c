// Package inventory looks over the clients of an application: lists of them by
// everything that can be asked for, when they were last used too, and their views
// with it. How they are searched is the store's; what a surface makes of a list
// is its own.
package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/usage"
)

// Inventory looks over clients. It is safe for concurrent use.
type Inventory struct {
	Search client.Searcher
	Usage  *usage.Meter
}

// Query is what is asked for; After of the Search is not looked at.
type Query struct {
	client.Search
	UnusedSince time.Time // not used since; zero: whenever. Then the list is in the order of the last use
	// A secret expires not before the one and not after the other; zero: whatever.
	// Then the list, if it is in no other order, is in that of the expiry, and who has
	// several such secrets may be on several pages.
	ExpiresFrom, ExpiresUntil time.Time
	At                        Place
}

// Place is a place in a list, of those by a time too; the zero value is its
// beginning.
type Place struct {
	client.Place
	Since int64 `json:"u,omitempty"` // microseconds since 1970, UTC
}

// Errors of a Query.
var (
	ErrPlace = errors.New("inventory: this is no place in this list")
	ErrText  = errors.New("inventory: this is no text")
)

// ParsePlace reads a place as String writes it; "" is the beginning.
func ParsePlace(text string) (at Place, err error) {
	if text == "" {
		return at, nil
	}
	if json.Unmarshal([]byte(text), &at) != nil || at == (Place{}) || at.Sequence < 0 ||
		strings.ContainsRune(at.NameKey+at.Version, 0) {
		return Place{}, ErrPlace
	}
	return at, nil
}

// String gives the place as a cursor; "" for the beginning.
func (p Place) String() string {
	if p == (Place{}) {
		return ""
	}
	text, _ := json.Marshal(p) //nolint:errchkjson // numbers and texts cannot fail
	return string(text)
}

// ValidText reports whether a text can be searched for: PostgreSQL takes no NUL
// and no broken UTF-8.
func ValidText(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// List gives clients and the place to go on from: the zero value where there are
// no more. A page may have fewer than q.Limit, none even, and yet more to come.
// ErrPlace says that the place is of another list, ErrText that a text is none.
func (i *Inventory) List(ctx context.Context, applicationID string, q Query) ([]*client.Client, Place, error) {
	if !ValidText(q.Text) || !ValidText(q.Tag) {
		return nil, Place{}, ErrText
	}
	q.Text = strings.TrimSpace(q.Text)
	if !q.UnusedSince.IsZero() || !q.ExpiresUntil.IsZero() {
		return i.walk(ctx, applicationID, &q)
	}
	if q.ByName() != (q.At.NameKey != "") && q.At != (Place{}) {
		return nil, Place{}, ErrPlace
	}
	q.After = q.At.Place
	found, next, err := i.Search.Search(ctx, applicationID, q.Search)
	return found, Place{Place: next}, err
}

// rounds bounds how often a page is filled up that is in the order of another
// thing than the clients, and maxExamined how many clients are read for it: at
// 25 µs each, 15 ms.
const (
	rounds      = 8
	maxExamined = 600
)

// walk looks for clients in the order of their last use or of the expiry of their
// secrets, and holds them to the rest of what is searched for.
func (i *Inventory) walk(ctx context.Context, applicationID string, q *Query) ([]*client.Client, Place, error) {
	var matching []*client.Client
	at, examined := q.At, 0
	for round := 0; round < rounds && examined < maxExamined; round++ {
		ids, next, err := i.step(ctx, applicationID, q, at, q.Limit-len(matching))
		if err != nil {
			return nil, Place{}, err
		}
		examined += len(ids)
		found, err := i.Search.Pick(ctx, applicationID, ids)
		if err != nil {
			return nil, Place{}, err
		}
		for _, id := range ids {
			is := func(c *client.Client) bool { return c.ID == id }
			if n := slices.IndexFunc(found, is); n >= 0 && q.admits(found[n]) && !slices.ContainsFunc(matching, is) {
				matching = append(matching, found[n])
			}
		}
		if at = next; at == (Place{}) || len(matching) == q.Limit {
			break
		}
	}
	return matching, at, nil
}

// step gives the ids of the next clients in the order of the list.
func (i *Inventory) step(ctx context.Context, applicationID string, q *Query, at Place, limit int) (ids []string, next Place, err error) {
	var since time.Time
	if at.Since != 0 {
		since = time.UnixMicro(at.Since).UTC()
	}
	if q.UnusedSince.IsZero() {
		if since.Before(q.ExpiresFrom) {
			since = q.ExpiresFrom
		}
		found, to, err := i.Search.Expiring(ctx, applicationID, client.Expiry{At: since, Sequence: at.Sequence}, q.ExpiresUntil, q.Active, limit)
		return found, placeOf(to.At, to.Sequence), err
	}
	unused, to, done, err := i.Usage.Unused(ctx, applicationID, q.UnusedSince, q.Active, usage.Place{Since: since, Sequence: at.Sequence}, limit)
	for _, u := range unused {
		ids = append(ids, u.ID)
	}
	if !done {
		next = placeOf(to.Since, to.Sequence)
	}
	return ids, next, err
}

// placeOf is the place after the client of this sequence at a time; the zero time
// is none.
func placeOf(at time.Time, sequence int64) Place {
	p := Place{Place: client.Place{Sequence: sequence}}
	if !at.IsZero() {
		p.Since = at.UnixMicro()
	}
	return p
}

// admits reports whether a client is one of those that are searched for, when it
// was last used aside.
func (q *Query) admits(c *client.Client) bool {
	return q.Matches(c) && q.Says(c) && (q.ExpiresUntil.IsZero() || slices.ContainsFunc(c.Secrets, func(s client.Secret) bool {
		return !s.ExpiresAt.IsZero() && !s.ExpiresAt.Before(q.ExpiresFrom) && !s.ExpiresAt.After(q.ExpiresUntil)
	}))
}

// Views gives clients their form, with when they were last used.
func (i *Inventory) Views(ctx context.Context, app *application.Application, issuer string, found ...*client.Client) ([]client.View, error) {
	sequences := make([]int64, len(found))
	for n, f := range found {
		sequences[n] = f.Sequence
	}
	used, err := i.Usage.Last(ctx, sequences...)
	if err != nil {
		return nil, err
	}
	views := make([]client.View, len(found))
	for n, f := range found {
		last := used[f.Sequence]
		views[n] = f.View(app, issuer, client.Usage{Client: last.Client, Secrets: last.Secrets})
	}
	return views, nil
}
