package signin

import (
	"errors"
	"net/http"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// asked is what somebody asks to be sent by mail, in the language of the page.
func (v *visit) asked() signin.Asked {
	return signin.Asked{Email: v.form.Get("email"), Locale: v.frame(nil).Language, Request: v.sealed}
}

// emailField is the input for an address.
func emailField(value string, problem *page.Text) page.Field {
	return page.Field{
		Name: "email", Type: "email", Label: "field.email", Autocomplete: "email", Value: value,
		Focus: problem == nil, Problem: problem,
	}
}

// notAsked gives what is said of an address to which nothing is sent, and with
// which status; an error that is no refusal is handed on.
func (v *visit) notAsked(err error) (status int, problem *page.Text, _ error) {
	if slow, ok := errors.AsType[*signin.SlowError](err); ok {
		v.slow(slow.Wait)
		return http.StatusTooManyRequests, &page.Text{Key: "signin.slow"}, nil
	}
	if fault.KindOf(err) == fault.Invalid {
		return http.StatusBadRequest, &page.Text{Key: "error.email"}, nil
	}
	return 0, nil, err
}

// showForgotten asks for the address of who forgot his password.
func (v *visit) showForgotten() error {
	if !v.SignIn.CanMail() {
		return v.show(http.StatusOK, "message", v.frame(messageData{
			Title: "forgotten.title", Lines: []page.Text{page.Say("forgotten.nomail")}, Way: v.at(signInPath), WayLabel: "go.signin",
		}))
	}
	email := ""
	switch {
	case v.user != nil:
		email = v.user.Email
	case v.request != nil:
		email = v.request.LoginHint
	}
	return v.forgottenForm(http.StatusOK, email, nil)
}

func (v *visit) forgottenForm(status int, email string, problem *page.Text) error {
	intro := page.Say("forgotten.intro")
	return v.oneForm(status, problem, formData{
		Title: "forgotten.title", Intro: &intro, Request: v.sealed, Action: v.path(v.app, forgottenPath),
		Fields: []page.Field{emailField(email, problem)}, Button: "forgotten.button", Back: v.at(signInPath), BackLabel: "signin.back",
	})
}

// forgotten sends a link, where there is an account; the answer is the same
// where there is none.
func (v *visit) forgotten() error {
	asked := v.asked()
	err := v.SignIn.Forgotten(v.app, asked, v.from())
	if fault.KindOf(err) == fault.Conflict { // no mail
		return v.redirect(v.at(forgottenPath))
	}
	if err != nil {
		status, problem, err := v.notAsked(err)
		if err != nil {
			return err
		}
		return v.forgottenForm(status, asked.Email, problem)
	}
	return v.sent("forgotten.sent", asked.Email)
}

func (v *visit) sent(text, email string) error {
	return v.show(http.StatusOK, "message", v.frame(messageData{
		Title: "register.sent.title", Lines: []page.Text{page.Say(text, "email", email)}, Way: v.at(signInPath), WayLabel: "go.signin",
	}))
}

// showRegister asks for the address that a new account is to have.
func (v *visit) showRegister() error {
	if !v.registers() {
		return v.show(http.StatusNotFound, "message", v.frame(messageData{
			Title: "register.off.title", Lines: []page.Text{page.Say("register.off")}, Way: v.at(signInPath), WayLabel: "go.signin",
		}))
	}
	email := ""
	if v.request != nil {
		email = v.request.LoginHint
	}
	return v.registerForm(http.StatusOK, email, nil)
}

// registers reports whether people make accounts by themselves here.
func (v *visit) registers() bool { return v.app.Settings.Registration && v.SignIn.CanMail() }

func (v *visit) registerForm(status int, email string, problem *page.Text) error {
	f := v.frame(registerData{
		Request: v.sealed, Action: v.path(v.app, registerPath), Client: v.clientName(), Back: v.at(signInPath),
		Intro: page.Say("register.intro"), Fields: []page.Field{emailField(email, problem)}, Button: "register.button",
	})
	if problem != nil {
		f.Problems = []page.Problem{{Field: "email", Text: *problem}}
	}
	return v.show(status, "register", f)
}

// register sends a link to the address; what the mail says depends on whether
// there is an account with it, what the page says does not.
func (v *visit) register() error {
	if !v.registers() {
		return v.redirect(v.at(registerPath))
	}
	asked := v.asked()
	if err := v.SignIn.Register(v.app, asked, v.from()); err != nil {
		status, problem, err := v.notAsked(err)
		if err != nil {
			return err
		}
		return v.registerForm(status, asked.Email, problem)
	}
	return v.sent("register.sent", asked.Email)
}

// showFinish is the page on which a new account gets its password.
func (v *visit) showFinish() error {
	l, err := v.link(signin.ForRegister)
	if l == nil {
		return err
	}
	return v.finishForm(http.StatusOK, l, nil)
}

// Bounds of a name, in characters.
const (
	maxName  = 100
	mostName = "100"
)

func (v *visit) finishForm(status int, l *signin.Link, problems []page.Problem) error {
	of := func(field string) *page.Text {
		for i := range problems {
			if problems[i].Field == field {
				return &problems[i].Text
			}
		}
		return nil
	}
	f := v.frame(registerData{
		Action: v.path(v.app, finishPath), Client: v.clientName(), Account: l.Email, Intro: page.Say("register.finish", "email", l.Email), Button: "register.title",
		Fields: []page.Field{
			{Name: "name", Label: "field.name", Autocomplete: "name", Value: v.form.Get("name"), MaxLength: maxName, Optional: true, Problem: of("name")},
			newPassword("field.password", of("password")),
		},
	})
	f.Problems = problems
	return v.show(status, "register", f)
}

// finish makes the account, and signs its user in.
func (v *visit) finish() error {
	l, err := v.link(signin.ForRegister)
	if l == nil {
		return err
	}
	attributes := map[string]any{}
	if name := v.form.Get("name"); name != "" {
		attributes["displayName"] = name
	}
	password := v.form.Get("password")
	out, err := v.SignIn.Registered(v.r.Context(), v.app, v.token(), password, attributes, v.from())
	if err == nil {
		v.cookie(linkCookie).Clear(v.w)
		return v.proved(out)
	}
	_, many := errors.AsType[fault.Problems](err)
	switch kind := fault.KindOf(err); {
	case many || kind == fault.Invalid:
		var problems []page.Problem
		if user.CheckPassword(password, l.Email) != nil {
			problems = append(problems, page.Problem{Field: "password", Text: *passwordProblem(password)})
		} else {
			problems = append(problems, page.Problem{Field: "name", Text: page.Say("error.name", "n", mostName)})
		}
		return v.finishForm(http.StatusBadRequest, l, problems)
	case kind == fault.NotFound:
		return v.deadLink()
	case kind == fault.Conflict: // an account came into being meanwhile
		return v.redirect(v.at(signInPath))
	default:
		return err
	}
}

// sendVerification sends a link by which the user shows that his address is his.
func (v *visit) sendVerification() error {
	err := v.SignIn.SendVerification(v.app, v.user, v.frame(nil).Language, v.from())
	_, slow := errors.AsType[*signin.SlowError](err)
	switch {
	case err == nil:
		return v.toAccount("email-sent")
	case slow, fault.KindOf(err) == fault.Conflict: // no mail, or too much of it
		return v.toAccount("email-not-sent")
	default:
		return err
	}
}
