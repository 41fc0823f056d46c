package protocol

import (
	"net/http"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/web"
)

// Answer answers a call of a client that is who it says it is.
type Answer func(p *Parts, w http.ResponseWriter, r *http.Request, call *Call) error

// Endpoint makes the handler of an endpoint that clients call. What its requests
// have in common is done here, in this order: the form is read, the client
// authenticated and held to its addresses and its rate, the call answered; and
// whatever became of it is counted, here and nowhere else. kind is what the
// endpoint is counted as; the token endpoint says usage.OtherGrant, and each
// request is counted as its grant type.
func (p *Parts) Endpoint(kind usage.Kind, answer Answer) web.Handler {
	return p.endpoint(kind, answer, false)
}

// OpenEndpoint is Endpoint for one that pages of the client's origins call, too.
func (p *Parts) OpenEndpoint(kind usage.Kind, answer Answer) web.Handler {
	return p.endpoint(kind, answer, true)
}

func (p *Parts) endpoint(kind usage.Kind, answer Answer, open bool) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		info := web.InfoOf(r)
		call := &Call{Address: info.Address, RequestID: info.ID}
		err := p.enter(w, r, call, kind.Token())
		if open {
			p.AllowOrigin(w, r, call.Client)
		}
		if err == nil {
			err = answer(p, w, r, call)
		}
		p.count(kind, call, err)
		return err
	}
}

func (p *Parts) enter(w http.ResponseWriter, r *http.Request, call *Call, token bool) (err error) {
	query := ""
	if token && r.URL.RawQuery != "" {
		if query, err = p.legacyQuery(r); err != nil {
			return err
		}
	}
	if call.Form, err = ReadForm(w, r, query); err != nil {
		return err
	}
	return p.authenticate(r, call)
}

// legacyQuery gives the query string of a request for a token where the
// application takes parameters from there (legacy_token_query), against RFC 6749
// §3.2: callers of another product send them so. Query strings are logged
// nowhere.
func (p *Parts) legacyQuery(r *http.Request) (string, error) {
	app, err := p.Application(r.Context(), r.PathValue("app"))
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return "", nil // whose application is unknown is told by authenticate
	case err != nil || !app.Settings.LegacyTokenQuery:
		return "", err
	default:
		return r.URL.RawQuery, nil
	}
}

// count counts a call by its outcome. Of the endpoints that issue nothing the
// refusals are counted.
func (p *Parts) count(kind usage.Kind, call *Call, err error) {
	if kind.Token() && call.Form != nil {
		kind = usage.KindOf(oauth.GrantType(call.Form.Get("grant_type")))
	}
	if err != nil || kind.Token() {
		p.Count(call.Application, call.Client, kind, err)
	}
}

// Count counts what became of a request; app and c are nil where it was refused
// before they were known.
func (p *Parts) Count(app *application.Application, c *client.Client, kind usage.Kind, err error) {
	applicationID, sequence, reason := "", int64(0), usage.Issued
	if app != nil {
		applicationID = app.ID
	}
	if c != nil {
		sequence = c.Sequence
	}
	if err != nil {
		reason = usage.ReasonOf(ErrorOf(err).Code)
	}
	p.Usage.Count(applicationID, sequence, kind, reason)
}
