// Package scope owns the scopes of an application: what each is called and whom
// it is for, and every change that can be made to one. Which client may have
// which is package client's; what a token carries is package token's.
package scope

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Kind says whom a scope is for.
type Kind string

// The kinds. The zero value counts as Any.
const (
	Any    Kind = "any"    // users and systems
	User   Kind = "user"   // who acts for a user: the grants that a user takes part in
	System Kind = "system" // who acts for itself: client credentials
	OpenID Kind = "openid" // OpenID Connect's own; as User
)

// Suits reports whether a token of the grant may carry a scope of the kind.
func (k Kind) Suits(grant oauth.GrantType) bool {
	switch k {
	case System:
		return grant == oauth.ClientCredentials
	case User, OpenID:
		return grant != oauth.ClientCredentials
	case Any:
	}
	return true
}

// Scope is one scope as stored. Values handed out by a Registry are shared: they
// must not be changed.
type Scope struct {
	ApplicationID string
	Name          string // a scope-token of RFC 6749 §3.3; unique without regard to case
	Description   string
	Kind          Kind
	RequiredRole  string   // that a user must have to be given it; "": none
	URLPatterns   []string // what it opens at gateways; none: nothing
	BuiltIn       bool     // of every application; it cannot be altered or deleted
	Revision      int64    // grows with every change; set by the store; 0: built in
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Prefix is that of the server's own scopes. No other scope begins with it.
const Prefix = "ostiary:"

// The server's own scopes, for clients.
const (
	Introspect = Prefix + "introspect" // to look at any token of the application
	Admin      = Prefix + "admin"      // to use the management API
)

// builtIn are in every application without being stored, in the order of their
// keys.
var builtIn = []Scope{
	{Name: "address", Kind: OpenID, Description: "The postal address (OpenID Connect Core 5.4)."},
	{Name: "email", Kind: OpenID, Description: "The e-mail address, and whether it was verified (OpenID Connect Core 5.4)."},
	{Name: "offline_access", Kind: OpenID, Description: "Access while the user is away (OpenID Connect Core 11)."},
	{Name: oauth.ScopeOpenID, Kind: OpenID, Description: "Who the user is (OpenID Connect Core 3.1.2.1)."},
	{Name: Admin, Kind: System, Description: "Everything that the management API offers."},
	{Name: Introspect, Kind: System, Description: "Introspection of every token of the application."},
	{Name: "phone", Kind: OpenID, Description: "The telephone number, and whether it was verified (OpenID Connect Core 5.4)."},
	{Name: "profile", Kind: OpenID, Description: "Name, picture and the like (OpenID Connect Core 5.4)."},
}

// Key is the form of a name by which it is unique. Names are ASCII.
func Key(name string) string { return strings.ToLower(name) }

// IsBuiltIn reports whether every application has this scope.
func IsBuiltIn(name string) bool { return findBuiltIn("", name) != nil }

// IsOpenID reports whether a scope is one of OpenID Connect's own.
func IsOpenID(name string) bool {
	s := findBuiltIn("", name)
	return s != nil && s.Kind == OpenID
}

// OpenIDNames gives OpenID Connect's own scopes, which every application has.
func OpenIDNames() []string {
	var names []string
	for i := range builtIn {
		if builtIn[i].Kind == OpenID {
			names = append(names, builtIn[i].Name)
		}
	}
	return names
}

// findBuiltIn gives a built-in scope as one of an application.
func findBuiltIn(applicationID, name string) *Scope {
	i := slices.IndexFunc(builtIn, func(s Scope) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return builtInOf(applicationID, i)
}

func builtInOf(applicationID string, i int) *Scope {
	s := builtIn[i]
	s.ApplicationID, s.BuiltIn = applicationID, true
	return &s
}

// Store keeps the scopes that are not built in. Every method is one transaction
// and writes its audit event in it; nothing of a refused operation is stored.
type Store interface {
	// Create stores a new scope and sets its Revision. A name in use is a fault
	// Conflict whose Field is "name".
	Create(ctx context.Context, s *Scope, event audit.Event) error
	// Get gives a scope by its exact name; a fault NotFound where there is none.
	Get(ctx context.Context, applicationID, name string) (*Scope, error)
	// List gives at most limit scopes in the order of their keys, those whose key
	// is greater than after.
	List(ctx context.Context, applicationID, after string, limit int) ([]*Scope, error)
	// Change reads the scope, lets change alter it (anything but ApplicationID,
	// Name, Revision, CreatedAt) and stores it with the audit event that change
	// gives back. change may run more than once. NotFound as Get; an error of
	// change is handed on and nothing is stored. Concurrent changes do not
	// overwrite each other.
	Change(ctx context.Context, applicationID, name string, change func(*Scope) (audit.Event, error)) (*Scope, error)
	// Delete removes a scope, after check, which may refuse. One that a client is
	// allowed, a resource lists or a live token carries is a fault Conflict. Of a
	// deletion and a client being allowed the scope at the same time, one fails.
	Delete(ctx context.Context, applicationID, name string, check func(*Scope) (audit.Event, error)) error
}
