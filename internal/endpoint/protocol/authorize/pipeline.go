package authorize

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

// Parts are what the endpoint works with.
type Parts struct {
	*protocol.Parts

	Desk     *authorization.Desk
	Sessions *session.Service
	Consents *consent.Service
	Users    *user.Registry
	Pages    Pages
	Now      func() time.Time
}

// Routes of the authorization endpoint.
func Routes(p *Parts) []web.Route {
	const path = "/{app}" + protocol.AuthorizePath
	return []web.Route{
		{Method: http.MethodGet, Path: path, Handle: p.answer},
		{Method: http.MethodPost, Path: path, Handle: p.answer},
	}
}

// steps take a request from what was sent to what is answered, in this order;
// the first that refuses, or that needs the user, ends it. What is refused before
// it is known where to send the browser is shown on a page. No step believes what
// an earlier visit found: a request that comes back from a page is judged anew.
var steps = [...]step{
	(*flow).parse,         // the parameters, or those of the sealed request that comes back
	(*flow).findClient,    // there is such a client, and it is active
	(*flow).checkRedirect, // the redirect URI is one of its own; from here errors go there
	(*flow).checkOnce,     // nothing is repeated, or of a kind that is not taken at all
	(*flow).checkResponse, // response type and mode, and the grant that they need
	(*flow).checkPKCE,     // code challenge
	(*flow).readWishes,    // prompt, max_age, claims, acr_values, id_token_hint, nonce
	(*flow).admit,         // scopes and resources, by the client's rules
	(*flow).checkDenied,   // the user declined on a page
	(*flow).findSession,   // somebody is signed in, in the way that is asked for
	(*flow).checkRoles,    // scopes that take a role are left out for who has it not
	(*flow).checkConsent,  // the user agrees
	(*flow).issue,         // the code, or the tokens
}

type step func(f *flow) error

// flow is a request on its way through the steps.
type flow struct {
	*Parts

	ctx    context.Context //nolint:containedctx // lives as long as the request
	w      http.ResponseWriter
	r      *http.Request
	now    time.Time
	source audit.Source
	detail string // what a page shows of what was sent, where that is what is wrong

	app       *application.Application
	query     string                 // the parameters as they came, encoded
	form      *protocol.Form         // the same, read
	back      *authorization.Request // the request that came back from a page; nil: it comes for the first time
	client    *client.Client
	target    target
	response  oauth.ResponseType
	challenge string
	wishes    wishes
	scopes    []string
	resources resource.Target
	asked     bool // the request names scopes
	session   *session.Session
	user      *user.User
	acr       string     // as the client is told
	values    url.Values // of the answer
}

// answer runs the steps; respond makes of their end what the browser gets.
func (p *Parts) answer(w http.ResponseWriter, r *http.Request) error {
	info := web.InfoOf(r)
	f := &flow{
		Parts: p, ctx: r.Context(), w: w, r: r, now: p.Now().UTC().Truncate(time.Microsecond),
		source: audit.Source{Address: info.Address, RequestID: info.ID},
	}
	f.respond(f.run())
	return nil
}

func (f *flow) run() error {
	for _, s := range steps {
		if err := s(f); err != nil {
			return err
		}
	}
	return nil
}

// begunAt is when the request first came.
func (f *flow) begunAt() time.Time {
	if f.back != nil {
		return f.back.BegunAt
	}
	return f.now
}
