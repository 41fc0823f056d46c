package consent

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Service remembers consents. It is safe for concurrent use.
type Service struct {
	store   Store
	users   *user.Registry
	clients *client.Registry
	now     func() time.Time
	cache   *cache.Cache[pair, *Consent]
	revoke  Revoker
}

// pair is a user and a client.
type pair struct{ application, user, client string }

// Revoker takes back what a client holds of a user's: token families.
type Revoker func(ctx context.Context, source audit.Source, applicationID, userID, clientID string) (int, error)

// NewService makes a service that remembers at most cacheBytes. revoke is run
// when a consent is taken back.
func NewService(store Store, users *user.Registry, clients *client.Registry, revoke Revoker, now func() time.Time, cacheBytes int) *Service {
	return &Service{store: store, users: users, clients: clients, now: now, revoke: revoke, cache: cache.New(cacheBytes, func(_ pair, c *Consent) int {
		n := 400 // the struct, the map's slot and the ids
		for _, scope := range c.Scopes {
			n += 16 + len(scope)
		}
		return n
	})}
}

// Find gives what a user granted to a client; a fault NotFound where that is
// nothing.
func (s *Service) Find(ctx context.Context, applicationID, userID, clientID string) (*Consent, error) {
	// The client is remembered, too. One made anew under an id has its own sequence.
	c, err := s.clients.Get(ctx, applicationID, clientID)
	if err != nil {
		return nil, err
	}
	k := pair{applicationID, userID, clientID}
	found, err := s.cache.Load(k, func() (*Consent, error) { return s.store.Find(ctx, applicationID, userID, clientID) })
	if err == nil && found.ClientSequence != c.Sequence {
		s.cache.Void(k)
		return s.store.Find(ctx, applicationID, userID, clientID)
	}
	return found, err
}

// Get gives the consent of an id; a fault NotFound where there is none.
func (s *Service) Get(ctx context.Context, applicationID, id string) (*Consent, error) {
	return s.store.Get(ctx, applicationID, id)
}

// List gives consents of the application in the order in which they were made.
func (s *Service) List(ctx context.Context, applicationID string, filter Filter) ([]*Consent, error) {
	return s.store.List(ctx, applicationID, filter)
}

// Grant adds scopes to what a user granted to a client, and notes that he was
// asked just now.
func (s *Service) Grant(ctx context.Context, source audit.Source, applicationID, userID, clientID string, scopes []string) (*Consent, error) {
	return s.change(ctx, source, applicationID, userID, clientID, func(c *Consent) error {
		c.Scopes = append(slices.Clone(c.Scopes), scopes...)
		return nil
	})
}

// change edits a consent, an empty one where there is none.
func (s *Service) change(ctx context.Context, source audit.Source, applicationID, userID, clientID string, edit func(*Consent) error) (*Consent, error) {
	now := s.moment()
	defer s.cache.Void(pair{applicationID, userID, clientID})
	return s.store.Change(ctx, applicationID, userID, clientID, ident.Record(), func(c *Consent) (audit.Event, error) {
		event := audit.New(source, applicationID, "consent.grant", object(c), now)
		var err error
		if !c.GrantedAt.IsZero() {
			if event.Before, err = c.document(); err != nil {
				return event, err
			}
		}
		if err := edit(c); err != nil {
			return event, err
		}
		if c.GrantedAt.IsZero() {
			c.GrantedAt = now
		}
		slices.Sort(c.Scopes)
		c.Scopes, c.UpdatedAt = slices.Compact(c.Scopes), now
		event.After, err = c.document()
		return event, err
	})
}

// Revoke takes back what a user granted to a client, and with it every token
// family that the client has of the user. A fault NotFound where nothing was
// granted; the families die all the same.
func (s *Service) Revoke(ctx context.Context, source audit.Source, applicationID, userID, clientID string) error {
	if userID == "" || clientID == "" { // which would be those of all
		return errGone
	}
	defer s.cache.Void(pair{applicationID, userID, clientID})
	now := s.moment()
	err := s.store.Delete(ctx, applicationID, userID, clientID, func(c *Consent) (audit.Event, error) {
		event := audit.New(source, applicationID, "consent.revoke", object(c), now)
		var err error
		event.Before, err = c.document()
		return event, err
	})
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	s.cache.Void(pair{applicationID, userID, clientID}) // before the tokens die, so that no new ones are made
	if _, failed := s.revoke(ctx, source, applicationID, userID, clientID); failed != nil {
		return failed
	}
	return err
}

// Sweep removes at most limit consents of deleted clients, and says how many.
func (s *Service) Sweep(ctx context.Context, limit int) (int, error) {
	return s.store.RemoveOrphans(ctx, limit)
}

// VoidAll forgets every consent.
func (s *Service) VoidAll() { s.cache.VoidAll() }

// document is a consent as its audit events show it.
func (c *Consent) document() (json.RawMessage, error) {
	return json.Marshal(struct {
		User   string   `json:"user_id"`
		Client string   `json:"client_id"`
		Scopes []string `json:"scopes"`
	}{c.UserID, c.ClientID, c.Scopes})
}

// object names a consent in audit events.
func object(c *Consent) string { return "consent:" + c.ID }

// moment is now, in the microseconds that the databases keep.
func (s *Service) moment() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
