package signin

import (
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// linkPages are the pages that links lead to, by what they are for.
var linkPages = map[signin.Purpose]string{
	signin.ForReset: resetPath, signin.ForVerify: verifyPath, signin.ForRegister: finishPath,
}

// linkTime is how long a browser remembers a link that was followed.
const linkTime = time.Hour

// follow takes a link that was sent or handed over. The token goes into a cookie
// and out of the address, which histories and logs keep. Nothing is used up by
// it: programs follow links in mail before their readers do.
func (v *visit) follow() error {
	token := v.form.Get("token")
	l, err := v.SignIn.Link(v.r.Context(), v.app, token)
	if fault.KindOf(err) == fault.NotFound {
		return v.deadLink()
	}
	if err != nil {
		return err
	}
	v.cookie(linkCookie).Write(v.w, token, linkTime)
	return v.redirect(v.path(v.app, linkPages[l.Purpose]))
}

// link gives the link that was followed; nil where it is not for this page, or
// no longer good, and then the page that says so was shown.
func (v *visit) link(purpose signin.Purpose) (*signin.Link, error) {
	l, err := v.SignIn.Link(v.r.Context(), v.app, v.token())
	if fault.KindOf(err) == fault.NotFound || err == nil && l.Purpose != purpose {
		return nil, v.deadLink()
	}
	if err != nil {
		return nil, err
	}
	// What goes on afterwards came with the mail; where it took too long nothing does.
	if request, err := v.Desk.Open(v.app.ID, l.Request); err == nil {
		v.sealed, v.request = l.Request, request
	}
	return l, nil
}

func (v *visit) token() string { return v.cookie(linkCookie).Read(v.r) }

func (v *visit) deadLink() error {
	v.cookie(linkCookie).Clear(v.w)
	return v.show(http.StatusNotFound, "message", v.frame(messageData{
		Title: "link.dead.title", Lines: []page.Text{page.Say("link.dead")}, Way: v.path(v.app, forgottenPath), WayLabel: "go.forgotten",
		// It may have been for a new account, or an address.
		Other: v.path(v.app, signInPath), OtherLabel: "go.signin",
	}))
}

// newPassword is the field of a password that is chosen.
func newPassword(label string, problem *page.Text) page.Field {
	hint := page.Say("hint.password", "n", leastPassword)
	return page.Field{Name: "password", Type: "password", Label: label, Autocomplete: "new-password", Hint: &hint, Problem: problem}
}

// Bounds of a password as the texts name them; package user judges it.
const (
	leastPassword = "8"
	mostPassword  = "256"
	fewCharacters = 8
	lotCharacters = 256
)

// passwordProblem is what is wrong with a password that was chosen.
func passwordProblem(password string) *page.Text {
	text := page.Say("error.password")
	switch n := utf8.RuneCountInString(user.NormalPassword(password)); {
	case n < fewCharacters:
		text = page.Say("error.password.short", "n", leastPassword)
	case n > lotCharacters:
		text = page.Say("error.password.long", "n", mostPassword)
	}
	return &text
}

// showReset is the page on which a password is chosen.
func (v *visit) showReset() error {
	l, err := v.link(signin.ForReset)
	if l == nil {
		return err
	}
	return v.resetForm(http.StatusOK, l, nil)
}

func (v *visit) resetForm(status int, l *signin.Link, problem *page.Text) error {
	intro := page.Say("reset.intro")
	return v.oneForm(status, problem, formData{
		Title: "reset.title", Intro: &intro, Action: v.path(v.app, resetPath), Account: l.Email,
		Fields: []page.Field{newPassword("field.newpassword", problem)}, Button: "reset.button",
	})
}

// oneForm shows a page of one form; a problem is about its last field.
func (v *visit) oneForm(status int, problem *page.Text, d formData) error {
	f := v.frame(d)
	if problem != nil {
		f.Problems = []page.Problem{{Field: d.Fields[len(d.Fields)-1].Name, Text: *problem}}
	}
	return v.show(status, "form", f)
}

// reset takes the password that was chosen; the user then signs in with it.
func (v *visit) reset() error {
	l, err := v.link(signin.ForReset)
	if l == nil {
		return err
	}
	password := v.form.Get("password")
	_, err = v.SignIn.Reset(v.r.Context(), v.source, v.app, v.token(), password)
	switch kind := fault.KindOf(err); {
	case err == nil:
	case kind == fault.Invalid:
		return v.resetForm(http.StatusBadRequest, l, passwordProblem(password))
	case kind == fault.NotFound:
		return v.deadLink()
	default:
		return err
	}
	v.cookie(linkCookie).Clear(v.w)
	return v.redirect(with(v.at(signInPath), "notice", "reset"))
}

// showVerify asks for a click: programs that look at mail follow links.
func (v *visit) showVerify() error {
	l, err := v.link(signin.ForVerify)
	if l == nil {
		return err
	}
	intro := page.Say("verify.intro", "email", l.Email)
	return v.oneForm(http.StatusOK, nil, formData{Title: "verify.title", Intro: &intro, Action: v.path(v.app, verifyPath), Button: "verify.button"})
}

// verify notes that an address is its user's.
func (v *visit) verify() error {
	_, err := v.SignIn.Verify(v.r.Context(), v.source, v.app, v.token())
	if fault.KindOf(err) == fault.NotFound {
		return v.deadLink()
	}
	if err != nil {
		return err
	}
	v.cookie(linkCookie).Clear(v.w)
	return v.show(http.StatusOK, "message", v.frame(messageData{
		Title: "verify.done.title", Lines: []page.Text{page.Say("verify.done")}, Way: v.path(v.app, accountPath), WayLabel: "go.account",
	}))
}
