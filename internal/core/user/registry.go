package user

import (
	"context"

	"github.com/ostiary/ostiary/internal/cache"
)

// Registry gives users from memory, where they are.
type Registry struct {
	store Store
	cache *cache.Cache[id, *User]
}

type id struct{ application, uuid string }

// NewRegistry makes a registry that remembers at most cacheBytes.
func NewRegistry(store Store, cacheBytes int) *Registry {
	return &Registry{store: store, cache: cache.New(cacheBytes, weight)}
}

// weight estimates the bytes that a user takes in memory.
func weight(_ id, u *User) int {
	const record = 700 // the struct, its uuid and times, the map's slot
	return record + len(u.Email) + len(u.PasswordHash) + weightOf(map[string]any(u.Attributes)) + 40*len(u.Roles)
}

func weightOf(v any) int {
	const slot = 48 // an interface and a share of the map or list that it is in
	n := slot
	switch v := v.(type) {
	case string:
		n += len(v)
	case []any:
		for _, element := range v {
			n += weightOf(element)
		}
	case map[string]any:
		for name, member := range v {
			n += slot + len(name) + weightOf(member)
		}
	}
	return n
}

// Get gives a user; a fault NotFound where there is none.
func (r *Registry) Get(ctx context.Context, applicationID, uuid string) (*User, error) {
	return r.cache.Load(id{applicationID, uuid}, func() (*User, error) { return r.store.Get(ctx, applicationID, uuid) })
}

// ByEmail gives the user of an address, without regard to case, from the store;
// a fault NotFound where there is none.
func (r *Registry) ByEmail(ctx context.Context, applicationID, email string) (*User, error) {
	return r.store.ByEmail(ctx, applicationID, email)
}

// Void forgets what is remembered of a user. Whoever changes one calls it after
// the commit and before the answer.
func (r *Registry) Void(applicationID, uuid string) { r.cache.Void(id{applicationID, uuid}) }

// VoidAll forgets every user.
func (r *Registry) VoidAll() { r.cache.VoidAll() }
