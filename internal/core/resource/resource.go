// Package resource owns the resources of an application: the APIs that tokens
// are for (RFC 8707), what a token for one may carry, who may look at it, and
// every change that can be made to one. Tokens themselves are package token's.
package resource

import (
	"context"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
)

// Resource is one resource as stored. Values handed out by a Registry are
// shared: they must not be changed.
type Resource struct {
	ApplicationID     string
	Identifier        string // compared exactly, as RFC 8707 §2 has it
	Name              string
	Scopes            []string // that a token for it may carry; empty: any
	Introspectors     []Introspector
	AccessTokenFormat lifetime.Format // "": that of the client
	Revision          int64           // grows with every change; set by the store
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// Introspector is a client that may introspect tokens for a resource.
type Introspector struct {
	ClientID string
	// Sequence is the client's own, set by the store: a client that is made anew
	// under the id of a deleted one takes nothing over.
	Sequence int64
}

// maxIdentifier bounds an identifier, in bytes: it stands in every token.
const maxIdentifier = 1000

// ValidIdentifier reports whether a text can be a resource's identifier: an
// absolute URI (RFC 3986 §4.3) without a fragment (RFC 8707 §2), and without
// credentials, since it stands in tokens. Those of http and https have a host.
func ValidIdentifier(text string) bool {
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok || len(text) > maxIdentifier || rest == "" || !validScheme(scheme) || !uriCharacters(rest) {
		return false
	}
	authority, hierarchical := strings.CutPrefix(rest, "//")
	if i := strings.IndexAny(authority, "/?"); i >= 0 {
		authority = authority[:i]
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		return hierarchical && validHost(authority)
	default:
		return !hierarchical || !strings.Contains(authority, "@")
	}
}

// validScheme: RFC 3986 §3.1.
func validScheme(scheme string) bool {
	for i := range len(scheme) {
		switch c := scheme[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case i > 0 && (c >= '0' && c <= '9' || strings.IndexByte("+-.", c) >= 0):
		default:
			return false
		}
	}
	return scheme != ""
}

// uriCharacters: RFC 3986 §2, less the one that begins a fragment.
func uriCharacters(text string) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~:/?[]@!$&'()*+,;=", c) >= 0:
		case c == '%' && i+2 < len(text) && hexadecimal(text[i+1]) && hexadecimal(text[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func hexadecimal(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// validHost takes a host, and a port after it; brackets stand around an IPv6
// address and nowhere else.
func validHost(authority string) bool {
	var host, port string
	var bracketed bool
	if inner, ok := strings.CutPrefix(authority, "["); ok {
		if host, port, bracketed = strings.Cut(inner, "]"); !bracketed || port != "" && port[0] != ':' {
			return false
		}
		port = strings.TrimPrefix(port, ":")
	} else {
		host, port, _ = strings.Cut(authority, ":")
	}
	return host != "" && !strings.ContainsAny(host, "@[]") && (bracketed || !strings.Contains(host, ":")) &&
		strings.Trim(port, "0123456789") == "" && len(port) <= 5
}

// Store keeps resources. Every method is one transaction and writes its audit
// event in it; nothing of a refused operation is stored.
type Store interface {
	// Create stores a new resource and sets its Revision and the Sequence of its
	// introspectors. An identifier in use is a fault Conflict whose Field is
	// "identifier"; scopes and clients that are not there are fault.Problems.
	Create(ctx context.Context, r *Resource, event audit.Event) error
	// Get gives a resource; a fault NotFound where there is none.
	Get(ctx context.Context, applicationID, identifier string) (*Resource, error)
	// List gives at most limit resources in the order of their identifiers, those
	// whose identifier is greater than after.
	List(ctx context.Context, applicationID, after string, limit int) ([]*Resource, error)
	// Change reads the resource, lets change alter it (anything but ApplicationID,
	// Identifier, Revision, CreatedAt) and stores it with the audit event that
	// change gives back. change may run more than once. NotFound as Get, problems
	// as Create, save that a scope which the resource listed before is not asked
	// about; an error of change is handed on and nothing is stored. Concurrent
	// changes do not overwrite each other.
	Change(ctx context.Context, applicationID, identifier string, change func(*Resource) (audit.Event, error)) (*Resource, error)
	// Delete removes a resource, after check, which may refuse. Tokens for it live
	// on.
	Delete(ctx context.Context, applicationID, identifier string, check func(*Resource) (audit.Event, error)) error
}
