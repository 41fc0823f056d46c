package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/web"
)

// visit is one request of an administrator, with what pages ask of it.
type visit struct {
	*Console

	w      http.ResponseWriter
	r      *http.Request
	form   url.Values // of the query, or of the body of a POST
	who    *user.User
	access administrator.Access
	app    *application.Application // of the path; nil: none
	role   admin.Role               // in it
	source audit.Source
}

// maxForm bounds a form, in bytes.
const maxForm = 1 << 20

// handle makes a handler of a page, for whoever may see it: everybody else is
// sent to sign in, or refused. A form that another site sent is refused before
// anything of it is looked at.
func (c *Console) handle(n need, show func(*visit) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := &visit{Console: c, w: w, r: r}
		if web.FromElsewhere(r, c.URL) {
			return errOrigin
		}
		_, who, err := c.Sessions.Find(r.Context(), c.self, c.Cookie.Read(r))
		if fault.KindOf(err) == fault.NotFound {
			return v.signIn(n)
		}
		if err != nil {
			return err
		}
		info := web.InfoOf(r)
		v.who, v.access = who, administrator.AccessOf(who)
		v.source = audit.Source{Actor: administrator.Actor(who), Address: info.Address, RequestID: info.ID}
		if err := v.admit(n); err != nil {
			return err
		}
		if v.form = r.URL.Query(); r.Method == http.MethodPost && !n.body {
			if v.form, err = web.ReadForm(w, r, maxForm); err != nil {
				return err
			}
		}
		return show(v)
	}
}

// admit finds the application of the path, which is not there for whoever has no
// role in it, and holds the role to what is needed.
func (v *visit) admit(n need) error {
	if n.instance && !v.access.Instance {
		return errInstance
	}
	id := v.r.PathValue("app")
	if id == "" {
		return nil
	}
	if v.role = v.access.In(id); v.role == "" || application.ValidateID(id) != nil {
		return web.ErrNotFound
	}
	var err error
	if v.app, err = v.Applications.Get(v.r.Context(), id); err != nil || n.instance {
		return err
	}
	return v.role.Require(n.permission)
}

// signIn sends the browser to the sign-in, and from there to the page that it
// wanted to see, or that the form is of which it sent. What was sent is lost: the
// sign-in says so, and nothing is sent again unasked.
func (v *visit) signIn(n need) error {
	to := Home + "/signin"
	if v.r.URL.Path == signOutPath {
		return v.redirect(to)
	}
	page := v.r.URL.EscapedPath()
	for range n.above {
		page = page[:strings.LastIndexByte(page, '/')]
	}
	query := v.r.URL.Query()
	query.Del("done") // it was said
	if len(query) > 0 {
		page += "?" + query.Encode()
	}
	notice := ""
	if v.r.Method == http.MethodPost {
		notice = "lost"
	}
	to = with(to, "notice", notice, "again", page)
	if v.r.Header.Get("Hx-Request") != "" { // a part of a page: the whole of it goes there
		v.w.Header().Set("Hx-Redirect", to)
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	return v.redirect(to)
}

// redirect sends the browser to a page of the console, by GET whatever came
// before.
func (v *visit) redirect(to string) error {
	h := v.w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// done redirects to a page that says what was done: a key of notices.
func (v *visit) done(to, what string) error { return v.redirect(with(to, "done", what)) }

// at gives the path of a page of the application, of segments that it escapes.
func (v *visit) at(segments ...string) string {
	var to strings.Builder
	to.WriteString(Home + "/apps/" + v.app.ID)
	for _, s := range segments {
		to.WriteString("/" + url.PathEscape(s))
	}
	return to.String()
}

// with adds parameters to a path: names and values in turn, empty ones left out.
func with(to string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(to)
	mark := "?"
	if strings.Contains(to, "?") {
		mark = "&"
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		b.WriteString(mark + pairs[i] + "=" + url.QueryEscape(pairs[i+1]))
		mark = "&"
	}
	return b.String()
}

// revision is that of the record which the form was made of; nil: none is named.
func (v *visit) revision() *int64 {
	n, err := strconv.ParseInt(v.form.Get("revision"), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// checked reports whether a box of the form is ticked.
func (v *visit) checked(name string) bool { return v.form.Get(name) != "" }
