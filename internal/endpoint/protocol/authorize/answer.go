package authorize

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

// target is where the answer goes, and how.
type target struct {
	uri    string // "" until it is known to be the client's
	mode   oauth.ResponseMode
	state  string
	issuer string
}

// web reports whether a browser goes there by itself.
func (t *target) web() bool {
	return strings.HasPrefix(t.uri, "https:") || strings.HasPrefix(t.uri, "http:")
}

// with gives the redirect URI with the values in it. What was registered, or
// sent, is kept to the letter (RFC 6749 §3.1.2: its query, too).
func (t *target) with(values url.Values) string {
	mark := "#"
	if t.mode == oauth.ModeQuery {
		mark = "?"
		switch {
		case strings.HasSuffix(t.uri, "?"), strings.HasSuffix(t.uri, "&"):
			mark = ""
		case strings.Contains(t.uri, "?"):
			mark = "&"
		}
	}
	return t.uri + mark + values.Encode()
}

// Header values of every answer.
var (
	noStore    = []string{"no-store"}
	noReferrer = []string{"no-referrer"} // the query holds what is nobody else's business
)

// respond makes of the end of the steps what the browser gets: the only place
// where an answer is written.
func (f *flow) respond(err error) {
	h := f.w.Header()
	h["Cache-Control"], h["Referrer-Policy"] = noStore, noReferrer
	if v, ok := errors.AsType[*visit](err); ok {
		if err = f.visit(v.need); err == nil {
			return
		}
	}
	if _, ok := errors.AsType[reload](err); ok {
		if err = f.reload(); err == nil {
			return
		}
	}
	f.count(err)
	if err == nil {
		f.send(f.values)
		return
	}
	web.Note(f.r, err)
	e := protocol.ErrorOf(err)
	if f.target.uri != "" {
		f.send(url.Values{"error": {e.Code}, "error_description": {e.Description}})
		return
	}
	f.Pages.Problem(f.w, f.r, f.app, f.locales(), e, f.detail)
}

// send answers the client through the browser. The issuer is in each answer, so
// that a client of several servers is not told one's code for another's (RFC
// 9207). 303 has the browser GET whatever came before (RFC 9700 §4.12).
func (f *flow) send(values url.Values) {
	values.Set("iss", f.target.issuer)
	if f.target.state != "" {
		values.Set("state", f.target.state)
	}
	switch {
	case f.target.mode == oauth.ModeFormPost:
		f.Pages.FormPost(f.w, f.r, f.app, f.locales(), f.target.uri, values)
	case !f.target.web():
		f.Pages.Interstitial(f.w, f.r, f.app, f.locales(), f.target.with(values))
	default:
		f.redirect(f.target.with(values))
	}
}

// locales are the languages that the client wishes for, as it sent them.
func (f *flow) locales() string {
	if f.form == nil {
		return ""
	}
	return f.form.Get("ui_locales")
}

func (f *flow) redirect(to string) {
	f.w.Header()["Location"] = []string{to}
	f.w.WriteHeader(http.StatusSeeOther)
}

// visit sends the browser to the page that the request needs, and the request
// with it.
func (f *flow) visit(need authorization.Need) error {
	text, err := f.seal(need)
	if err != nil {
		return err
	}
	page := oauth.SignInPath
	if need == authorization.Agree {
		page = oauth.ConsentPath
	}
	f.redirect(f.target.issuer + page + "?" + authorization.ToPage + "=" + text)
	return nil
}

// reload sends it here.
func (f *flow) reload() error {
	text, err := f.seal("")
	if err != nil {
		return err
	}
	f.redirect(f.target.issuer + protocol.AuthorizePath + "?" + authorization.FromPage + "=" + text)
	return nil
}

func (f *flow) seal(need authorization.Need) (string, error) {
	r := &authorization.Request{
		Query: f.query, BegunAt: f.begunAt(), ClientID: f.client.ID, RedirectURI: f.target.uri, Need: need,
		LoginHint: f.loginHint(), UILocales: f.locales(),
	}
	if need == authorization.Agree {
		r.Scopes = f.told()
	}
	if f.back != nil {
		// Once stays behind: what it covered did not suffice.
		r.Chosen, r.Entered = f.back.Chosen, f.back.Entered
	}
	return f.Desk.Seal(f.app.ID, r)
}

// maxHint bounds the login_hint: an address is no longer (RFC 5321 §4.5.3.1.3).
const maxHint = 254

// loginHint gives the address that the sign-in page begins with: that of the
// user whose ID token the client has, else what the client sent.
func (f *flow) loginHint() string {
	if f.wishes.hinted {
		if u, err := f.Users.Get(f.ctx, f.app.ID, f.wishes.subject); err == nil {
			return u.Email
		}
	}
	hint := f.form.Get("login_hint")
	if len(hint) > maxHint {
		return ""
	}
	return hint
}
