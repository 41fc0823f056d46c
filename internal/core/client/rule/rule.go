// Package rule says what a rule of an API client is. Each folder below it holds
// one: the setting as stored, what its zero value means, how it is validated
// and how it is checked when a client calls. The ordered list of the rules is
// in package client.
package rule

import (
	"net/netip"

	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Subject is what a rule knows of the client that it is a rule of.
type Subject struct {
	Kind        string   // web, spa, native, service, other
	Public      bool     // type public
	Features    []string // the Configuration API's features
	OAuth2      bool     // the application's security profile is oauth2, not oauth2.1
	ScopeNeeded bool     // the application's scope policy is enforced
}

// Request is what a rule may look at when a client asks for a token. A rule may
// narrow it: Scopes leaves the rules as what is granted.
type Request struct {
	Peer      netip.Addr
	GrantType oauth.GrantType
	Scopes    []string // as asked for; none where the parameter was absent or empty
	Granted   bool     // scopes were granted before: a code or a refresh token is exchanged
}

// Rule is one rule over its setting. Check answers with an *oauth.Error.
type Rule interface {
	Check(subject *Subject, request *Request) error
}
