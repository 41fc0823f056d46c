package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/web"
)

var (
	// errOrigin says that a form was sent from another site.
	errOrigin   = errors.New("a form that came from another site")
	errInstance = fault.Deniedf("This needs an administrator of the instance.")
)

// problem is an error as a page.
type problem struct{ Title, Text, RequestID string }

// writeError is the error writer of the surface: a page.
func (c *Console) writeError(w http.ResponseWriter, r *http.Request, err error) {
	status, p := problemOf(err)
	if status >= http.StatusInternalServerError {
		p.RequestID = web.InfoOf(r).ID
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	view := &page.View{Language: language, Brand: brand, Home: Home, Now: c.Now(), Shell: shell{}, Data: p}
	if err := c.set.Write(w, status, "problem", view); err != nil {
		slog.ErrorContext(r.Context(), "a page could not be made", "request_id", web.InfoOf(r).ID, "error", err)
		web.WriteHTML(w, http.StatusInternalServerError, []byte("<!doctype html><html lang=en><title>Error</title><p>The server failed.</p></html>"))
	}
}

// problemOf gives the status of an error, and what the page says.
func problemOf(err error) (int, problem) {
	if _, ok := errors.AsType[*web.MethodError](err); ok {
		return http.StatusMethodNotAllowed, problem{Title: "This page takes no such request", Text: "Go back, and try it from there."}
	}
	kind := fault.KindOf(err)
	switch {
	case errors.Is(err, web.ErrNotFound), kind == fault.NotFound:
		return http.StatusNotFound, problem{Title: "There is no such page", Text: "It may have been deleted, or you may have no role in this application."}
	case errors.Is(err, errOrigin):
		return http.StatusForbidden, problem{Title: "This form came from another site", Text: "Nothing was changed. Open the console in a new tab, and try again from there."}
	case errors.Is(err, web.ErrForm):
		return http.StatusBadRequest, problem{Title: "The form could not be read", Text: "Nothing was changed. Go back, and try again."}
	case errors.Is(err, web.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, problem{Title: "That is too much at once", Text: "Nothing was changed."}
	case errors.Is(err, web.ErrHeaders):
		return http.StatusRequestHeaderFieldsTooLarge, problem{Title: "That is too much at once", Text: "Nothing was changed."}
	case kind == fault.Denied:
		return http.StatusForbidden, problem{Title: "Your role does not permit this", Text: messageOf(err)}
	case kind == fault.Conflict, kind == fault.Invalid:
		return http.StatusConflict, problem{Title: "That is not possible", Text: messageOf(err)}
	case kind == fault.Precondition:
		return http.StatusPreconditionFailed, problem{Title: "It was changed meanwhile", Text: messageOf(err)}
	case kind == fault.Unavailable, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, problem{Title: "The server cannot answer now", Text: "Nothing is lost. Try again in a moment."}
	default:
		return http.StatusInternalServerError, problem{Title: "The server failed", Text: "The failure is in the server's log, under the number below."}
	}
}

// refusals gives what was refused, for the summary of a page and beside its
// fields; an error of another kind is handed on.
func refusals(err error) ([]page.Problem, error) {
	if many, ok := errors.AsType[fault.Problems](err); ok {
		list := make([]page.Problem, len(many))
		for i, one := range many {
			list[i] = refusal(one)
		}
		return list, nil
	}
	one, ok := errors.AsType[*fault.Error](err)
	if !ok || one.Kind != fault.Invalid && one.Kind != fault.Conflict {
		return nil, err
	}
	return []page.Problem{refusal(one)}, nil
}

// refusal is one of them. What is wrong with the element of a list, as
// redirect_uris[1], stands at the list and says which one it is.
func refusal(f *fault.Error) page.Problem {
	name, element, inList := strings.Cut(f.Field, "[")
	index, member, _ := strings.Cut(element, "]")
	text := f.Message
	if n, err := strconv.Atoi(index); inList && err == nil {
		text = fmt.Sprintf("Entry %d%s: %s", n+1, strings.Replace(member, ".", ", ", 1), text)
	}
	return page.Problem{Field: name, Text: say(text)}
}

// say makes a text of one that the core wrote.
func say(text string) page.Text { return page.Say("console.text", "text", text) }

// messageOf gives what a fault says to whoever caused it.
func messageOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return ""
}
