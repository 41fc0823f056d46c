// Package configapi serves the Configuration API: API clients provisioned by
// program, wire-compatible with the API of that name of Akamai Identity Cloud.
// It owns the wire form: paths, order of checks, texts. What may be done to a
// client is decided in core/client.
package configapi

import (
	"net/http"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/web"
)

// Deps is what the surface stands on.
type Deps struct {
	Applications *application.Registry
	Clients      *client.Registry
	Operations   *client.Operations
	Throttle     *web.Throttle // of failed authentications, shared with the other surfaces

	// Lease says, with a fault Unavailable, that what is remembered may be out
	// of date. It is asked once the phases have looked at it.
	Lease func() error
}

type api struct{ Deps }

// New makes the surface.
func New(deps Deps) *web.Surface {
	a := &api{deps}
	return web.NewSurface("config", writeError,
		web.Route{Method: http.MethodGet, Path: "/config/{app}/clients", Handle: a.owner(a.listClients)},
		web.Route{Method: http.MethodPost, Path: "/config/{app}/clients", Handle: a.owner(a.createClient)},
		web.Route{Method: http.MethodGet, Path: "/config/{app}/clients/{client}", Handle: a.owner(a.showClient)},
		web.Route{Method: http.MethodPut, Path: "/config/{app}/clients/{client}", Handle: a.owner(a.replaceClient)},
		web.Route{Method: http.MethodPatch, Path: "/config/{app}/clients/{client}", Handle: a.owner(a.patchClient)},
		web.Route{Method: http.MethodDelete, Path: "/config/{app}/clients/{client}", Handle: a.owner(a.deleteClient)},
		web.Route{Method: http.MethodPut, Path: "/config/{app}/clients/{client}/secret", Handle: a.owner(a.replaceSecret)},
		web.Route{Method: http.MethodGet, Path: "/config/{app}/clients/{client}/settings", Handle: a.ownerOrItself(a.showClientSettings)},
		web.Route{Method: http.MethodPut, Path: "/config/{app}/clients/{client}/settings", Handle: a.owner(a.putClientSettings)},
		web.Route{Method: http.MethodGet, Path: "/config/{app}/settings", Handle: a.owner(a.showSettings)},
		web.Route{Method: http.MethodPut, Path: "/config/{app}/settings", Handle: a.owner(a.putSettings)},
		web.Route{Method: http.MethodGet, Path: "/config/{app}/settings/options", Handle: a.owner(a.listOptions)},
	)
}
