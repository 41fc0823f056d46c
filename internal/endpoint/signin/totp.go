package signin

import (
	"net/http"
	"strings"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// totpLabel is the name of an authenticator app; there is one, and it needs none.
const totpLabel = "TOTP"

// showEnrol shows a new secret, as a QR code and as text.
func (v *visit) showEnrol() error {
	e, err := v.SignIn.BeginTOTP(v.app, v.user)
	if err != nil {
		return err
	}
	return v.enrolForm(http.StatusOK, e, nil)
}

func (v *visit) enrolForm(status int, e *signin.Enrolment, problem *page.Text) error {
	size, modules, err := drawQR(e.URL)
	if err != nil {
		return err
	}
	f := v.frame(enrolData{
		Size: size, Modules: modules, Secret: inFours(e.Secret), State: e.State, Action: v.path(v.app, enrolPath),
		Code: codeField(problem), Back: v.path(v.app, accountPath),
	})
	if problem != nil {
		f.Problems = []page.Problem{{Field: "code", Text: *problem}}
	}
	return v.show(status, "enrol", f)
}

// inFours writes a text in groups of four, to be typed.
func inFours(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i += 4 {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(text[i:min(i+4, len(text))])
	}
	return out.String()
}

// enrol takes the first code of a new app; with it come recovery codes.
func (v *visit) enrol() error {
	state := v.form.Get("state")
	codes, err := v.SignIn.ConfirmTOTP(v.r.Context(), v.source, v.app, v.user, state, v.form.Get("code"), totpLabel)
	if fault.KindOf(err) == fault.Invalid {
		e, err := v.SignIn.ResumeTOTP(v.app, v.user, state)
		if err != nil {
			return err
		}
		problem := page.Say("error.code")
		if e.State != state { // the first one was kept too long
			problem = page.Say("signin.expired")
		}
		return v.enrolForm(http.StatusBadRequest, e, &problem)
	}
	if err != nil {
		return err
	}
	if codes == nil { // not the first app, or the form came once more
		return v.toAccount("totp")
	}
	return v.showCodes(codes)
}

func (v *visit) showCodes(codes []string) error {
	return v.show(http.StatusOK, "codes", v.frame(codesData{Codes: codes, Back: v.path(v.app, accountPath)}))
}

// askNewCodes asks before the recovery codes that there are end.
func (v *visit) askNewCodes() error {
	intro := page.Say("codes.new.intro")
	return v.question(formData{Title: "codes.new.title", Intro: &intro, Action: v.path(v.app, codesPath), Button: "account.codes.new"})
}

// newCodes replaces the recovery codes.
func (v *visit) newCodes() error {
	codes, err := v.SignIn.NewRecoveryCodes(v.r.Context(), v.source, v.app, v.user)
	if fault.KindOf(err) == fault.Conflict {
		return v.redirect(v.path(v.app, accountPath))
	}
	if err != nil {
		return err
	}
	return v.showCodes(codes)
}

// askRemoveTOTP asks before the second factor goes.
func (v *visit) askRemoveTOTP() error {
	intro := page.Say("totp.remove.intro")
	return v.question(formData{Title: "totp.remove.title", Intro: &intro, Action: v.path(v.app, removeTOTPPath), Button: "account.totp.remove"})
}

// removeTOTP removes the user's authenticator apps.
func (v *visit) removeTOTP() error {
	list, _, err := v.SignIn.List(v.r.Context(), v.app, v.user)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Kind != signin.TOTP {
			continue
		}
		if err := v.remove(c.ID); err != nil {
			return err
		}
	}
	return v.toAccount("totp-removed")
}

// remove removes one of the user's credentials; again does nothing.
func (v *visit) remove(id string) error {
	err := v.SignIn.Remove(v.r.Context(), v.source, v.app, v.user, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}
