package signin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// ceremonyTime is how long the browser keeps what an authenticator was asked.
const ceremonyTime = 10 * time.Minute

// ask answers the script with what an authenticator is asked; what belongs to it
// goes into a cookie, out of the script's reach.
func (v *visit) ask(options json.RawMessage, state string, err error) error {
	if err != nil {
		return err
	}
	v.cookie(passkeyCookie).Write(v.w, state, ceremonyTime)
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(options) //nolint:gosec // G705: JSON of the server's own; who has gone needs no answer
	return nil
}

// askForPasskey gives the options for signing in.
func (v *visit) askForPasskey() error { return v.ask(v.SignIn.BeginPasskeySignIn(v.app)) }

// usePasskey signs in by what an authenticator answered.
func (v *visit) usePasskey() error {
	state := v.cookie(passkeyCookie).Read(v.r)
	v.cookie(passkeyCookie).Clear(v.w)
	out, err := v.SignIn.PasskeySignIn(v.r.Context(), v.app, state, []byte(v.form.Get("credential")), v.from())
	if err != nil {
		status, problem, err := v.refusal(err, "passkey.failed")
		if err != nil {
			return err
		}
		return v.signInForm(status, v.form.Get("email"), problem)
	}
	return v.proved(out)
}

// askForNewPasskey gives the options for making a passkey.
func (v *visit) askForNewPasskey() error {
	return v.ask(v.SignIn.BeginPasskey(v.r.Context(), v.app, v.user))
}

// showAddPasskey is the page on which a passkey is made.
func (v *visit) showAddPasskey() error {
	if !v.SignIn.Passkeys() {
		return v.redirect(v.path(v.app, accountPath))
	}
	name, err := v.set.Text(v.frame(nil).Language, "passkey.name")
	if err != nil {
		return err
	}
	return v.passkeyForm(http.StatusOK, name, nil)
}

func (v *visit) passkeyForm(status int, name string, problem *page.Problem) error {
	hint := page.Say("hint.passkeyname")
	field := page.Field{Name: "name", Label: "field.passkeyname", Value: name, Hint: &hint, MaxLength: signin.MaxLabel}
	f := v.frame(passkeyData{
		Passkey: &passkeyForm{
			Kind: "create", Action: v.path(v.app, passkeysPath), Options: v.path(v.app, passkeysPath+optionsPath),
			Name: &field, Label: "passkey.create", Class: "primary full",
		},
		Back: v.path(v.app, accountPath),
	})
	if problem != nil {
		f.Problems = []page.Problem{*problem}
		if problem.Field == field.Name {
			field.Problem = &problem.Text
		}
	}
	return v.show(status, "passkey", f)
}

// addPasskey stores what an authenticator made.
func (v *visit) addPasskey() error {
	state := v.cookie(passkeyCookie).Read(v.r)
	v.cookie(passkeyCookie).Clear(v.w)
	name := strings.TrimSpace(v.form.Get("name"))
	_, err := v.SignIn.AddPasskey(v.r.Context(), v.source, v.app, v.user, state, []byte(v.form.Get("credential")), name)
	if err == nil {
		return v.toAccount("passkey")
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		switch f.Kind {
		case fault.Invalid:
			return v.passkeyForm(http.StatusBadRequest, name, &page.Problem{Field: "name", Text: page.Say("error.label", "n", strconv.Itoa(signin.MaxLabel))})
		case fault.Denied, fault.Conflict:
			return v.passkeyForm(http.StatusBadRequest, name, &page.Problem{Text: page.Say("passkey.failed")})
		default: // the server's own
		}
	}
	return err
}

// askRemovePasskey asks before a passkey goes.
func (v *visit) askRemovePasskey() error {
	list, _, err := v.SignIn.List(v.r.Context(), v.app, v.user)
	if err != nil {
		return err
	}
	for i := range list {
		if c := &list[i]; c.Kind == signin.Passkey && c.ID == v.form.Get("id") {
			intro := page.Say("passkey.remove.intro", "name", c.Label)
			return v.question(formData{
				Title: "passkey.remove.title", Intro: &intro, Action: v.path(v.app, removePasskeyPath), Values: []hidden{{"id", c.ID}}, Button: "account.remove",
			})
		}
	}
	return v.redirect(v.path(v.app, accountPath)) // it is gone
}

// removePasskey removes a passkey.
func (v *visit) removePasskey() error {
	if err := v.remove(v.form.Get("id")); err != nil {
		return err
	}
	return v.toAccount("passkey-removed")
}
