package signin

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/web"
)

// visit is one request for a page, with what pages ask of it.
type visit struct {
	*Pages

	w       http.ResponseWriter
	r       *http.Request
	app     *application.Application
	form    url.Values             // of the query, or of the body of a POST
	sealed  string                 // the authorization request that goes on afterwards, as it travels; "": none
	request *authorization.Request // the same, opened; nil: none
	client  *client.Client         // who began it; nil: nobody, or nobody that is left
	session *session.Session       // that this browser has; nil: nobody is signed in
	user    *user.User             // of the session
	source  audit.Source
}

// maxForm bounds a form, in bytes: the sealed request and a few fields.
const maxForm = 64 << 10

// handle makes a handler of a page. A form that another site sent is refused
// before anything of it is looked at.
func (p *Pages) handle(show func(*visit) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := p.begin(w, r)
		if err != nil {
			return err
		}
		return show(v)
	}
}

func (p *Pages) begin(w http.ResponseWriter, r *http.Request) (*visit, error) {
	v := &visit{Pages: p, w: w, r: r}
	var err error
	if v.app, err = p.Applications.Get(r.Context(), r.PathValue("app")); err != nil {
		return nil, err
	}
	if web.FromElsewhere(r, p.Issuers().PublicURL) {
		return nil, errOrigin
	}
	if v.form = r.URL.Query(); r.Method == http.MethodPost {
		if v.form, err = web.ReadForm(w, r, maxForm); err != nil {
			return nil, err
		}
	}
	info := web.InfoOf(r)
	v.source = audit.Source{Address: info.Address, RequestID: info.ID}
	if err := v.findSession(); err != nil {
		return nil, err
	}
	return v, v.openRequest()
}

// findSession finds who is signed in.
func (v *visit) findSession() error {
	found, u, err := v.Sessions.Find(v.r.Context(), v.app, v.cookie(sessionCookie).Read(v.r))
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	v.session, v.user = found, u
	v.source.Actor = "user:" + u.UUID
	return nil
}

// openRequest opens the authorization request that goes on afterwards.
func (v *visit) openRequest() error {
	if v.sealed = v.form.Get(authorization.ToPage); v.sealed == "" {
		return nil
	}
	request, err := v.Desk.Open(v.app.ID, v.sealed)
	if err != nil {
		return errStale
	}
	v.request = request
	v.client, err = v.Clients.Get(v.r.Context(), v.app.ID, request.ClientID)
	if fault.KindOf(err) == fault.NotFound {
		return errStale
	}
	return err
}

// clientName is who asks, "" where nobody does.
func (v *visit) clientName() string {
	if v.client == nil {
		return ""
	}
	return v.client.Title()
}

// Names of the cookies.
const (
	sessionCookie = "ostiary"
	stepCookie    = "ostiary-step"    // between the first factor and the second
	deviceCookie  = "ostiary-device"  // known to have signed in before
	linkCookie    = "ostiary-link"    // the token of a link that was followed
	passkeyCookie = "ostiary-passkey" //nolint:gosec // G101: a name; between the question to an authenticator and its answer
)

// SessionCookie is the cookie of the sessions below an issuer.
func SessionCookie(issuer string) web.Cookie { return web.NewCookie(sessionCookie, issuer) }

// ConsoleCookie is the cookie of the console's sessions, at its URL.
func ConsoleCookie(url string) web.Cookie { return web.NewHostCookie(sessionCookie+forConsole, url) }

// forConsole ends the names of the console's cookies: on a host without https
// they would be mistaken for those of the application at its root.
const forConsole = "-console"

func (v *visit) cookie(name string) web.Cookie {
	if v.Home != "" {
		return web.NewHostCookie(name+forConsole, v.Issuers().PublicURL)
	}
	return web.NewCookie(name, v.Issuers().Of(v.app.ID))
}

// from is where an attempt to sign in comes from.
func (v *visit) from() signin.From {
	return signin.From{Source: v.source, Device: v.cookie(deviceCookie).Read(v.r)}
}

// at gives the path of a page, with the request that goes on afterwards.
func (v *visit) at(below string) string {
	to := v.path(v.app, below)
	if v.sealed != "" {
		to = with(to, authorization.ToPage, v.sealed)
	}
	return to
}

// with adds parameters to a path: names and values in turn.
func with(to string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		mark := "?"
		if strings.Contains(to, "?") {
			mark = "&"
		}
		to += mark + pairs[i] + "=" + url.QueryEscape(pairs[i+1])
	}
	return to
}

// frame is the frame of a page of this visit. A form of it may end at the
// client, by redirects.
func (v *visit) frame(data any) *page.View {
	locales := ""
	if v.request != nil {
		locales = v.request.UILocales
	}
	f := v.view(v.r, v.app, locales)
	f.Leaves, f.Data = v.request != nil, data
	return f
}

// show answers with a page.
func (v *visit) show(status int, name string, f *page.View) error {
	return v.set.Write(v.w, status, name, f)
}

// redirect sends the browser to a page of this server, by GET whatever came
// before.
func (v *visit) redirect(to string) error {
	h := v.w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// goOn sends the browser back to the authorization endpoint with the request as
// it is now.
func (v *visit) goOn() error {
	text, err := v.Desk.Seal(v.app.ID, v.request)
	if err != nil {
		return err
	}
	return v.redirect(with(v.path(v.app, oauth.AuthorizePath), authorization.FromPage, text))
}

// slow says in a header how long to wait.
func (v *visit) slow(wait time.Duration) { v.w.Header().Set("Retry-After", retryAfter(wait)) }
