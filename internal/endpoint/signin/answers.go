package signin

import (
	"html/template"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/web"
)

// problemData is an error as a page.
type problemData struct {
	Title, Intro                         string // keys of the catalogue
	Code, Description, Detail, RequestID string
	Way, WayLabel                        string
}

// maxDetail bounds what is repeated of what a stranger sent, in characters.
const maxDetail = 300

// Problem says what is wrong with a request that is not answered by a redirect.
func (p *Pages) Problem(w http.ResponseWriter, r *http.Request, app *application.Application, locales string, problem *oauth.Error, detail string) {
	d := problemData{
		Title: "problem.request.title", Intro: "problem.request",
		Code: problem.Code, Description: problem.Description, RequestID: web.InfoOf(r).ID, Detail: cut(detail, maxDetail),
	}
	switch problem.Status {
	case http.StatusInternalServerError:
		d.Title, d.Intro = "problem.server.title", "problem.server"
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		d.Title, d.Intro = "problem.busy.title", "problem.busy"
	}
	if problem.RetryAfter > 0 {
		w.Header().Set("Retry-After", retryAfter(problem.RetryAfter))
	}
	v := p.view(r, app, locales)
	v.Data = d
	p.write(w, r, problem.Status, "problem", v)
}

// retryAfter is a duration as the header has it: whole seconds, at least one.
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}

func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}

// hidden is an input that nobody sees.
type hidden struct{ Name, Value string }

func hiddenOf(values url.Values) []hidden {
	var list []hidden
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			list = append(list, hidden{name, value})
		}
	}
	return list
}

// onwardData is a page from which the browser goes on to a client.
type onwardData struct {
	Target      template.URL
	Destination string // host of the target
	Scheme      string
	Values      []hidden
}

// FormPost has the browser post the values to target by itself, and by a button
// where it runs no script (OAuth 2.0 Form Post Response Mode).
func (p *Pages) FormPost(w http.ResponseWriter, r *http.Request, app *application.Application, locales, target string, values url.Values) {
	v := p.view(r, app, locales)
	v.Leaves = true
	v.Data = onwardData{Target: registered(target), Destination: hostOf(target), Values: hiddenOf(values)}
	p.write(w, r, http.StatusOK, "formpost", v)
}

// Interstitial shows a link to target, a URI with a native client's own scheme,
// which not every browser follows by itself.
func (p *Pages) Interstitial(w http.ResponseWriter, r *http.Request, app *application.Application, locales, target string) {
	scheme := ""
	if u, err := url.Parse(target); err == nil {
		scheme = u.Scheme
	}
	v := p.view(r, app, locales)
	v.Data = onwardData{Target: registered(target), Scheme: scheme}
	p.write(w, r, http.StatusOK, "interstitial", v)
}

// registered lets a redirect URI of a client stand in an attribute whatever its
// scheme is: schemes that run code are refused when one is registered (package
// redirect), and it is escaped all the same.
func registered(uri string) template.URL {
	return template.URL(uri) //nolint:gosec // G203: see above
}

// hostOf is where a redirect URI leads to, as users are shown it.
func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	if u.Host == "" {
		return u.Scheme + ":"
	}
	return u.Host
}

// logoutData is the question whether to sign out.
type logoutData struct {
	Client string
	Action string
	Values []hidden
}

// AskLogout asks whether to sign out, by a form whose button posts the values to
// action; client is the name of who asks, "" for nobody.
func (p *Pages) AskLogout(w http.ResponseWriter, r *http.Request, app *application.Application, client, action string, values url.Values) {
	v := p.view(r, app, values.Get("ui_locales"))
	v.Leaves = values.Has("post_logout_redirect_uri")
	v.Data = logoutData{Client: client, Action: action, Values: hiddenOf(values)}
	p.write(w, r, http.StatusOK, "logout", v)
}

// messageData is that something was done, or cannot be.
type messageData struct {
	Title         string
	Lines         []page.Text
	Way, WayLabel string

	Other, OtherLabel string // another way on; "": none
}

// SignedOut says so.
func (p *Pages) SignedOut(w http.ResponseWriter, r *http.Request, app *application.Application, locales string) {
	v := p.view(r, app, locales)
	v.Data = messageData{
		Title: "signedout.title", Lines: []page.Text{page.Say("signedout")},
		Way: p.path(app, signInPath), WayLabel: "go.signin",
	}
	p.write(w, r, http.StatusOK, "message", v)
}

// write answers with a page where no error can be handed on. One that cannot be
// made is a defect; the browser is told no more than that.
func (p *Pages) write(w http.ResponseWriter, r *http.Request, status int, name string, v *page.View) {
	if err := p.set.Write(w, status, name, v); err != nil {
		slog.ErrorContext(r.Context(), "a page could not be made", "request_id", web.InfoOf(r).ID, "error", err)
		web.WriteHTML(w, http.StatusInternalServerError, []byte("<!doctype html><html lang=en><title>Error</title><p>The server failed.</p></html>"))
	}
}
