package token

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
)

const idLength = 22 // characters

// ParseID reads what ID.String wrote.
func ParseID(text string) (id ID, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != len(id) || len(text) != idLength { // the decoder bears line breaks
		return id, false
	}
	return ID(raw), true
}

// State is what became of a family.
type State string

// The states. A family is removed soon after it has ended.
const (
	Live    State = "live"
	Expired State = "expired"
	Revoked State = "revoked"
)

// Why a family is revoked that was not revoked itself.
const (
	clientDeleted     = "client deleted"
	clientDeactivated = "client deactivated"
	clientRevoked     = "client's tokens revoked" // all of them at once, or by a deactivation before
	userDeleted       = "user deleted"
	userDeactivated   = "user deactivated"
	userRevoked       = "user's tokens revoked" // by another password, or by a deactivation before
)

// Standing is a family and what became of it.
type Standing struct {
	*Family
	State State
	Why   string        // of Revoked
	Left  *client.Limit // refreshes that the client still has; nil: there never was a refresh token
}

// StandingOf tells what became of a family at the time now; c is its client, nil
// where that is gone, and so is u its user. What expired is not said to be
// revoked.
func StandingOf(f *Family, c *client.Client, u *user.User, now time.Time) Standing {
	end := f.EndsAt()
	switch {
	case !f.RevokedAt.IsZero():
		return Standing{f, Revoked, f.RevokedFor, nil}
	case !end.IsZero() && !now.Before(end):
		return Standing{f, Expired, "", nil}
	case c == nil:
		return Standing{f, Revoked, clientDeleted, nil}
	case c.Inactive:
		return Standing{f, Revoked, clientDeactivated, nil}
	case c.Era != f.ClientEra:
		return Standing{f, Revoked, clientRevoked, nil}
	case f.UserID == "":
		return Standing{f, Live, "", nil}
	case u == nil:
		return Standing{f, Revoked, userDeleted, nil}
	case u.Inactive:
		return Standing{f, Revoked, userDeactivated, nil}
	case u.Era != f.UserEra:
		return Standing{f, Revoked, userRevoked, nil}
	default:
		return Standing{f, Live, "", nil}
	}
}

// Selection says which families are meant; what is empty does not narrow it.
type Selection struct {
	ClientID string
	UserID   string
	Scope    string // that the family carries
}

// Query asks for a page of the families of an application, newest first.
type Query struct {
	Selection
	State State // "": any
	After ID    // the zero value is the beginning: families older than this one
	Limit int   // at most so many; ≥ 1
	Now   time.Time
}

// MaxScan is how many families are read for one page, and in one step of a
// revocation: 5 ms, and 30 where nothing is in memory. A search for something rare gives short pages.
const MaxScan = 400

// MaxRevoke is how many families one step of a revocation takes back: it holds
// the one writer that SQLite has for about 10 ms.
const MaxRevoke = 500

// Page is a part of a list.
type Page struct {
	Families []Standing
	Next     ID   // where to go on
	More     bool // whether there may be more, however few Families there are
}

// List gives a page. A Scope or State that few families have makes pages short
// or empty though there are more.
func (s *Service) List(ctx context.Context, applicationID string, q Query) (Page, error) {
	q.Now = s.now()
	page, err := s.store.List(ctx, applicationID, q)
	if err != nil {
		return Page{}, fmt.Errorf("list token families: %w", err)
	}
	for i := range page.Families {
		f := &page.Families[i]
		if f.State != Live || !f.Refreshable() {
			continue
		}
		c, err := s.clients.Get(ctx, applicationID, f.ClientID)
		switch {
		case err == nil:
			f.Left = f.left(c)
		case fault.KindOf(err) != fault.NotFound:
			return Page{}, err
		}
	}
	return page, nil
}

// left gives how many refreshes the client still has; nil where there never was a
// refresh token.
func (f *Family) left(c *client.Client) *client.Limit {
	switch limit := c.Settings.Refresh.Limit; {
	case !f.Refreshable():
		return nil
	case f.RefreshGeneration == 0: // the last one was answered without a successor
		return &client.Limit{}
	case limit == nil:
		return &client.Limit{Unlimited: true}
	default:
		return &client.Limit{N: max(0, *limit-int64(f.Refreshes))}
	}
}

// Get gives one family; a fault NotFound where there is none.
func (s *Service) Get(ctx context.Context, applicationID string, id ID) (Standing, error) {
	f, err := s.store.Get(ctx, applicationID, id)
	if err != nil {
		return Standing{}, err
	}
	c, err := s.clients.Get(ctx, applicationID, f.ClientID)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return Standing{}, err
	}
	var u *user.User
	if f.UserID != "" {
		u, err = s.users.Get(ctx, applicationID, f.UserID)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return Standing{}, err
		}
	}
	standing := StandingOf(f, c, u, s.now())
	if standing.State == Live {
		standing.Left = f.left(c)
	}
	return standing, nil
}

// RevokeFamily takes back one family, whosever it is, and gives what became of
// it. One that had ended stays as it was.
func (s *Service) RevokeFamily(ctx context.Context, source audit.Source, applicationID string, id ID) (Standing, error) {
	standing, err := s.Get(ctx, applicationID, id)
	if err != nil || standing.State != Live {
		return standing, err
	}
	event, err := s.revocation(source, standing.Family, "")
	if err != nil {
		return Standing{}, err
	}
	defer s.Void(id)
	if _, err := s.store.Revoke(ctx, applicationID, id, "revoked", event); err != nil {
		return Standing{}, err
	}
	return s.Get(ctx, applicationID, id)
}

// MaxCount is how far the live families of a client are counted before all of
// them are revoked: about a fifth of a second.
const MaxCount = 100_000

var errSelection = fault.Invalidf("client_id", "Say which tokens: at least one of client_id, user_id and scope.")

// RevokeAll takes back every live family of a selection, which must say
// something, and says how many they were.
//
// All families of a client die by one write, however many there are, as when it
// is deactivated; they are counted before, up to MaxCount, so that what is
// issued in between dies uncounted. Those of a user, and those that carry a
// scope, are taken back in steps, newest first, each one transaction with one
// audit event; where it fails or ctx ends on the way, the steps before stay, and
// how many they took back is said with the error.
func (s *Service) RevokeAll(ctx context.Context, source audit.Source, applicationID string, selection Selection) (revoked int, err error) {
	switch {
	case selection == Selection{}:
		return 0, errSelection
	case selection.Scope == "" && selection.UserID == "":
		return s.revokeClient(ctx, source, applicationID, selection.ClientID)
	}
	step := Query{Selection: selection, Limit: MaxScan, Now: s.now()}
	for {
		ids, next, more, err := s.store.RevokeStep(ctx, applicationID, step, "revoked", func(ids []ID) (audit.Event, error) {
			return s.revocations(source, applicationID, selection, len(ids))
		})
		for _, id := range ids {
			s.Void(id)
		}
		revoked += len(ids)
		if err != nil {
			return revoked, fmt.Errorf("revoke token families: %w", err)
		}
		if !more {
			return revoked, nil
		}
		step.After = next
	}
}

// revokeClient ends the era of a client. One that is inactive or gone has no
// live family.
func (s *Service) revokeClient(ctx context.Context, source audit.Source, applicationID, clientID string) (int, error) {
	c, err := s.clients.Get(ctx, applicationID, clientID)
	if fault.KindOf(err) == fault.NotFound {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	live, err := s.store.CountLive(ctx, c.Era, c.ID, s.now(), MaxCount)
	if err != nil || live.N == 0 || c.Inactive {
		return 0, err
	}
	event, err := s.revocations(source, applicationID, Selection{ClientID: clientID}, live.N)
	if err != nil {
		return 0, err
	}
	if err := s.clients.EndEra(ctx, applicationID, clientID, event); err != nil {
		return 0, err
	}
	return live.N, nil
}

// Living is how many families of a client live.
type Living struct {
	N       int
	LastJWT time.Time // when the last of their newest JWTs expires; zero: there is none
}

// Living counts the live families of a client, up to limit: LastJWT is of those
// that were counted.
func (s *Service) Living(ctx context.Context, c *client.Client, limit int) (Living, error) {
	if c.Inactive {
		return Living{}, nil
	}
	return s.store.CountLive(ctx, c.Era, c.ID, s.now(), limit)
}

// revocation is the event of a family that is taken back; why is "" where
// somebody asked for it.
func (s *Service) revocation(source audit.Source, f *Family, why string) (event audit.Event, err error) {
	event = audit.New(source, f.ApplicationID, "token.revoke", "family:"+f.ID.String(), s.now())
	if event.Before, err = state(f, Live, ""); err != nil {
		return event, err
	}
	event.After, err = state(f, Revoked, why)
	return event, err
}

// revocations is the event of many.
func (s *Service) revocations(source audit.Source, applicationID string, what Selection, n int) (event audit.Event, err error) {
	event = audit.New(source, applicationID, "token.revoke", "families", s.now())
	event.After, err = json.Marshal(struct {
		ClientID string `json:"client_id,omitempty"`
		UserID   string `json:"user_id,omitempty"`
		Scope    string `json:"scope,omitempty"`
		Revoked  int    `json:"revoked"`
	}{what.ClientID, what.UserID, what.Scope, n})
	return event, err
}

// Left is a client.Limit that may not be there.
type Left struct{ limit *client.Limit }

// MarshalJSON writes a number, "unlimited" or null.
func (l Left) MarshalJSON() ([]byte, error) { return json.Marshal(l.limit) }

// View is a family as it is answered: every key is always there.
type View struct {
	ID               string     `json:"id"`
	ClientID         string     `json:"client_id"`
	UserID           *string    `json:"user_id"`
	GrantType        string     `json:"grant_type"`
	Scopes           []string   `json:"scopes"`
	Audience         []string   `json:"audience"`
	IssuedAt         time.Time  `json:"issued_at"`
	AccessExpiresAt  string     `json:"access_expires_at"`  // RFC 3339, or "never"
	RefreshExpiresAt *time.Time `json:"refresh_expires_at"` // null where there is no refresh token
	RefreshesLeft    Left       `json:"refreshes_left"`     // null where there never was one, or the family has ended
	LastRefreshedAt  *time.Time `json:"last_refreshed_at"`
	LastAddress      *string    `json:"last_address"`
	State            State      `json:"state"`
	Why              *string    `json:"why"` // of what is revoked
}

// View gives the family as it is answered. issuer is the audience of a token
// that is for no resource.
func (s Standing) View(issuer string) View {
	v := View{
		ID: s.ID.String(), ClientID: s.ClientID, GrantType: string(s.GrantType), Scopes: s.Scopes, Audience: s.Audience,
		IssuedAt: s.IssuedAt.UTC(), AccessExpiresAt: "never", RefreshesLeft: Left{s.Left}, State: s.State,
	}
	if v.Scopes == nil {
		v.Scopes = []string{}
	}
	if len(v.Audience) == 0 {
		v.Audience = []string{issuer}
	}
	if !s.Never() {
		v.AccessExpiresAt = s.AccessExpiresAt.UTC().Format(time.RFC3339)
	}
	if s.UserID != "" {
		v.UserID = &s.UserID
	}
	if s.RefreshGeneration > 0 {
		at := s.RefreshExpiresAt.UTC()
		v.RefreshExpiresAt = &at
	}
	if !s.RotatedAt.IsZero() {
		at := s.RotatedAt.UTC()
		v.LastRefreshedAt = &at
	}
	if s.Address != "" {
		v.LastAddress = &s.Address
	}
	if s.Why != "" {
		v.Why = &s.Why
	}
	return v
}
