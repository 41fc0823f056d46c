package configapi

import (
	"errors"
	"net/http"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/web"
)

// maxBody is the longest body, in bytes.
const maxBody = 1 << 20

// call is one request, as far as the phases have come with it.
type call struct {
	*http.Request
	w      http.ResponseWriter
	app    *application.Application
	caller *client.Client
	target *client.Client // the client in the path; nil where it has none
	body   object         // of POST, PUT and PATCH
}

type handler func(c *call) error

// owner runs a handler for callers with the feature owner.
func (a *api) owner(h handler) web.Handler { return a.phased(h, false) }

// ownerOrItself also runs it for the client in the path.
func (a *api) ownerOrItself(h handler) web.Handler { return a.phased(h, true) }

// phased runs what all routes have in common before the handler.
func (a *api) phased(h handler, itself bool) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		c := &call{Request: r, w: w}
		if wait := a.Throttle.Wait(web.InfoOf(r).Address); wait > 0 {
			return tooManyRequests(wait)
		}
		id, secret, ok := credentials(r)
		if !ok {
			return errUnauthenticated
		}
		err := a.enter(c, id, secret, itself)
		// What the phases know they know from memory, refusals included.
		if lost := a.Lease(); lost != nil {
			return lost
		}
		if err != nil {
			return err
		}
		return h(c)
	}
}

// enter takes a request through the phases that need state, in the order of the
// error table: the first that fails answers.
func (a *api) enter(c *call, id, secret string, itself bool) error {
	if err := a.findApplication(c); err != nil {
		return err
	}
	if err := a.authenticate(c, id, secret); err != nil {
		return err
	}
	if !c.caller.AllowsAddress(web.InfoOf(c.Request).Address) {
		return errForbidden
	}
	own := itself && c.caller.ID == c.PathValue("client")
	if c.caller.Inactive || !own && !c.caller.Settings.Features.Has(client.Owner) {
		return errForbidden
	}
	body, err := web.ReadBody(c.w, c.Request, maxBody)
	if errors.Is(err, web.ErrTooLarge) {
		return err
	}
	whole := err == nil // one that broke off is no JSON
	if err := a.findTarget(c); err != nil {
		return err
	}
	if !hasBody(c.Method) {
		return nil
	}
	var ok bool
	if c.body, ok = parseObject(body); !ok || !whole {
		return errInvalidJSON
	}
	return nil
}

func hasBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// credentials reads the one Authorization header. They are raw: the Akamai
// Identity Cloud knows no form-encoding of them (RFC 6749 §2.3.1).
func credentials(r *http.Request) (id, secret string, ok bool) {
	if len(r.Header["Authorization"]) != 1 {
		return "", "", false
	}
	return r.BasicAuth()
}

func (a *api) findApplication(c *call) error {
	id := c.PathValue("app")
	// An id that none can have is not looked for: PostgreSQL takes no NUL and no
	// broken UTF-8.
	if application.ValidateID(id) != nil {
		return errNoApplication
	}
	app, err := a.Applications.Get(c.Context(), id)
	if fault.KindOf(err) == fault.NotFound {
		return errNoApplication
	}
	c.app = app
	return err
}

func (a *api) authenticate(c *call, id, secret string) error {
	known := client.ValidID(id)
	if known {
		caller, err := a.Clients.Authenticate(c.Context(), c.app.ID, id, secret)
		if err == nil {
			c.caller = caller
			return nil
		}
		if fault.KindOf(err) != fault.Denied {
			return err
		}
	}
	a.Throttle.Failed(web.InfoOf(c.Request).Address)
	return errUnauthenticated
}

func (a *api) findTarget(c *call) error {
	id := c.PathValue("client")
	if id == "" {
		return nil
	}
	if !client.ValidID(id) {
		return errNoClient
	}
	target, err := a.Clients.Get(c.Context(), c.app.ID, id)
	if fault.KindOf(err) == fault.NotFound {
		return errNoClient
	}
	c.target = target
	return err
}

// source says in audit events who did it and from where.
func (c *call) source() audit.Source {
	info := web.InfoOf(c.Request)
	return audit.Source{Actor: "client:" + c.caller.ID, Address: info.Address, RequestID: info.ID}
}
