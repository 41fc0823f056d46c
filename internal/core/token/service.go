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
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Registries are what the service looks up.
type Registries struct {
	Clients   *client.Registry
	Users     *user.Registry
	Scopes    *scope.Registry
	Resources *resource.Registry
}

// Service mints, exchanges, introspects and revokes tokens. It is safe for
// concurrent use.
type Service struct {
	store     Store
	clients   *client.Registry
	users     *user.Registry
	scopes    *scope.Registry
	resources *resource.Registry
	ring      *key.Ring
	signers   *key.Signers
	now       func() time.Time
	families  *cache.Cache[ID, *Family]
	verified  *cache.Cache[[32]byte, proof] // by SHA-256 of the text
	sealers   sync.Map                      // number of a token key -> *sync.Pool of *sealer
}

// NewService makes a service that remembers at most cacheBytes: three quarters
// of it families, the rest digests of JWTs whose signature was good.
func NewService(store Store, r Registries, ring *key.Ring, signers *key.Signers, now func() time.Time, cacheBytes int) *Service {
	return &Service{
		store: store, clients: r.Clients, users: r.Users, scopes: r.Scopes, resources: r.Resources,
		ring: ring, signers: signers, now: now,
		families: cache.New(cacheBytes/4*3, weight),
		verified: cache.New(cacheBytes/4, proofWeight),
	}
}

// weight estimates the bytes that a family takes in memory.
func weight(_ ID, f *Family) int {
	const record = 860 // the struct, the map's slot, the ids
	d, l := &f.Details, &f.Latest
	n := record + len(f.Address) + len(d.RedirectURI) + len(d.Nonce)
	for _, list := range [...][]string{f.Scopes, f.Audience, d.AMR, l.AskedScopes, l.AskedResources, l.Scopes, l.Audience} {
		for _, word := range list {
			n += 16 + len(word)
		}
	}
	if d.Claims != nil {
		n += 200 * (len(d.Claims.UserInfo) + len(d.Claims.IDToken))
	}
	return n
}

// Token is a token that is alive.
type Token struct {
	ID     string // `jti`
	Family *Family
	Client *client.Client // that it was issued to
	User   *user.User     // whom it speaks for; nil: the client itself

	Refresh bool // it is a refresh token, good for the token endpoint alone

	// Of this token: a refresh may have asked for less than the Family has.
	Scopes    []string
	Audience  []string  // none: the issuer
	IssuedAt  time.Time // zero: not known
	ExpiresAt time.Time // zero: never
}

// maxText bounds the text of a token, in bytes. A JWT with the longest scope
// that can be asked for has about 7,000.
const maxText = 32 << 10

// Find gives the access token of the application that a text is; false where it
// is anything else, or dead. A text that this server did not make costs no look
// at the database. An error says that it cannot be known: never guess then.
func (s *Service) Find(ctx context.Context, app *application.Application, text string) (Token, bool, error) {
	if len(text) > maxText {
		return Token{}, false, nil
	}
	if strings.HasPrefix(text, accessKind.prefix) {
		return s.findOpaque(ctx, app, text)
	}
	p, fresh, ok, err := s.verify(ctx, app.ID, text)
	if !ok || err != nil {
		return Token{}, false, err
	}
	f, ok, err := s.family(ctx, app.ID, p.reference)
	if !ok || err != nil {
		return Token{}, false, err
	}
	if fresh != nil {
		p.narrow(f)
		s.verified.Fill(fresh.ticket, fresh.digest, p)
	}
	return s.alive(ctx, f, p.of())
}

func (s *Service) findOpaque(ctx context.Context, app *application.Application, text string) (Token, bool, error) {
	o, f, ok, err := s.open(ctx, accessKind, app.ID, text)
	if !ok || err != nil {
		return Token{}, false, err
	}
	a, ok := f.readExtra(&o)
	if !ok {
		return Token{}, false, nil
	}
	return s.alive(ctx, f, a)
}

// open reads a text of this server's own form and gives the family that it is
// of; false where the server did not make it.
func (s *Service) open(ctx context.Context, k kind, applicationID, text string) (o opaque, f *Family, ok bool, err error) {
	if len(text) > maxText {
		return o, nil, false, nil
	}
	if o, ok = parseOpaque(k, text); !ok {
		return o, nil, false, nil
	}
	secret, ok := s.ring.TokenKey(o.key)
	if !ok {
		return o, nil, false, nil
	}
	sealers := s.pool(o.key, secret)
	sealer := sealers.Get().(*sealer) //nolint:forcetypeassert // nothing else is in it
	defer sealers.Put(sealer)
	if tag := sealer.tag(k, &o, applicationID); !hmac.Equal(tag[:], o.tag[:]) {
		return o, nil, false, nil
	}
	if f, ok, err = s.family(ctx, applicationID, o.reference); !ok || err != nil {
		return o, nil, false, err
	}
	mac := sealer.mac(k, &o, f)
	return o, f, f.TokenKey == o.key && hmac.Equal(mac[:], o.mac[:]), nil
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
// store. A generation that the row has not reached was never issued, or the row
// is older than the token (a restore). What is remembered may be older, too:
// another node rotated.
func (s *Service) family(ctx context.Context, applicationID string, r reference) (*Family, bool, error) {
	f, err := s.families.Load(r.id, func() (*Family, error) { return s.store.Get(ctx, applicationID, r.id) })
	if err == nil && r.generation > f.Generation && f.ApplicationID == applicationID {
		f, err = s.reread(ctx, applicationID, r.id)
	}
	if fault.KindOf(err) == fault.NotFound {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the token's family: %w", err)
	}
	return f, f.ApplicationID == applicationID && r.generation >= 0 && r.generation <= f.Generation, nil
}

// reread gives a family from the store, whatever is remembered.
func (s *Service) reread(ctx context.Context, applicationID string, id ID) (*Family, error) {
	ticket := s.families.Ticket(id)
	f, err := s.store.Get(ctx, applicationID, id)
	if err == nil {
		s.families.Fill(ticket, id, f)
	}
	return f, err
}

// alive tells whether an access token that was found has neither been taken back
// nor ended. Client and user are looked at each time: one write to either kills
// all that it was given.
func (s *Service) alive(ctx context.Context, f *Family, a access) (Token, bool, error) {
	if !a.expires.IsZero() && !s.now().Before(a.expires) {
		return Token{}, false, nil
	}
	t, ok, err := s.standing(ctx, f)
	if !ok || err != nil {
		return Token{}, false, err
	}
	t.ID = reference{f.ID, a.generation}.String()
	t.Scopes, t.Audience, t.IssuedAt, t.ExpiresAt = a.scopesOf(f), a.audienceOf(f), a.issued, a.expires
	return t, true, nil
}

// standing gives a family with its client and its user; false where any of them
// is dead.
func (s *Service) standing(ctx context.Context, f *Family) (Token, bool, error) {
	if !f.RevokedAt.IsZero() {
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
	u, ok, err := s.owner(ctx, f)
	return Token{Family: f, Client: c, User: u}, ok, err
}

// Inspect is Find, for refresh tokens too: one that is out and can be exchanged.
func (s *Service) Inspect(ctx context.Context, app *application.Application, text string) (Token, bool, error) {
	if !strings.HasPrefix(text, refreshKind.prefix) {
		return s.Find(ctx, app, text)
	}
	o, f, ok, err := s.open(ctx, refreshKind, app.ID, text)
	if !ok || err != nil {
		return Token{}, false, err
	}
	if o.generation != f.RefreshGeneration || !s.now().Before(f.RefreshExpiresAt) {
		return Token{}, false, nil
	}
	t, ok, err := s.standing(ctx, f)
	if !ok || err != nil {
		return Token{}, false, err
	}
	setting := &t.Client.Settings.Refresh
	if setting.Limit != nil && int64(f.Refreshes) >= *setting.Limit {
		return Token{}, false, nil
	}
	// It is for this server alone, whatever its access tokens are for.
	t.Refresh, t.Scopes, t.IssuedAt, t.ExpiresAt = true, f.Scopes, f.refreshIssuedAt(), f.RefreshExpiresAt
	return t, true, nil
}

// Void forgets what is remembered of a family. Whoever changes one calls it
// after the commit and before the answer.
func (s *Service) Void(id ID) { s.families.Void(id) }

// VoidAll forgets every family.
func (s *Service) VoidAll() { s.families.VoidAll() }

// VoidVerified forgets whose signatures were good. It is for when a key that made
// some is trusted no more.
func (s *Service) VoidVerified() { s.verified.VoidAll() }

// Revoke takes back the family of an access or refresh token, where the token is
// the caller's own, or the caller an owner; else it does nothing, and says so. An
// access token must be alive; a refresh token may have been exchanged: whoever
// lost the answer can still end the family.
func (s *Service) Revoke(ctx context.Context, app *application.Application, caller *client.Client, text string, source audit.Source) (bool, error) {
	f, ok, err := s.revocable(ctx, app, text)
	if !ok || err != nil {
		return false, err
	}
	if f.ClientID != caller.ID && !caller.Settings.Features.Has(client.Owner) {
		return false, nil
	}
	event, err := s.revocation(source, f, "")
	if err != nil {
		return false, err
	}
	defer s.Void(f.ID)
	return s.store.Revoke(ctx, app.ID, f.ID, "revoked", event)
}

// revocable gives the family that a text can take back.
func (s *Service) revocable(ctx context.Context, app *application.Application, text string) (*Family, bool, error) {
	if !strings.HasPrefix(text, refreshKind.prefix) {
		t, ok, err := s.Find(ctx, app, text)
		return t.Family, ok, err
	}
	_, f, ok, err := s.open(ctx, refreshKind, app.ID, text)
	if !ok || err != nil {
		return nil, false, err
	}
	if end := f.EndsAt(); !end.IsZero() && !s.now().Before(end) {
		return nil, false, nil
	}
	_, ok, err = s.standing(ctx, f)
	return f, ok, err
}

// state is a family as its audit events show it.
func state(f *Family, of State, why string) (json.RawMessage, error) {
	return json.Marshal(struct {
		Client string `json:"client_id"`
		User   string `json:"user_id,omitempty"`
		State  State  `json:"state"`
		Why    string `json:"why,omitempty"`
	}{f.ClientID, f.UserID, of, why})
}
