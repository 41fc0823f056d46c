package token

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Service mints, introspects and revokes tokens. It is safe for concurrent use.
type Service struct {
	store    Store
	clients  *client.Registry
	ring     *key.Ring
	signers  *key.Signers
	now      func() time.Time
	families *cache.Cache[ID, *Family]
	verified *cache.Cache[[32]byte, reference] // by SHA-256 of the text
	sealers  sync.Map                          // number of a token key -> *sync.Pool of *sealer
}

// NewService makes a service that remembers at most cacheBytes: three quarters
// of it families, the rest digests of JWTs whose signature was good.
func NewService(store Store, clients *client.Registry, ring *key.Ring, signers *key.Signers, now func() time.Time, cacheBytes int) *Service {
	return &Service{
		store: store, clients: clients, ring: ring, signers: signers, now: now,
		families: cache.New(cacheBytes/4*3, weight),
		verified: cache.New(cacheBytes/4, func([32]byte, reference) int { return verifiedWeight }),
	}
}

// weight estimates the bytes that a family takes in memory.
func weight(_ ID, f *Family) int {
	const record = 420 // the struct, the map's slot, the ids
	n := record + len(f.Address)
	for _, s := range f.Scopes {
		n += 16 + len(s)
	}
	for _, a := range f.Audience {
		n += 16 + len(a)
	}
	return n
}

// Token is a token that is alive.
type Token struct {
	ID     string // `jti`
	Family *Family
	Client *client.Client // that it was issued to
	User   *user.User     // whom it speaks for; nil: the client itself

	// Of this token: a refresh may have asked for less than the Family has.
	Scopes    []string
	Audience  []string  // none: the issuer
	IssuedAt  time.Time // zero: not known
	ExpiresAt time.Time // zero: never
}

// maxText bounds the text of a token, in bytes. A JWT with the longest scope
// that can be asked for has about 7,000.
const maxText = 32 << 10

// Find gives the token of the application that a text is; false where it is
// anything else, or dead. A text that this server did not make costs no look at
// the database. An error says that it cannot be known: never guess then.
func (s *Service) Find(ctx context.Context, app *application.Application, text string) (Token, bool, error) {
	if len(text) > maxText {
		return Token{}, false, nil
	}
	if strings.HasPrefix(text, accessPrefix) {
		return s.findOpaque(ctx, app, text)
	}
	r, ok, err := s.verify(ctx, app.ID, text)
	if !ok || err != nil {
		return Token{}, false, err
	}
	f, ok, err := s.family(ctx, app.ID, r)
	if !ok || err != nil {
		return Token{}, false, err
	}
	return s.alive(ctx, r, f)
}

func (s *Service) findOpaque(ctx context.Context, app *application.Application, text string) (Token, bool, error) {
	o, ok := parseOpaque(text)
	if !ok {
		return Token{}, false, nil
	}
	secret, ok := s.ring.TokenKey(o.key)
	if !ok {
		return Token{}, false, nil
	}
	sealers := s.pool(o.key, secret)
	sealer := sealers.Get().(*sealer) //nolint:forcetypeassert // nothing else is in it
	defer sealers.Put(sealer)
	if tag := sealer.tag(&o, app.ID); !hmac.Equal(tag[:], o.tag[:]) {
		return Token{}, false, nil
	}
	f, ok, err := s.family(ctx, app.ID, o.reference)
	if !ok || err != nil {
		return Token{}, false, err
	}
	if mac := sealer.full(&o, f); f.TokenKey != o.key || !hmac.Equal(mac[:], o.mac[:]) {
		return Token{}, false, nil
	}
	return s.alive(ctx, o.reference, f)
}

// pool gives the sealers of a token key. There are as many pools as the ring has
// keys: the number was looked up there.
func (s *Service) pool(number int32, secret [32]byte) *sync.Pool {
	p, ok := s.sealers.Load(number)
	if !ok {
		p, _ = s.sealers.LoadOrStore(number, &sync.Pool{New: func() any { return newSealer(secret) }})
	}
	return p.(*sync.Pool) //nolint:forcetypeassert // nothing else is stored
}

// family gives the family that a token claims to be of, from memory or from the
// store. A generation that the row has not reached was never issued.
func (s *Service) family(ctx context.Context, applicationID string, r reference) (*Family, bool, error) {
	f, err := s.families.Load(r.id, func() (*Family, error) { return s.store.Get(ctx, applicationID, r.id) })
	if fault.KindOf(err) == fault.NotFound {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the token's family: %w", err)
	}
	return f, f.ApplicationID == applicationID && r.generation >= 0 && r.generation <= f.Generation, nil
}

// alive tells whether what was found has neither been taken back nor ended. The
// client is looked at each time: one write to it kills all its tokens.
func (s *Service) alive(ctx context.Context, r reference, f *Family) (Token, bool, error) {
	if !f.RevokedAt.IsZero() || !f.Never() && !s.now().Before(f.AccessExpiresAt) {
		return Token{}, false, nil
	}
	c, err := s.clients.Get(ctx, f.ApplicationID, f.ClientID)
	if fault.KindOf(err) == fault.NotFound {
		return Token{}, false, nil
	}
	if err != nil {
		return Token{}, false, fmt.Errorf("read the token's client: %w", err)
	}
	if c.Inactive || c.Era != f.ClientEra {
		return Token{}, false, nil
	}
	return Token{
		ID: r.String(), Family: f, Client: c,
		Scopes: f.Scopes, Audience: f.Audience, IssuedAt: f.IssuedAt, ExpiresAt: f.AccessExpiresAt,
	}, true, nil
}

// Void forgets what is remembered of a family. Whoever changes one calls it
// after the commit and before the answer.
func (s *Service) Void(id ID) { s.families.Void(id) }

// VoidAll forgets every family.
func (s *Service) VoidAll() { s.families.VoidAll() }

// Revoke takes back the family of a token, where the token is alive and the
// caller's own, or the caller an owner; else it does nothing, and says so.
func (s *Service) Revoke(ctx context.Context, app *application.Application, caller *client.Client, text string, source audit.Source) (bool, error) {
	t, ok, err := s.Find(ctx, app, text)
	if !ok || err != nil {
		return false, err
	}
	f := t.Family
	if f.ClientID != caller.ID && !caller.Settings.Features.Has(client.Owner) {
		return false, nil
	}
	event, err := s.revocation(source, f)
	if err != nil {
		return false, err
	}
	defer s.Void(f.ID)
	return s.store.Revoke(ctx, app.ID, f.ID, "revoked", event)
}

// state is a family as its audit events show it.
func state(f *Family, name string) (json.RawMessage, error) {
	return json.Marshal(struct {
		Client string `json:"client_id"`
		State  string `json:"state"`
	}{f.ClientID, name})
}
