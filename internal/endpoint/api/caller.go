package api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/web"
)

// call is one request, as far as the phases have come with it.
type call struct {
	*http.Request
	app      *application.Application // in the path; where it has none, the caller's own: an administrator has none
	caller   *client.Client           // nil: an administrator
	actor    string                   // in audit events
	email    string                   // of an administrator; "": a client
	access   administrator.Access     // of an administrator
	role     admin.Role
	instance bool   // an owner of the default application by its secret, an administrator of the instance: all applications
	body     []byte // of POST, PUT and PATCH
	err      error  // what the handler gave back
}

// source says in audit events who did it and from where.
func (c *call) source() audit.Source {
	info := web.InfoOf(c.Request)
	return audit.Source{Actor: c.actor, Address: info.Address, RequestID: info.ID}
}

func unauthenticated(bearer string) *Problem {
	p := problem(http.StatusUnauthorized, "Authenticate with HTTP Basic as a client of this application that has the feature owner, with a bearer token of the scope ostiary:admin, or with a session of the console.")
	p.challenge, p.bearer = true, bearer
	return p
}

func tooManyRequests(wait time.Duration) *Problem {
	p := problem(http.StatusTooManyRequests, "Too many authentications from this address have failed; wait.")
	p.retryAfter = wait
	return p
}

// identify finds out who calls, and whether he may do what the operation needs.
func (a *api) identify(c *call, need admin.Permission) error {
	address := web.InfoOf(c.Request).Address
	if wait := a.Throttle.Wait(address); wait > 0 {
		return tooManyRequests(wait)
	}
	err := a.authenticate(c)
	// What this knows it knows from memory, refusals included.
	if lost := a.Lease(); lost != nil {
		return lost
	}
	if err != nil {
		if p, ok := err.(*Problem); ok && p.Status == http.StatusUnauthorized && len(c.Header["Authorization"]) > 0 { //nolint:errorlint // of authenticate itself
			a.Throttle.Failed(address)
		}
		return err
	}
	if c.caller != nil && !c.caller.AllowsAddress(address) {
		return problem(http.StatusForbidden, "This client may not be used from this address.")
	}
	return c.role.Require(need)
}

// authenticate reads the one Authorization header; where there is none, the
// cookie of the console. Credentials are raw, as on the Configuration API: they
// are not form-encoded (RFC 6749 §2.3.1).
func (a *api) authenticate(c *call) error {
	if cookie := a.Cookie.Read(c.Request); cookie != "" && len(c.Header["Authorization"]) == 0 {
		return a.session(c, cookie)
	}
	if len(c.Header["Authorization"]) != 1 {
		return unauthenticated("")
	}
	if id, secret, ok := c.BasicAuth(); ok {
		return a.basic(c, id, secret)
	}
	scheme, text, ok := strings.Cut(c.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return unauthenticated("")
	}
	return a.bearer(c, strings.TrimSpace(text))
}

func (a *api) basic(c *call, id, secret string) error {
	if !client.ValidID(id) {
		return unauthenticated("")
	}
	for _, applicationID := range a.candidates(c, id) {
		app, err := a.application(c, applicationID)
		if err != nil {
			return err
		}
		if app == nil {
			continue
		}
		caller, err := a.Clients.Authenticate(c.Context(), app.ID, id, secret)
		switch {
		case err == nil:
			return a.admit(c, app, caller)
		case fault.KindOf(err) != fault.Denied:
			return err
		}
	}
	return unauthenticated("")
}

// maxCandidates bounds the applications in which a client id is tried.
const maxCandidates = 10

// candidates are the applications whose client may call: the one in the path;
// where it has none, the default one, and those that have a client of the id.
func (a *api) candidates(c *call, id string) []string {
	if inPath := c.PathValue("app"); inPath != "" {
		return []string{inPath}
	}
	list := []string{a.DefaultApplication}
	more, err := a.Instance.ApplicationsOf(c.Context(), id, maxCandidates)
	if err != nil {
		return list // the default one can still be told
	}
	for _, other := range more {
		if !slices.Contains(list, other) {
			list = append(list, other)
		}
	}
	return list
}

// application gives an application, nil where there is none.
func (a *api) application(c *call, id string) (*application.Application, error) {
	// An id that none can have is not looked for: PostgreSQL takes no NUL and no
	// broken UTF-8.
	if application.ValidateID(id) != nil {
		return nil, nil //nolint:nilerr // there is none, and that is no error here
	}
	app, err := a.Applications.Get(c.Context(), id)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	return app, err
}

// admit takes a client that proved its secret.
func (a *api) admit(c *call, app *application.Application, caller *client.Client) error {
	c.app, c.caller, c.actor = app, caller, "client:"+caller.ID
	if caller.Inactive {
		return unauthenticated("")
	}
	if caller.Settings.Features.Has(client.Owner) {
		c.role = admin.Owner
		c.instance = app.ID == a.DefaultApplication
	}
	return nil
}

// bearer takes an access token of the application, for the server itself (no
// audience but the issuer). Where the path has no application, a JWT names its
// own; an opaque token, of which only its application's keys tell, is one of the
// default one.
func (a *api) bearer(c *call, text string) error {
	id := c.PathValue("app")
	if id == "" {
		id = cmp.Or(a.Issuers.ApplicationOf(token.Issuer(text)), a.DefaultApplication)
	}
	app, err := a.application(c, id)
	if err != nil {
		return err
	}
	if app == nil {
		return unauthenticated("invalid_token")
	}
	found, ok, err := a.Tokens.Find(c.Context(), app, text)
	if err != nil {
		return err
	}
	if !ok || !a.forServer(app, found.Family.Audience) {
		return unauthenticated("invalid_token")
	}
	c.app, c.caller, c.actor = app, found.Client, "client:"+found.Client.ID
	if slices.Contains(found.Family.Scopes, scope.Admin) {
		c.role = admin.Owner
		return nil
	}
	p := problem(http.StatusForbidden, "The token lacks the scope ostiary:admin.")
	p.challenge, p.bearer = true, "insufficient_scope"
	return p
}

// forServer reports whether a token is for the issuer: one for another resource
// was given out so that others can look at it.
func (a *api) forServer(app *application.Application, audience []string) bool {
	return len(audience) == 0 || slices.Contains(audience, a.issuer(app.ID))
}
