// Package protocol owns what the endpoints of OAuth 2.x have in common: reading
// a form, authenticating a client, the JSON form of answers and of errors. Each
// endpoint is a package below it and mounts its own routes; what a client may
// and what becomes of tokens is decided in the core.
package protocol

import (
	"net/netip"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/web"
)

// Parts are what the endpoints work with.
type Parts struct {
	Applications *application.Registry
	Clients      *client.Registry
	Tokens       *token.Service
	SignIn       *signin.Service // how users prove who they are
	Scopes       *scope.Registry
	Resources    *resource.Registry
	Signers      *key.Signers
	Limits       *ratelimit.Limiter
	Usage        *usage.Meter
	Throttle     *web.Throttle // of failed authentications
	Issuers      application.Issuers
	PublishAhead time.Duration // of signing keys: bounds how long JWK sets are cached

	// SessionCookie gives the cookie of an application's sessions.
	SessionCookie func(applicationID string) web.Cookie

	// Lease says, with a fault Unavailable, that what is remembered may be out
	// of date. It is asked just before an answer that was made from memory.
	Lease func() error
}

// Issuer gives the issuer identifier of an application (RFC 8414 §2).
func (p *Parts) Issuer(applicationID string) string { return p.Issuers.Of(applicationID) }

// Paths of the endpoints, below an issuer.
const (
	AuthorizePath  = oauth.AuthorizePath
	TokenPath      = oauth.TokenPath
	IntrospectPath = oauth.IntrospectPath
	RevokePath     = oauth.RevokePath
	UserInfoPath   = oauth.UserInfoPath
	LogoutPath     = oauth.LogoutPath
	JWKSPath       = oauth.JWKSPath
	CheckPath      = oauth.CheckPath
)

// Call is a request whose client is authenticated, calls from an address that
// it is allowed, and no more often than it may. Of one that was refused on the
// way there those members are set that were known by then.
type Call struct {
	Application *application.Application
	Client      *client.Client
	Form        *Form
	Address     netip.Addr // the peer's
	RequestID   string
}

// Source is where a change comes from that the call makes.
func (c *Call) Source() audit.Source {
	return audit.Source{Actor: "client:" + c.Client.ID, Address: c.Address, RequestID: c.RequestID}
}
