package token

import (
	"context"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
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

var errLater = fault.Unavailablef(nil, "This grant is not served yet.")

// Code makes an authorization code: one row, a family at generation 0.
func (s *Service) Code(ctx context.Context, a *Authorization) (string, error) { return "", errLater }

// Redeem exchanges an authorization code (RFC 6749 §4.1.3). What is refused is an
// *oauth.Error.
func (s *Service) Redeem(ctx context.Context, p *Presented) (*Minted, error) { return nil, errLater }

// Refresh exchanges a refresh token (RFC 6749 §6). What is refused is an
// *oauth.Error.
func (s *Service) Refresh(ctx context.Context, p *Presented) (*Minted, error) { return nil, errLater }

// Implicit makes what the implicit grant answers with: an access token, an
// id_token, or both. An id_token by itself leaves no row.
func (s *Service) Implicit(ctx context.Context, a *Authorization, access, id bool) (*Minted, error) {
	return nil, errLater
}

// Password makes what the grant `password` answers with (RFC 6749 §4.3); never a
// refresh token.
func (s *Service) Password(ctx context.Context, a *Authorization) (*Minted, error) {
	return nil, errLater
}

// RevokeFor takes back the live families of a user, of one client or, where
// clientID is "", of all; it says how many they were.
func (s *Service) RevokeFor(ctx context.Context, source audit.Source, applicationID, userID, clientID string) (int, error) {
	return 0, errLater
}

// IDType is the `typ` of an ID token. With it, and nothing else, one comes back
// as a hint.
const IDType = "JWT"
