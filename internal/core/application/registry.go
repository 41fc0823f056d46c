package application

import (
	"context"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/audit"
)

// Registry gives applications from memory, where they are.
type Registry struct {
	store Store
	cache *cache.Cache[string, *Application]
}

// NewRegistry makes a registry that remembers at most cacheBytes.
func NewRegistry(store Store, cacheBytes int) *Registry {
	return &Registry{store: store, cache: cache.New(cacheBytes, func(_ string, a *Application) int {
		const record = 400 // the struct, its strings' headers and the map's slot; RedirectURIs are a part of ConfigSettings
		return record + len(a.Name) + 2*len(a.Settings.ConfigSettings) + len(a.Settings.Branding.Logo)
	})}
}

// Get gives an application; a fault NotFound where there is none.
func (r *Registry) Get(ctx context.Context, id string) (*Application, error) {
	return r.cache.Load(id, func() (*Application, error) { return r.store.Get(ctx, id) })
}

// Change is Store.Change; what was remembered is void when it gives back.
func (r *Registry) Change(ctx context.Context, id string, change func(*Application) (audit.Event, error)) (*Application, error) {
	defer r.Void(id)
	return r.store.Change(ctx, id, change)
}

// Void forgets what is remembered of an application.
func (r *Registry) Void(id string) { r.cache.Void(id) }

// VoidAll forgets every application.
func (r *Registry) VoidAll() { r.cache.VoidAll() }
