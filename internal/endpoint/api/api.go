// Package api serves the management API: applications, their clients, scopes,
// resources, users, consents, tokens, keys and audit events, as JSON for programs. It owns the
// wire form: paths, statuses, problem documents (RFC 9457), cursors, entity
// tags, and the OpenAPI document, which derives from the same declarations as
// the routes. What may be done is decided in the core.
package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/inventory"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/web"
)

// Deps is what the surface stands on.
type Deps struct {
	Applications       *application.Registry
	Settings           *application.Operations
	Instance           *instance.Operations
	Clients            *client.Registry
	Operations         *client.Operations
	Inventory          *inventory.Inventory
	Usage              *usage.Meter
	Scopes             *scope.Operations
	Resources          *resource.Operations
	Users              *user.Operations
	SignIn             *signin.Service
	Consents           *consent.Service
	Tokens             *token.Service
	Signers            *key.Signers
	Audit              audit.Reader
	Sessions           *session.Service // of administrators, in the console
	Cookie             web.Cookie       // of those sessions
	ConsoleURL         string           // where they are, without a slash at the end
	Throttle           *web.Throttle    // of failed authentications, shared with the other surfaces
	Issuers            application.Issuers
	DefaultApplication string
	Now                func() time.Time

	// Lease says, with a fault Unavailable, that what is remembered may be out
	// of date. It is asked once the phases have looked at it.
	Lease func() error
}

type api struct{ Deps }

// issuer gives the URL that names an application to clients.
func (a *api) issuer(applicationID string) string { return a.Issuers.Of(applicationID) }

// New makes the surface.
func New(deps Deps) *web.Surface {
	b := build(&api{deps})
	// Made when it is first asked for: the start has no time for it.
	asJSON := sync.OnceValues(func() ([]byte, error) { return json.Marshal(b.huma.OpenAPI()) })
	asYAML := sync.OnceValues(b.huma.OpenAPI().YAML)
	return web.NewSurface("api", writeError, slices.Concat(b.routes.list, []web.Route{
		documentRoute("/api/openapi.json", "application/openapi+json", asJSON),
		documentRoute("/api/openapi.yaml", "application/openapi+yaml", asYAML),
	})...)
}

// documentRoute serves the OpenAPI document to anybody.
func documentRoute(path, contentType string, document func() ([]byte, error)) web.Route {
	return web.Route{Method: http.MethodGet, Path: path, Handle: func(w http.ResponseWriter, _ *http.Request) error {
		text, err := document()
		if err != nil {
			return fmt.Errorf("write the OpenAPI document: %w", err)
		}
		w.Header()["Content-Type"] = []string{contentType}
		w.Header()["Cache-Control"] = []string{"public, max-age=300"}
		_, _ = w.Write(text) // who has gone needs no answer
		return nil
	}}
}

// Document gives the OpenAPI document, without a server.
func Document() *huma.OpenAPI { return build(&api{}).huma.OpenAPI() }

// build declares every operation.
func build(a *api) *builder {
	b := newBuilder(a)
	a.transfer(b) // before the clients, whose paths have room for its own
	a.applications(b)
	a.clients(b)
	a.secrets(b)
	a.scopes(b)
	a.resources(b)
	a.users(b)
	a.consents(b)
	a.tokens(b)
	a.keys(b)
	a.audit(b)
	b.finish()
	return b
}
