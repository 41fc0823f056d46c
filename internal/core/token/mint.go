package token

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Grant is what was decided: which client gets a token for itself, and for what.
type Grant struct {
	Application *application.Application
	Client      *client.Client // as authenticated: its era is the token's
	Issuer      string         // URL of the application
	GrantType   oauth.GrantType
	Scopes      []string
	Audience    []string        // resources (RFC 8707); none: the issuer
	Format      lifetime.Format // that they want; "": that of the client
	Address     netip.Addr      // the peer's
}

// Minted is a token as answered.
type Minted struct {
	Text     string
	Scopes   []string
	Lifetime time.Duration // 0: never expires
	Refresh  string        // the refresh token; "": none
	IDToken  string        // "": none
}

// access is one access token of a family.
type access struct {
	generation int32
	scopes     []string  // nil: the family's
	audience   []string  // nil: the family's
	issued     time.Time // zero: not known
	expires    time.Time // zero: never
}

func (a *access) scopesOf(f *Family) []string {
	if a.scopes == nil {
		return f.Scopes
	}
	return a.scopes
}

func (a *access) audienceOf(f *Family) []string {
	if a.audience == nil {
		return f.Audience
	}
	return a.audience
}

// latest gives the access token that was minted last.
func (f *Family) latest() access {
	return access{
		generation: f.Generation, scopes: f.Latest.Scopes, audience: f.Latest.Audience,
		issued: f.issuedAt(), expires: f.AccessExpiresAt,
	}
}

// Mint makes an access token in the format of the resource, or else of the
// client; one that never expires is opaque, whoever wants what. It comes back
// once the family is on disk.
func (s *Service) Mint(ctx context.Context, g *Grant) (*Minted, error) {
	f := s.begin(g)
	life := f.setAccess(g.Client, g.Format, f.IssuedAt)
	a := f.latest()
	text, err := s.access(ctx, g.Application, g.Issuer, f, &a)
	if err != nil {
		return nil, err
	}
	if err := s.keep(ctx, f); err != nil {
		return nil, err
	}
	return &Minted{Text: text, Scopes: f.Scopes, Lifetime: life}, nil
}

// clock gives the time as the databases keep it.
func (s *Service) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// begin makes the family of a grant.
func (s *Service) begin(g *Grant) *Family {
	now := s.clock()
	f := &Family{
		ID:            NewID(now),
		ApplicationID: g.Application.ID,
		ClientID:      g.Client.ID,
		ClientEra:     g.Client.Era,
		GrantType:     g.GrantType,
		Scopes:        owned(g.Scopes),
		Audience:      g.Audience,
		IssuedAt:      now,
	}
	if g.Address.IsValid() {
		f.Address = g.Address.String()
	}
	f.TokenKey, _ = s.ring.CurrentTokenKey()
	_, _ = rand.Read(f.Salt[:])
	return f
}

// setAccess sets format and end of the family's next access token by the client's
// settings, and gives how long it lives; 0: it never expires. None outlives its
// family.
func (f *Family) setAccess(c *client.Client, format lifetime.Format, now time.Time) time.Duration {
	setting := c.Settings.AccessToken
	f.Format, f.AccessExpiresAt = setting.AccessTokenFormat(), time.Time{}
	// `iat` and `exp` are whole seconds (RFC 7519 §2), and the row says what the
	// token says: it is dead here the moment it is dead elsewhere.
	begin := now.Truncate(time.Second)
	life, endless := setting.Lifetime()
	if !endless {
		f.AccessExpiresAt = begin.Add(life)
		if format != "" {
			f.Format = format
		}
	}
	if end := f.FamilyExpiresAt; !end.IsZero() && (endless || end.Before(f.AccessExpiresAt)) {
		f.AccessExpiresAt, life = end, end.Sub(begin)
	}
	return life
}

// access makes the text of an access token. It is made before anything is stored:
// what cannot be signed leaves no row.
func (s *Service) access(ctx context.Context, app *application.Application, issuer string, f *Family, a *access) (string, error) {
	if f.Format == lifetime.Opaque {
		return s.seal(accessKind, f, a.generation, f.extra(a))
	}
	text, err := s.signers.Sign(ctx, f.ApplicationID, app.Settings.Algorithm(), accessType, claims(f, a, issuer), a.expires)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return text, nil
}

var errKey = errors.New("the token key of a family is not in the ring")

// seal makes a text of this server's own form.
func (s *Service) seal(k kind, f *Family, generation int32, extra []byte) (string, error) {
	secret, ok := s.ring.TokenKey(f.TokenKey)
	if !ok {
		return "", errKey
	}
	o := opaque{key: f.TokenKey, reference: reference{f.ID, generation}, extra: extra}
	sealers := s.pool(f.TokenKey, secret)
	sealer := sealers.Get().(*sealer) //nolint:forcetypeassert // nothing else is in it
	defer sealers.Put(sealer)
	sealer.seal(k, &o, f)
	return o.text(k), nil
}

// keep stores a family, and remembers it: a token is asked about soon after it
// was issued, if at all.
func (s *Service) keep(ctx context.Context, f *Family) error {
	ticket := s.families.Ticket(f.ID)
	died, err := s.store.Mint(ctx, f)
	for _, id := range died {
		s.Void(id)
	}
	if err != nil {
		return fmt.Errorf("store a token's family: %w", err)
	}
	s.families.Fill(ticket, f.ID, f)
	return nil
}

// owned copies scopes out of the request that they were read from, which a
// remembered family would else keep in memory.
func owned(scopes []string) []string {
	if len(scopes) == 0 {
		return nil
	}
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = strings.Clone(s)
	}
	return out
}
