package token

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Authorization is what a user, and the server, agreed to let a client have.
type Authorization struct {
	Application *application.Application
	Client      *client.Client // its era is that of what is minted
	Issuer      string         // URL of the application
	User        *user.User     // so is the user's

	// Of the session in which the user agreed; zero where there is none.
	SID      string // public id: `sid`
	AuthTime time.Time
	AMR      []string // RFC 8176
	ACR      string

	Scopes        []string // granted
	Audience      []string // resources (RFC 8707); none: the issuer
	Format        lifetime.Format
	RedirectURI   string // as sent; "" where the request had none
	CodeChallenge string // S256; "" where the request had none
	Nonce         string
	Claims        *oauth.ClaimsRequest // the parameter `claims`; nil: none
	Address       netip.Addr           // the peer's
}

// Presented is a code or a refresh token as a client presents it.
type Presented struct {
	Application *application.Application
	Client      *client.Client // as authenticated
	Issuer      string         // URL of the application
	Text        string
	RedirectURI string   // of a code
	Verifier    string   // of a code: `code_verifier`
	Scopes      []string // asked for; none: all that was granted
	Resources   []string // asked for (RFC 8707 §2.2); none: all that were granted
	Source      audit.Source
}

// grant begins the family of what a user agreed to.
func (s *Service) grant(a *Authorization, grant oauth.GrantType) *Family {
	f := s.begin(&Grant{
		Application: a.Application, Client: a.Client, GrantType: grant,
		Scopes: a.Scopes, Audience: owned(a.Audience), Address: a.Address,
	})
	f.UserID, f.UserEra, f.SID = a.User.UUID, a.User.Era, a.SID
	f.Details = Details{
		RedirectURI: strings.Clone(a.RedirectURI), CodeChallenge: strings.Clone(a.CodeChallenge), Nonce: strings.Clone(a.Nonce),
		AMR: a.AMR, ACR: a.ACR, Claims: a.Claims,
	}
	if !a.AuthTime.IsZero() {
		f.Details.AuthTime = a.AuthTime.Unix()
	}
	return f
}

// Code makes an authorization code: one row, a family at generation 0. It comes
// back once that is on disk.
func (s *Service) Code(ctx context.Context, a *Authorization) (string, error) {
	f := s.grant(a, oauth.AuthorizationCode)
	f.Format = a.Client.Settings.AccessToken.AccessTokenFormat() // until it is redeemed
	f.AccessExpiresAt = f.IssuedAt.Add(a.Application.Settings.CodeLife())
	text, err := s.seal(codeKind, f, f.Generation, nil)
	if err != nil {
		return "", err
	}
	return text, s.keep(ctx, f)
}

// Implicit makes what the implicit grant answers with (RFC 6749 §4.2, OpenID
// Connect Core 1.0 §3.2): an access token, an id_token, or both. An id_token by
// itself leaves no row.
func (s *Service) Implicit(ctx context.Context, a *Authorization, access, id bool) (*Minted, error) {
	f := s.grant(a, oauth.Implicit)
	if access {
		return s.whole(ctx, a, f, id)
	}
	minted := &Minted{Scopes: f.Scopes}
	if !id {
		return minted, nil
	}
	var err error
	minted.IDToken, err = s.identify(ctx, &identity{
		application: a.Application, issuer: a.Issuer, user: a.User, family: f, scopes: f.Scopes, alone: true,
	})
	return minted, err
}

// Password makes what the grant `password` answers with (RFC 6749 §4.3); never a
// refresh token.
func (s *Service) Password(ctx context.Context, a *Authorization) (*Minted, error) {
	f := s.grant(a, oauth.Password)
	f.Details.AuthTime = f.IssuedAt.Unix() // the password came with the request
	return s.whole(ctx, a, f, slices.Contains(a.Scopes, oauth.ScopeOpenID))
}

// whole makes an access token of all that a user agreed to, an id_token beside it
// where id says so, and stores the family.
func (s *Service) whole(ctx context.Context, a *Authorization, f *Family, id bool) (*Minted, error) {
	life := f.setAccess(a.Client, a.Format, f.IssuedAt)
	token := f.latest()
	minted := &Minted{Scopes: f.Scopes, Lifetime: life}
	var err error
	if minted.Text, err = s.access(ctx, a.Application, a.Issuer, f, &token); err != nil {
		return nil, err
	}
	if id {
		minted.IDToken, err = s.identify(ctx, &identity{
			application: a.Application, issuer: a.Issuer, user: a.User, family: f, scopes: f.Scopes, access: minted.Text,
		})
		if err != nil {
			return nil, err
		}
	}
	return minted, s.keep(ctx, f)
}

// RevokeFor takes back the live families of a user, of one client or, where
// clientID is "", of all; it says how many they were.
func (s *Service) RevokeFor(ctx context.Context, source audit.Source, applicationID, userID, clientID string) (int, error) {
	if userID == "" {
		return 0, nil // it would be everybody
	}
	return s.RevokeAll(ctx, source, applicationID, Selection{ClientID: clientID, UserID: userID})
}
