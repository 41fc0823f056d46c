package app

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/discovery"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/grant"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/introspect"
	"github.com/ostiary/ostiary/internal/endpoint/protocol/revoke"
	"github.com/ostiary/ostiary/internal/web"
)

// protocolSurface is OAuth: what is below an application, and the metadata that
// RFC 8414 puts at the root.
func (a *App) protocolSurface(throttle *web.Throttle) *web.Surface {
	p := &protocol.Parts{
		Applications: a.Applications, Clients: a.Clients, Tokens: a.Tokens, Signers: a.Signers,
		Scopes: a.Scopes, Resources: a.Resources,
		Limits: a.Limits, Usage: a.Usage, Throttle: throttle, PublicURL: a.publicURL(), Lease: a.Store.Lease,
		PublishAhead: a.config.SigningKeyPublishAhead,
	}
	return web.NewSurface("protocol", protocol.WriteError, slices.Concat(
		grant.Routes(p),
		introspect.Routes(p),
		revoke.Routes(p),
		discovery.Routes(p, grant.Types()),
	)...)
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
	body, _ := json.Marshal(struct { // two plain fields cannot fail
		Title  string `json:"title"`
		Status int    `json:"status"`
	}{http.StatusText(status), status})
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // who has gone needs no answer
}
