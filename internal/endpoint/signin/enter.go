package signin

import (
	"errors"
	"net/http"
	"strings"

	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// notices are what the sign-in page may be opened with, by the parameter
// `notice`.
var notices = map[string]string{
	"expired": "signin.expired", "reset": "signin.reset", "fresh": "signin.fresh", "lost": "signin.lost",
}

// again is the parameter that names the page of the account for whose sake who
// is signed in proves once more who he is.
const again = "again"

// accountPages are the values of `again`, and the paths that they lead to.
var accountPages = map[string]string{
	"account": accountPath, "password": passwordPath, "totp": enrolPath, "passkeys": passkeysPath,
}

// onward gives the path of the page for whose sake somebody signs in, of the
// account or of the console; false where there is none.
func (v *visit) onward() (string, bool) {
	to := v.form.Get(again)
	if path, ok := accountPages[to]; ok {
		return v.path(v.app, path), true
	}
	if v.Home != "" && (to == v.Home || strings.HasPrefix(to, v.Home+"/")) && !strings.ContainsAny(to, "\\\r\n") {
		return to, true
	}
	return "", false
}

// home is where who is signed in goes where there is no such page.
func (v *visit) home() string {
	if v.Home != "" {
		return v.Home
	}
	return v.path(v.app, accountPath)
}

// showSignIn is the sign-in page, or what it comes to.
func (v *visit) showSignIn() error {
	if v.form.Get("other") == "" && v.session != nil {
		switch {
		case v.request == nil && v.form.Get(again) == "":
			return v.redirect(v.home())
		case v.request != nil && (v.request.Need == authorization.Choose || v.request.Need == authorization.SignIn):
			// For SignIn somebody has signed in since: in another tab, or he came back here.
			return v.show(http.StatusOK, "choose", v.frame(chooseData{
				Request: v.sealed, Action: v.path(v.app, choosePath), Client: v.clientName(), Account: v.account(), Other: with(v.at(signInPath), "other", "1"),
			}))
		case v.request != nil && v.request.Need == authorization.SecondFactor:
			if done, err := v.stepUp(); done || err != nil {
				return err
			}
		}
	}
	email := ""
	switch {
	case v.session != nil && v.form.Get("other") == "":
		email = v.user.Email
	case v.request != nil:
		email = v.request.LoginHint
	}
	return v.signInForm(http.StatusOK, email, nil)
}

// stepUp sends who is signed in by one factor to prove a second one; false
// where there is none.
func (v *visit) stepUp() (done bool, err error) {
	pending, ok, err := v.SignIn.StepUp(v.r.Context(), v.app, v.user, v.session.AMR)
	if err != nil || !ok {
		return false, err
	}
	v.cookie(stepCookie).Write(v.w, pending, signin.Patience)
	return true, v.redirect(v.at(totpPath))
}

// account names who is signed in.
func (v *visit) account() string {
	if v.user.Email != "" {
		return v.user.Email
	}
	return v.user.UUID
}

// signInForm shows the form, with what was refused.
func (v *visit) signInForm(status int, email string, problem *page.Text) error {
	d := signInData{
		Request: v.sealed, Action: v.path(v.app, signInPath), Client: v.clientName(),
		Again:     v.session != nil && (v.form.Get(again) != "" || v.request != nil && v.request.Need == authorization.SignInAgain),
		AgainFor:  v.form.Get(again),
		Email:     page.Field{Name: "email", Type: "email", Label: "field.email", Autocomplete: "username", Value: email, Focus: email == "", Problem: problem},
		Password:  page.Field{Name: "password", Type: "password", Label: "field.password", Autocomplete: "current-password", Focus: email != ""},
		Forgotten: v.at(forgottenPath),
	}
	if v.SignIn.Passkeys() {
		d.Passkey = &passkeyForm{
			Kind: "get", Action: v.path(v.app, passkeyPath), Options: v.path(v.app, passkeyPath+optionsPath),
			Request: v.sealed, Again: v.form.Get(again), Label: "passkey.signin", Class: "full",
		}
	}
	if v.registers() {
		d.Register = v.at(registerPath)
	}
	if v.request != nil {
		d.Cancel = v.path(v.app, cancelPath)
	}
	if key, ok := notices[v.form.Get("notice")]; ok && problem == nil {
		d.Notice = &page.Text{Key: key}
	}
	if v.session != nil && v.request != nil && v.request.Need == authorization.SecondFactor && problem == nil {
		d.Notice = &page.Text{Key: "signin.second", Values: []string{"client", v.clientName()}}
	}
	if v.request != nil && v.request.Entered && v.cookie(sessionCookie).Read(v.r) == "" && problem == nil {
		d.Notice = &page.Text{Key: "signin.cookies"}
	}
	f := v.frame(d)
	if problem != nil {
		f.Problems = []page.Problem{{Field: "email", Text: *problem}}
	}
	return v.show(status, "signin", f)
}

// signIn takes an address and a password.
func (v *visit) signIn() error {
	email := v.form.Get("email")
	out, err := v.SignIn.Password(v.r.Context(), v.app, email, v.form.Get("password"), v.from())
	if err != nil {
		status, problem, err := v.refusal(err, "signin.refused")
		if err != nil {
			return err
		}
		return v.signInForm(status, email, problem)
	}
	return v.proved(out)
}

// refusal gives the status and the text of an attempt that failed; an error that
// is no refusal is handed on.
func (v *visit) refusal(err error, wrong string) (status int, problem *page.Text, _ error) {
	if slow, ok := errors.AsType[*signin.SlowError](err); ok {
		v.slow(slow.Wait)
		return http.StatusTooManyRequests, &page.Text{Key: "signin.slow"}, nil
	}
	if kind := fault.KindOf(err); kind == fault.Denied || kind == fault.Invalid {
		return http.StatusBadRequest, &page.Text{Key: wrong}, nil
	}
	return 0, nil, err
}

// proved goes on after a factor that was right. Nobody is signed in before the
// second one is, where there is one: until then the browser keeps a sealed text.
func (v *visit) proved(out *signin.Outcome) error {
	if !out.Done() {
		v.cookie(stepCookie).Write(v.w, out.Pending, signin.Patience)
		return v.redirect(v.again(totpPath))
	}
	v.cookie(stepCookie).Clear(v.w)
	if out.Device != "" {
		v.cookie(deviceCookie).Write(v.w, out.Device, signin.DeviceKept)
	}
	if err := v.enter(out); err != nil {
		return err
	}
	if v.request != nil {
		v.request.Entered = true
		if v.request.Need == authorization.Choose {
			v.request.Chosen = v.session.SID
		}
		return v.goOn()
	}
	if path, ok := v.onward(); ok {
		return v.redirect(path)
	}
	return v.redirect(v.home())
}

// again gives the path of a page of the sign-in, with what follows after it.
func (v *visit) again(below string) string {
	if to := v.form.Get(again); to != "" && v.sealed == "" {
		if _, ok := v.onward(); ok {
			return with(v.path(v.app, below), again, to)
		}
	}
	return v.at(below)
}

// enter begins a session, or renews the one that the same user has here. That of
// another user ends: this browser no longer holds its cookie.
func (v *visit) enter(out *signin.Outcome) error {
	ctx := v.r.Context()
	if v.session != nil && v.session.UserID != out.User.UUID {
		if err := v.Sessions.End(ctx, v.source, v.session); err != nil {
			return err
		}
		v.session = nil
	}
	v.source.Actor = "user:" + out.User.UUID
	how := session.SignIn{AMR: out.AMR, ACR: out.ACR, UserAgent: v.r.UserAgent()}
	if v.session != nil {
		made, cookie, err := v.Sessions.Again(ctx, v.source, v.app, v.session, out.User, how)
		if err == nil {
			v.entered(made, cookie)
			return nil
		}
		if fault.KindOf(err) != fault.NotFound { // it ended a moment ago
			return err
		}
	}
	made, cookie, err := v.Sessions.Begin(ctx, v.source, v.app, out.User, how)
	if err != nil {
		return err
	}
	v.entered(made, cookie)
	return nil
}

func (v *visit) entered(made *session.Session, cookie string) {
	v.session = made
	v.cookie(sessionCookie).Write(v.w, cookie, v.app.Settings.Session())
}

// choose goes on as who is signed in, after prompt=select_account.
func (v *visit) choose() error {
	if v.request == nil || v.session == nil {
		return v.redirect(v.at(signInPath))
	}
	v.request.Chosen = v.session.SID
	return v.goOn()
}

// cancel declines the request instead of signing in.
func (v *visit) cancel() error {
	if v.request == nil {
		return v.redirect(v.path(v.app, signInPath))
	}
	v.request.Denied = true
	return v.goOn()
}
