package signin

import (
	"context"
	"net/http"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// showCode is the page for the code of an authenticator app.
func (v *visit) showCode() error { return v.codeForm(http.StatusOK, false, nil) }

// showRecovery is the page for a recovery code.
func (v *visit) showRecovery() error { return v.codeForm(http.StatusOK, true, nil) }

// codeField is an input for a one-time code of six digits, or of as many and a
// space.
func codeField(problem *page.Text) page.Field {
	return page.Field{
		Name: "code", Label: "field.code", Autocomplete: "one-time-code", InputMode: "numeric", MaxLength: 7,
		Focus: problem == nil, Problem: problem,
	}
}

func (v *visit) codeForm(status int, recovery bool, problem *page.Text) error {
	if v.cookie(stepCookie).Read(v.r) == "" {
		return v.redirect(v.at(signInPath))
	}
	d := totpData{
		Request: v.sealed, Again: v.form.Get(again), Action: v.path(v.app, totpPath), Code: codeField(problem),
		Other: v.again(recoveryPath), Back: v.again(signInPath),
	}
	if recovery {
		d.Recovery, d.Action, d.Other = true, v.path(v.app, recoveryPath), v.again(totpPath)
		d.Code.Label, d.Code.Autocomplete, d.Code.InputMode, d.Code.MaxLength = "field.recovery", "off", "", 0
	}
	f := v.frame(d)
	if problem != nil {
		f.Problems = []page.Problem{{Field: "code", Text: *problem}}
	}
	return v.show(status, "totp", f)
}

// enterCode takes the code of an authenticator app.
func (v *visit) enterCode() error { return v.second(v.SignIn.Code, false, "error.code") }

// enterRecovery takes a recovery code.
func (v *visit) enterRecovery() error { return v.second(v.SignIn.Recovery, true, "error.recovery") }

type prover func(ctx context.Context, app *application.Application, pending, code string, from signin.From) (*signin.Outcome, error)

func (v *visit) second(prove prover, recovery bool, wrong string) error {
	out, err := prove(v.r.Context(), v.app, v.cookie(stepCookie).Read(v.r), v.form.Get("code"), v.from())
	if fault.KindOf(err) == fault.Denied { // too late: from the beginning
		v.cookie(stepCookie).Clear(v.w)
		return v.redirect(with(v.again(signInPath), "notice", "expired"))
	}
	if err != nil {
		status, problem, err := v.refusal(err, wrong)
		if err != nil {
			return err
		}
		return v.codeForm(status, recovery, problem)
	}
	return v.proved(out)
}
