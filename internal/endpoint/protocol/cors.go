package protocol

import (
	"net/http"
	"strings"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/redirect"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/web"
)

// Header values of cross-origin answers (the Fetch standard's CORS protocol). No
// credentials of the browser's are ever taken, so any header may be sent; `*`
// does not stand for Authorization, and not every browser knows it.
var (
	varyOrigin    = []string{"Origin"}
	exposedFields = []string{"WWW-Authenticate, Retry-After, X-Request-Id"}
	allowedFields = []string{"Authorization, Content-Type, *"}
	preflightAge  = []string{"7200"} // seconds; no browser keeps one longer
)

// AllowOrigin lets a page read the answer to a call that it made: where the
// client is known, a page of one of its own origins; where it is not, since that
// is what is wrong, one of some client of the application. Every answer varies by
// origin, lest a cache gives one page's to another.
func (p *Parts) AllowOrigin(w http.ResponseWriter, r *http.Request, c *client.Client) {
	h := w.Header()
	h["Vary"] = varyOrigin
	origin := r.Header["Origin"]
	if len(origin) != 1 || !p.allows(r, c, origin[0]) {
		return
	}
	h["Access-Control-Allow-Origin"] = origin
	h["Access-Control-Expose-Headers"] = exposedFields
}

func (p *Parts) allows(r *http.Request, c *client.Client, origin string) bool {
	if c == nil {
		known, err := p.knows(r, origin)
		return err == nil && known
	}
	if c.Settings.Redirect.AllowsOrigin(origin) {
		return true
	}
	app, err := p.Application(r.Context(), r.PathValue("app"))
	return err == nil && c.Redirect(app).AllowsOrigin(origin)
}

func (p *Parts) knows(r *http.Request, origin string) (bool, error) {
	app, err := p.Application(r.Context(), r.PathValue("app"))
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if (redirect.Setting{URIs: app.Settings.Redirects()}).AllowsOrigin(origin) {
		return true, nil
	}
	return p.Clients.KnowsOrigin(r.Context(), app.ID, origin)
}

// Preflight is the route by which browsers ask whether a page may call an
// endpoint by the methods. No client is named then: it is yes for an origin that
// some client of the application has.
func (p *Parts) Preflight(path string, methods ...string) web.Route {
	allowed := []string{strings.Join(methods, ", ")}
	return web.Route{Method: http.MethodOptions, Path: path, Handle: func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h["Vary"], h["Cache-Control"] = varyOrigin, noStore
		if origin := r.Header["Origin"]; len(origin) == 1 {
			known, err := p.knows(r, origin[0])
			if err != nil {
				return err
			}
			if known {
				h["Access-Control-Allow-Origin"] = origin
				h["Access-Control-Allow-Methods"] = allowed
				h["Access-Control-Allow-Headers"] = allowedFields
				h["Access-Control-Max-Age"] = preflightAge
			}
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}}
}
