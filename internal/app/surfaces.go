package app

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/client/inventory"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/endpoint/api"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/authorize"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/check"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/discovery"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/grant"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/introspect"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/logout"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/revoke"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/userinfo"
	"github.com/ostiary/ostiary/internal/endpoint/signin"
	"github.com/ostiary/ostiary/internal/web"
)

// protocol is OAuth: what is below an application, and the metadata that RFC 8414
// puts at the root. Two surfaces, since two kinds of callers come to it: users'
// browsers are answered with pages, whatever goes wrong, and clients with JSON.
func (a *App) protocol(throttle *web.Throttle) http.Handler {
	issuers := a.issuers()
	p := &protocol.Parts{
		Applications: a.Applications, Clients: a.Clients, Tokens: a.Tokens, SignIn: a.SignIn, Signers: a.Signers,
		Scopes: a.Scopes, Resources: a.Resources,
		Limits: a.Limits, Usage: a.Usage, Throttle: throttle, Issuers: issuers, Lease: a.Store.Lease,
		PublishAhead:  a.config.SigningKeyPublishAhead,
		SessionCookie: func(id string) web.Cookie { return signin.SessionCookie(issuers.Of(id)) },
	}
	browsers := web.NewSurface("browser", a.pages.WriteError, slices.Concat(
		authorize.Routes(&authorize.Parts{
			Parts: p, Desk: authorization.NewDesk(a.Ring, a.now), Sessions: a.Sessions, Consents: a.Consents, Users: a.Users,
			Pages: a.pages, Now: a.now,
		}),
		logout.Routes(&logout.Parts{Parts: p, Sessions: a.Sessions, Ring: a.Ring, Pages: a.pages}),
	)...)
	clients := web.NewSurface("protocol", protocol.WriteError, slices.Concat(
		grant.Routes(p),
		introspect.Routes(p),
		revoke.Routes(p),
		userinfo.Routes(p),
		check.Routes(p),
		discovery.Routes(p, discovery.Offer{GrantTypes: grant.Types(), Languages: a.pages.Languages()}),
	)...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, protocol.AuthorizePath) || strings.HasSuffix(r.URL.Path, protocol.LogoutPath) {
			browsers.ServeHTTP(w, r)
			return
		}
		clients.ServeHTTP(w, r)
	})
}

// records are the operations on small records and on applications, which the
// management API and the console share.
type records struct {
	administrators *administrator.Operations

	settings  *application.Operations
	instance  *instance.Operations
	scopes    *scope.Operations
	resources *resource.Operations
	inventory *inventory.Inventory
}

func (a *App) records() records {
	administrators := administrator.NewOperations(a.People, a.Users)
	return records{
		administrators: administrators,

		settings: application.NewOperations(a.Applications, a.now).OnSession(a.Sessions.Shorten),
		instance: instance.NewOperations(a.Store.Instance(), a.Applications, a.Clients, a.Signers, a.Ring, a.now, a.defaultApplication).
			Voiding(a.Scopes.VoidAll, a.Resources.VoidAll, a.Users.VoidAll, a.Sessions.VoidAll, a.Consents.VoidAll).
			Forgetting(administrators.Forget),
		scopes:    scope.NewOperations(a.Store.Scopes(), a.Scopes, a.now),
		resources: resource.NewOperations(a.Store.Resources(), a.Resources, a.now),
		inventory: &inventory.Inventory{Search: a.Store.Clients(), Usage: a.Usage},
	}
}

// managementSurface is the management API.
func (a *App) managementSurface(throttle *web.Throttle) *web.Surface {
	r := a.records()
	return api.New(api.Deps{
		Applications: a.Applications, Settings: r.settings, Instance: r.instance,
		Clients: a.Clients, Operations: a.Operations, Tokens: a.Tokens, Signers: a.Signers, Audit: a.Store.Audit(),
		Inventory: r.inventory, Usage: a.Usage, Scopes: r.scopes, Resources: r.resources, Users: a.People, SignIn: a.SignIn, Consents: a.Consents,
		Sessions: a.Sessions, Cookie: signin.ConsoleCookie(a.consoleURL()), ConsoleURL: a.consoleURL(),
		Throttle: throttle, Issuers: a.issuers(), DefaultApplication: a.defaultApplication(), Now: a.now, Lease: a.Store.Lease,
	})
}

// defaultApplication is the one configured, else the first one made.
func (a *App) defaultApplication() string {
	if a.config.DefaultApplication != "" || a.Instance == nil {
		return a.config.DefaultApplication
	}
	return a.Instance.DefaultApplication
}

// writeBare answers where no surface is: a problem document (RFC 9457).
func writeBare(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusNotFound
	switch {
	case errors.Is(err, web.ErrHeaders):
		status = http.StatusRequestHeaderFieldsTooLarge
	case !errors.Is(err, web.ErrNotFound):
		status = http.StatusInternalServerError
	}
	body, _ := json.Marshal(struct { //nolint:errchkjson // two plain fields cannot fail
		Title  string `json:"title"`
		Status int    `json:"status"`
	}{http.StatusText(status), status})
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // who has gone needs no answer
}
