package signin

import (
	"context"
	"errors"
	"net/http"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/web"
)

// errOrigin says that a form was sent from another site.
var errOrigin = errors.New("a form that came from another site")

// errStale says that what a form goes on from is too old, or not ours.
var errStale = errors.New("the form goes on from something that is over")

// WriteError is the error writer of the surface, and of the endpoints of another
// one that browsers come to: a page.
func (p *Pages) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	app, _ := p.Applications.Get(r.Context(), r.PathValue("app")) // nil: a page of nobody's
	p.showError(w, r, app, err)
}

func (p *Pages) showError(w http.ResponseWriter, r *http.Request, app *application.Application, err error) {
	v := p.view(r, app, "")
	status, kind := kindOf(err)
	d := problemData{Title: "problem." + kind + ".title", Intro: "problem." + kind}
	if status >= http.StatusInternalServerError {
		d.Code, d.RequestID = "server_error", web.InfoOf(r).ID
		if status == http.StatusServiceUnavailable {
			d.Code = "temporarily_unavailable"
			w.Header().Set("Retry-After", "1")
		}
	}
	v.Data = d
	p.write(w, r, status, "problem", v)
}

// kindOf gives the status of an error, and the word of the catalogue for it.
func kindOf(err error) (status int, kind string) {
	if _, ok := errors.AsType[*web.MethodError](err); ok {
		return http.StatusMethodNotAllowed, "method"
	}
	if e, ok := errors.AsType[*oauth.Error](err); ok && e.Status < http.StatusInternalServerError {
		return e.Status, "request"
	}
	switch {
	case errors.Is(err, web.ErrNotFound):
		return http.StatusNotFound, "missing"
	case errors.Is(err, errOrigin):
		return http.StatusForbidden, "origin"
	case errors.Is(err, errStale):
		return http.StatusBadRequest, "expired"
	case errors.Is(err, web.ErrForm):
		return http.StatusBadRequest, "form"
	case errors.Is(err, web.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, "form"
	case errors.Is(err, web.ErrHeaders):
		return http.StatusRequestHeaderFieldsTooLarge, "form"
	case fault.KindOf(err) == fault.NotFound:
		return http.StatusNotFound, "missing"
	case fault.KindOf(err) == fault.Unavailable, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "busy"
	default:
		return http.StatusInternalServerError, "server"
	}
}
