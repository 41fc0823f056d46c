package signin

import (
	"net/http"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// showPassword is the page on which the user changes his password. Who has none
// gets one by a link.
func (v *visit) showPassword() error {
	if v.user.PasswordHash == "" {
		return v.redirect(v.path(v.app, forgottenPath))
	}
	return v.passwordForm(http.StatusOK, nil, nil)
}

func (v *visit) passwordForm(status int, current, chosen *page.Text) error {
	intro := page.Say("password.intro")
	d := formData{
		Title: "password.title", Intro: &intro, Action: v.path(v.app, passwordPath), Account: v.account(),
		Fields: []page.Field{
			{Name: "current", Type: "password", Label: "field.currentpassword", Autocomplete: "current-password", Problem: current},
			newPassword("field.newpassword", chosen),
		},
		Button: "password.button", Back: v.path(v.app, accountPath), BackLabel: "account.back",
	}
	f := v.frame(d)
	for _, field := range d.Fields {
		if field.Problem != nil {
			f.Problems = append(f.Problems, page.Problem{Field: field.Name, Text: *field.Problem})
		}
	}
	return v.show(status, "form", f)
}

// changePassword takes the old and the new one. All other sessions end.
func (v *visit) changePassword() error {
	current, chosen := v.form.Get("current"), v.form.Get("password")
	if user.CheckPassword(chosen, v.user.Email) != nil {
		return v.passwordForm(http.StatusBadRequest, nil, passwordProblem(chosen))
	}
	made, cookie, err := v.SignIn.ChangePassword(v.r.Context(), v.app, v.session, v.user, current, chosen, v.from())
	if fault.KindOf(err) == fault.NotFound { // the session ended meanwhile
		return v.redirect(v.path(v.app, signInPath))
	}
	if err != nil {
		status, problem, err := v.refusal(err, "error.password.wrong")
		if err != nil {
			return err
		}
		return v.passwordForm(status, problem, nil)
	}
	v.entered(made, cookie)
	return v.toAccount("password")
}
