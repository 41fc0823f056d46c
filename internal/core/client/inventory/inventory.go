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
	At          Place
}

// Place is a place in a list, of those unused for long too; the zero value is its
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
	if !q.UnusedSince.IsZero() {
		return i.unused(ctx, applicationID, q)
	}
	if q.ByName() != (q.At.NameKey != "") && q.At != (Place{}) {
		return nil, Place{}, ErrPlace
	}
	q.After = q.At.Place
	found, next, err := i.Search.Search(ctx, applicationID, q.Search)
	return found, Place{Place: next}, err
}

// unusedRounds bounds how often a page of unused clients is filled up, and
// unusedExamined how many are read for it: at 25 µs each, 15 ms.
const (
	unusedRounds   = 8
	unusedExamined = 600
)

// unused looks for clients by when they were last used, and holds them to the
// rest of what is searched for.
func (i *Inventory) unused(ctx context.Context, applicationID string, q Query) ([]*client.Client, Place, error) {
	after := usage.Place{Sequence: q.At.Sequence}
	if q.At.Since != 0 {
		after.Since = time.UnixMicro(q.At.Since).UTC()
	}
	var matching []*client.Client
	examined := 0
	for round := 0; round < unusedRounds && examined < unusedExamined; round++ {
		unused, next, done, err := i.Usage.Unused(ctx, applicationID, q.UnusedSince, q.Active, after, q.Limit-len(matching))
		if err != nil {
			return nil, Place{}, err
		}
		examined += len(unused)
		ids := make([]string, len(unused))
		for n, u := range unused {
			ids[n] = u.ID
		}
		found, err := i.Search.Pick(ctx, applicationID, ids)
		if err != nil {
			return nil, Place{}, err
		}
		for _, id := range ids {
			n := slices.IndexFunc(found, func(f *client.Client) bool { return f.ID == id })
			if n >= 0 && q.Matches(found[n]) && q.Says(found[n]) {
				matching = append(matching, found[n])
			}
		}
		if done {
			return matching, Place{}, nil
		}
		if after = next; len(matching) == q.Limit {
			break
		}
	}
	place := Place{Place: client.Place{Sequence: after.Sequence}}
	if !after.Since.IsZero() {
		place.Since = after.Since.UnixMicro()
	}
	return matching, place, nil
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
