package resource

import (
	"context"
	"slices"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// Registry gives resources from memory, where they are.
type Registry struct {
	store Store
	cache *cache.Cache[id, *Resource]
}

type id struct{ application, identifier string }

// NewRegistry makes a registry that remembers at most cacheBytes.
func NewRegistry(store Store, cacheBytes int) *Registry {
	return &Registry{store: store, cache: cache.New(cacheBytes, func(_ id, r *Resource) int {
		n := 300 + 2*len(r.Identifier) + len(r.Name) + 64*len(r.Introspectors) // the struct, the map's slot
		for _, s := range r.Scopes {
			n += 16 + len(s)
		}
		return n
	})}
}

// Get gives a resource; a fault NotFound where there is none. A client that was
// deleted since may be among its introspectors still.
func (r *Registry) Get(ctx context.Context, applicationID, identifier string) (*Resource, error) {
	return r.cache.Load(id{applicationID, identifier}, func() (*Resource, error) {
		if !ValidIdentifier(identifier) {
			return nil, errNoResource // no question for the database
		}
		return r.store.Get(ctx, applicationID, identifier)
	})
}

var errNoResource = fault.NotFoundf("There is no such resource.")

// Void forgets what is remembered of a resource. Whoever changes one calls it
// after the commit and before the answer.
func (r *Registry) Void(applicationID, identifier string) {
	r.cache.Void(id{applicationID, identifier})
}

// VoidAll forgets every resource.
func (r *Registry) VoidAll() { r.cache.VoidAll() }

// MayIntrospect reports whether a client, by its Sequence, may look at a token
// whose audience this is.
func (r *Registry) MayIntrospect(ctx context.Context, applicationID string, audience []string, sequence int64) (bool, error) {
	for _, identifier := range audience {
		found, err := r.Get(ctx, applicationID, identifier)
		switch {
		case fault.KindOf(err) == fault.NotFound:
		case err != nil:
			return false, err
		case slices.ContainsFunc(found.Introspectors, func(i Introspector) bool { return i.Sequence == sequence }):
			return true, nil
		}
	}
	return false, nil
}

// Target is what a token is asked for: the resources that the request names.
// The zero value is a request that names none: the token is for the issuer.
type Target struct{ resources []*Resource }

// maxResources is how many resources a token can be for: its size is bounded.
const maxResources = 10

// Target looks up what the parameters `resource` of a request name (RFC 8707
// §2). An unknown one is refused, with an *oauth.Error.
func (r *Registry) Target(ctx context.Context, applicationID string, identifiers []string) (Target, error) {
	var t Target
	for _, identifier := range identifiers {
		found, err := r.Get(ctx, applicationID, identifier)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			return Target{}, oauth.InvalidTarget("A resource that was asked for is not known here; name one as it is registered.")
		case err != nil:
			return Target{}, err
		case slices.ContainsFunc(t.resources, func(o *Resource) bool { return o.Identifier == identifier }):
			continue
		case len(t.resources) == maxResources:
			return Target{}, oauth.InvalidTarget("A token is for at most 10 resources; ask for several tokens.")
		}
		t.resources = append(t.resources, found)
	}
	if t.mixed() {
		return Target{}, oauth.InvalidTarget("The resources want tokens of different formats; ask for a token each.")
	}
	return t, nil
}

// mixed reports whether two resources want different formats.
func (t Target) mixed() bool {
	format := t.Format()
	return slices.ContainsFunc(t.resources, func(r *Resource) bool {
		return r.AccessTokenFormat != "" && r.AccessTokenFormat != format
	})
}

// Format gives the token format that the resources want; "": that of the client.
func (t Target) Format() lifetime.Format {
	for _, r := range t.resources {
		if r.AccessTokenFormat != "" {
			return r.AccessTokenFormat
		}
	}
	return ""
}

// Audience gives the identifiers; nil where the token is for the issuer.
func (t Target) Audience() []string {
	if len(t.resources) == 0 {
		return nil
	}
	audience := make([]string, len(t.resources))
	for i, r := range t.resources {
		audience[i] = r.Identifier
	}
	return audience
}

// takes reports whether one of the resources takes the scope. OpenID Connect's own
// are for the issuer, whose userinfo endpoint takes every token: a client that
// signs its user in asks for a resource in the same request.
func (t Target) takes(name string) bool {
	return slices.ContainsFunc(t.resources, func(r *Resource) bool {
		return len(r.Scopes) == 0 || slices.Contains(r.Scopes, name)
	}) || scope.IsOpenID(name)
}

// Admit gives the scopes that a token for the resources carries, of those that
// the client's rules let pass. One that was asked for and that none of them takes
// is refused; where the request named none (asked is false) it is left out, and
// refused where none is left. A refusal is an *oauth.Error.
func (t Target) Admit(names []string, asked bool) ([]string, error) {
	if len(t.resources) == 0 || !slices.ContainsFunc(names, func(name string) bool { return !t.takes(name) }) {
		return names, nil
	}
	if asked {
		return nil, oauth.InvalidScope("A scope that was asked for is none of the resource; ask for fewer, or for another resource.")
	}
	left := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !t.takes(name) })
	if len(left) == 0 {
		return nil, oauth.InvalidScope("None of the scopes that this client is allowed is one of the resource; ask the operator to allow one.")
	}
	return left, nil
}
