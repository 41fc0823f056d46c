package logout

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

// confirmed is the field by which the page that asks says yes.
const confirmed = "confirmed"

// call is a request on its way.
type call struct {
	*Parts

	ctx     context.Context //nolint:containedctx // lives as long as the request
	w       http.ResponseWriter
	r       *http.Request
	app     *application.Application
	query   string // the parameters as they came
	form    *protocol.Form
	hint    *protocol.Hint   // nil: none, or none that is ours
	client  *client.Client   // who asks; nil: not known
	to      string           // post_logout_redirect_uri, one of the client's; "": to no client
	session *session.Session // that this browser has; nil: none
	detail  string
}

// answer runs the steps; what they refuse is shown on a page, since nobody is to
// be sent where nobody is known to wait.
func (p *Parts) answer(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h["Cache-Control"], h["Referrer-Policy"] = []string{"no-store"}, []string{"no-referrer"}
	c := &call{Parts: p, ctx: r.Context(), w: w, r: r}
	for _, step := range []func() error{c.parse, c.findClient, c.checkTarget, c.findSession, c.end} {
		if err := step(); err != nil {
			web.Note(r, err)
			p.Pages.Problem(w, r, c.app, c.locales(), protocol.ErrorOf(err), c.detail)
			return nil
		}
	}
	return nil
}

func (c *call) parse() (err error) {
	c.app, err = c.Application(c.ctx, c.r.PathValue("app"))
	if fault.KindOf(err) == fault.NotFound {
		return oauth.NotFound("There is no such application; check the path.")
	}
	if err != nil {
		return err
	}
	if c.query, err = protocol.Parameters(c.w, c.r); err != nil {
		return err
	}
	c.form, err = protocol.ParseForm(c.query)
	return err
}

// findClient finds who asks: by the hint, which may have expired, or by its id.
// A hint that is not ours counts for nothing (§4).
func (c *call) findClient() error {
	id := c.form.Get("client_id")
	if text := c.form.Get("id_token_hint"); text != "" {
		hint, ok, err := c.Hint(c.ctx, c.app.ID, text)
		if err != nil {
			return err
		}
		if ok {
			c.hint = &hint
		}
	}
	switch {
	case c.hint == nil:
	case id == "" && len(c.hint.Audience) > 0:
		id = c.hint.Audience[0]
	case !slices.Contains(c.hint.Audience, id):
		return oauth.InvalidRequest("The id_token_hint was issued to another client than client_id names; send the right one.")
	}
	if id == "" {
		return nil
	}
	found, err := c.Client(c.ctx, c.app.ID, id)
	switch {
	case fault.KindOf(err) == fault.NotFound && c.hint == nil:
		c.detail = "client_id=" + id
		return oauth.InvalidRequest("There is no such client in this application; check client_id and the path of the logout endpoint.")
	case fault.KindOf(err) == fault.NotFound, err == nil && found.Inactive:
		return nil // it was there once; nobody is sent to it any more
	case err != nil:
		return err
	}
	c.client = found
	return nil
}

// checkTarget takes a post_logout_redirect_uri only of a client that is known,
// and has registered it to the letter (§3).
func (c *call) checkTarget() error {
	to := c.form.Get("post_logout_redirect_uri")
	switch {
	case to == "":
		return nil
	case c.client == nil:
		return oauth.InvalidRequest("There is a post_logout_redirect_uri, but nothing says whose it is; send id_token_hint or the client_id of an active client.")
	case !slices.Contains(c.client.Settings.Redirect.PostLogout, to):
		c.detail = "post_logout_redirect_uri=" + to
		return oauth.InvalidRequest("The post_logout_redirect_uri does not match: it is none of those that are registered for the client, which are compared character by character.")
	}
	c.to = to
	return nil
}

func (c *call) findSession() error {
	found, _, err := c.Sessions.Find(c.ctx, c.app, c.SessionCookie(c.app.ID).Read(c.r))
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	c.session = found
	return nil
}

// end ends the session where it is sure that this is wished: by a hint to the
// user whose session it is, or by the user himself on the page that asks.
func (c *call) end() error {
	switch {
	case c.session == nil && c.r.Method == http.MethodPost && len(c.query) <= authorization.MaxQuery:
		// A POST from another site brings no cookie (SameSite=Lax); by GET one comes.
		c.redirect(c.Issuer(c.app.ID) + protocol.LogoutPath + "?" + c.query)
		return nil
	case c.session == nil:
		c.SessionCookie(c.app.ID).Clear(c.w)
		c.finish()
		return nil
	case !c.sure():
		c.ask()
		return nil
	}
	info := web.InfoOf(c.r)
	source := audit.Source{Actor: "user:" + c.session.UserID, Address: info.Address, RequestID: info.ID}
	if err := c.Sessions.End(c.ctx, source, c.session); err != nil {
		return err
	}
	c.SessionCookie(c.app.ID).Clear(c.w)
	c.finish()
	return nil
}

// sealedFor is what the page's yes is sealed for, with the application's id.
const sealedFor = "logout"

func (c *call) sure() bool {
	if c.hint != nil && c.hint.Subject == c.session.UserID {
		return true
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.form.Get(confirmed))
	if err != nil || c.r.Method != http.MethodPost {
		return false
	}
	sid, err := c.Ring.Open(sealed, sealedFor, c.app.ID)
	return err == nil && string(sid) == c.session.SID
}

// ask shows the page. What it sends back names the session, so that no other
// site can say yes.
func (c *call) ask() {
	values, name := url.Values{}, ""
	if c.client != nil {
		name = c.client.Title()
		values.Set("client_id", c.client.ID)
	}
	for _, parameter := range []string{"post_logout_redirect_uri", "state", "ui_locales"} {
		if value := c.form.Get(parameter); value != "" {
			values.Set(parameter, value)
		}
	}
	yes := c.Ring.Seal([]byte(c.session.SID), sealedFor, c.app.ID)
	values.Set(confirmed, base64.RawURLEncoding.EncodeToString(yes))
	c.Pages.AskLogout(c.w, c.r, c.app, name, c.Issuer(c.app.ID)+protocol.LogoutPath, values)
}

// finish sends the browser back to the client, or shows a page.
func (c *call) finish() {
	if c.to == "" {
		c.Pages.SignedOut(c.w, c.r, c.app, c.locales())
		return
	}
	to := c.to
	if state := c.form.Get("state"); state != "" {
		mark := "?"
		if strings.Contains(to, "?") {
			mark = "&"
		}
		to += mark + "state=" + url.QueryEscape(state)
	}
	c.redirect(to)
}

func (c *call) locales() string {
	if c.form == nil {
		return ""
	}
	return c.form.Get("ui_locales")
}

func (c *call) redirect(to string) {
	c.w.Header()["Location"] = []string{to}
	c.w.WriteHeader(http.StatusSeeOther)
}
