package token

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Grant is what was decided: who gets a token, and for what.
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

// Mint makes an access token in the format of the resource, or else of the
// client; one that never expires is opaque, whoever wants what. It comes back
// once the family is on disk.
func (s *Service) Mint(ctx context.Context, g *Grant) (*Minted, error) {
	setting := g.Client.Settings.AccessToken
	now := s.now().UTC().Truncate(time.Microsecond) // what the databases keep
	f := &Family{
		ID:            NewID(now),
		ApplicationID: g.Application.ID,
		ClientID:      g.Client.ID,
		ClientEra:     g.Client.Era,
		GrantType:     g.GrantType,
		Scopes:        owned(g.Scopes),
		Audience:      g.Audience,
		Format:        setting.AccessTokenFormat(),
		IssuedAt:      now,
	}
	if g.Address.IsValid() {
		f.Address = g.Address.String()
	}
	life, never := setting.Lifetime()
	if g.Format != "" && !never {
		f.Format = g.Format
	}
	if !never {
		// `iat` and `exp` are whole seconds (RFC 7519 §2), and the row says what
		// the token says: it is dead here the moment it is dead elsewhere.
		f.AccessExpiresAt = now.Truncate(time.Second).Add(life)
	}
	text, err := s.text(ctx, g, f)
	if err != nil {
		return nil, err
	}
	if err := s.keep(ctx, f); err != nil {
		return nil, err
	}
	return &Minted{Text: text, Scopes: f.Scopes, Lifetime: life}, nil
}

// text makes the token's text, before its family is stored: what cannot be
// signed leaves no row.
func (s *Service) text(ctx context.Context, g *Grant, f *Family) (string, error) {
	number, secret := s.ring.CurrentTokenKey()
	f.TokenKey = number
	_, _ = rand.Read(f.Salt[:])
	if f.Format == lifetime.Opaque {
		o := opaque{key: number, reference: reference{f.ID, f.Generation}}
		sealers := s.pool(number, secret)
		sealer := sealers.Get().(*sealer) //nolint:forcetypeassert // nothing else is in it
		defer sealers.Put(sealer)
		sealer.seal(&o, f)
		return o.text(), nil
	}
	r := reference{f.ID, f.Generation}
	text, err := s.signers.Sign(ctx, f.ApplicationID, g.Application.Settings.Algorithm(), accessType, claims(f, r, g.Issuer), f.AccessExpiresAt)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return text, nil
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
