package scope

import (
	"context"
	"slices"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Registry gives scopes from memory, where they are.
type Registry struct {
	store     Store
	cache     *cache.Cache[id, *Scope]
	published *cache.Cache[string, *Published]
	guarded   *cache.Cache[string, bool] // by application: whether a scope of it has a URL pattern
}

type id struct{ application, name string }

// NewRegistry makes a registry that remembers at most cacheBytes.
func NewRegistry(store Store, cacheBytes int) *Registry {
	return &Registry{
		store: store,
		cache: cache.New(cacheBytes/4*3, func(_ id, s *Scope) int {
			n := 300 + 2*len(s.Name) + len(s.Description) + len(s.RequiredRole) // the struct, the map's slot
			for _, p := range s.URLPatterns {
				n += 16 + len(p)
			}
			return n
		}),
		published: cache.New(cacheBytes/4, func(_ string, p *Published) int {
			n := 200
			for _, name := range p.Names {
				n += 16 + len(name)
			}
			return n
		}),
		guarded: cache.New(cacheBytes/16, func(string, bool) int { return 100 }),
	}
}

// Get gives a scope of the application, a built-in one too; a fault NotFound
// where there is none.
func (r *Registry) Get(ctx context.Context, applicationID, name string) (*Scope, error) {
	return r.cache.Load(id{applicationID, name}, func() (*Scope, error) {
		if s := findBuiltIn(applicationID, name); s != nil {
			return s, nil
		}
		if !validName(name) {
			return nil, errNoScope // no question for the database
		}
		return r.store.Get(ctx, applicationID, name)
	})
}

// Scopes gives the kinds of those of the scopes named that there are.
func (r *Registry) Scopes(ctx context.Context, applicationID string, names []string) (map[string]Kind, error) {
	kinds := make(map[string]Kind, len(names))
	for _, name := range names {
		s, err := r.Get(ctx, applicationID, name)
		switch {
		case err == nil:
			kinds[name] = s.Kind
		case fault.KindOf(err) != fault.NotFound:
			return nil, err
		}
	}
	return kinds, nil
}

// Admit gives the scopes that a token of the grant carries, of those that the
// client's rules let pass. Kinds are looked at here, at each issue, since they
// may change after a client was allowed the scope. One that was asked for and
// does not suit is refused; where the request named none (asked is false), those
// that do not suit are left out, and it is refused where none is left. A refusal
// is an *oauth.Error.
func (r *Registry) Admit(ctx context.Context, applicationID string, grant oauth.GrantType, names []string, asked bool) ([]string, error) {
	for i, name := range names {
		suits, err := r.suits(ctx, applicationID, grant, name)
		if err != nil {
			return nil, err
		}
		if suits {
			continue
		}
		if asked {
			return nil, oauth.InvalidScope("A scope that was asked for is not there any more, or is not for this grant type; ask for fewer.")
		}
		return r.suiting(ctx, applicationID, grant, names, i)
	}
	return names, nil
}

// suiting gives those of the names that suit; the first n are known to.
func (r *Registry) suiting(ctx context.Context, applicationID string, grant oauth.GrantType, names []string, n int) ([]string, error) {
	left := slices.Clone(names[:n])
	for _, name := range names[n:] {
		suits, err := r.suits(ctx, applicationID, grant, name)
		if err != nil {
			return nil, err
		}
		if suits {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		return nil, oauth.InvalidScope("None of the scopes that this client is allowed is for this grant type; ask the operator to allow one.")
	}
	return left, nil
}

func (r *Registry) suits(ctx context.Context, applicationID string, grant oauth.GrantType, name string) (bool, error) {
	s, err := r.Get(ctx, applicationID, name)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil && s.Kind.Suits(grant), err
}

// ForUser gives those of the scopes that a user of these roles may be given: the
// ones that require none, or one of them. What is not there any more is left out
// too. Where none is left of those that there were, it is refused with an
// *oauth.Error. It is asked whenever a user's token is issued, since both change.
func (r *Registry) ForUser(ctx context.Context, applicationID string, scopes, roles []string) ([]string, error) {
	may, err := r.those(ctx, applicationID, scopes, func(s *Scope) bool { return s.RequiredRole == "" || slices.Contains(roles, s.RequiredRole) })
	if err == nil && len(may) == 0 && len(scopes) > 0 {
		err = oauth.InvalidScope("The user has not the role that the scopes asked for require; ask for others, or have the user given the role.")
	}
	return may, err
}

// Suiting gives those of the scopes that there are still and that a token of the
// grant may carry.
func (r *Registry) Suiting(ctx context.Context, applicationID string, grant oauth.GrantType, scopes []string) ([]string, error) {
	return r.those(ctx, applicationID, scopes, func(s *Scope) bool { return s.Kind.Suits(grant) })
}

// those gives the scopes that there are and that are wanted.
func (r *Registry) those(ctx context.Context, applicationID string, names []string, wanted func(*Scope) bool) ([]string, error) {
	found := make([]string, 0, len(names))
	for _, name := range names {
		s, err := r.Get(ctx, applicationID, name)
		switch {
		case fault.KindOf(err) == fault.NotFound:
		case err != nil:
			return nil, err
		case wanted(s):
			found = append(found, name)
		}
	}
	return found, nil
}

// Published are the scopes that an application announces.
type Published struct {
	Names []string // in the order of their keys
}

// maxPublished is how many scopes are announced at most. RFC 8414 §2 leaves it
// to the server which; beyond this, none.
const maxPublished = 200

// Published gives the scopes that the application announces: those that its
// operators made and a grant of the server can give. Until something changes
// each call gives the same pointer.
func (r *Registry) Published(ctx context.Context, applicationID string, grants []oauth.GrantType) (*Published, error) {
	return r.published.Load(applicationID, func() (*Published, error) {
		list, err := r.store.List(ctx, applicationID, "", maxPublished+1)
		if err != nil {
			return nil, err
		}
		p := &Published{}
		if len(list) > maxPublished {
			return p, nil
		}
		for _, s := range list {
			if slices.ContainsFunc(grants, s.Kind.Suits) {
				p.Names = append(p.Names, s.Name)
			}
		}
		return p, nil
	})
}

// Void forgets what is remembered of a scope. Whoever changes one calls it after
// the commit and before the answer.
func (r *Registry) Void(applicationID, name string) {
	r.cache.Void(id{applicationID, name})
	r.published.Void(applicationID)
	r.guarded.Void(applicationID)
}

// VoidAll forgets every scope.
func (r *Registry) VoidAll() {
	r.cache.VoidAll()
	r.published.VoidAll()
	r.guarded.VoidAll()
}

var errNoScope = fault.NotFoundf("There is no such scope.")
