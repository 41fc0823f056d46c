package signin

import (
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

type adder func(name, template string, data any, change ...func(*page.View))

func signInSpecimens(words Words, add adder) {
	email := page.Field{Name: "email", Type: "email", Label: "field.email", Autocomplete: "username webauthn", Value: words.Email, Focus: true}
	password := page.Field{Name: "password", Type: "password", Label: "field.password", Autocomplete: "current-password"}
	signIn := signInData{
		Request: "sealed", Action: "/shop/signin", Client: words.Client, Email: email, Password: password,
		Passkey:   &passkeyForm{Kind: "get", Action: "/shop/signin/passkey", Options: "/shop/signin/passkey/options", Request: "sealed", Label: "passkey.signin", Class: "full"},
		Forgotten: "/shop/signin/forgotten?request=sealed", Register: "/shop/signin/register", Cancel: "/shop/signin/cancel",
	}
	add("signin", "signin", signIn)
	refused := signIn
	problem := page.Say("signin.refused")
	refused.Email.Problem, refused.Email.Focus = &problem, false
	add("signin-refused", "signin", refused, func(v *page.View) { v.Problems = []page.Problem{{Field: "email", Text: problem}} })
	again := signIn
	again.Again = true
	notice := page.Say("signin.fresh")
	again.Notice = &notice
	add("signin-again", "signin", again)
	add("choose", "choose", chooseData{Request: "sealed", Action: "/shop/signin/choose", Client: words.Client, Account: words.Email, Other: "/x"})
	code := page.Field{Name: "code", Label: "field.code", Autocomplete: "one-time-code", InputMode: "numeric", MaxLength: 6, Focus: true}
	add("totp", "totp", totpData{Request: "sealed", Action: "/x", Code: code, Other: "/x", Back: "/y"})
	recovery := page.Field{Name: "code", Label: "field.recovery", Autocomplete: "off"}
	add("recovery", "totp", totpData{Request: "sealed", Action: "/x", Recovery: true, Code: recovery, Other: "/x", Back: "/y"})
	hinted := page.Field{Name: "password", Type: "password", Label: "field.newpassword", Autocomplete: "new-password", Hint: &page.Text{Key: "hint.password", Values: []string{"n", "8"}}}
	short := page.Say("error.password.short", "n", "8")
	hinted.Problem = &short
	name := page.Field{Name: "name", Label: "field.name", Autocomplete: "name", Value: words.Name, Optional: true}
	add("register", "register", registerData{Request: "sealed", Action: "/x", Client: words.Client, Intro: page.Say("register.finish", "email", words.Email), Button: "register.title", Back: "/y", Fields: []page.Field{email, name, hinted}},
		func(v *page.View) { v.Problems = []page.Problem{{Field: "password", Text: short}} })
	intro := page.Say("forgotten.intro")
	add("forgotten", "form", formData{Title: "forgotten.title", Intro: &intro, Action: "/x", Fields: []page.Field{email}, Button: "forgotten.button", Back: "/y", BackLabel: "signin.back"})
	add("sent", "message", messageData{Title: "register.sent.title", Lines: []page.Text{page.Say("forgotten.sent", "email", words.Email)}, Way: "/x", WayLabel: "go.signin"})
	add("reset", "form", formData{Title: "reset.title", Action: "/x", Account: words.Email, Fields: []page.Field{hinted}, Button: "reset.button"})
	add("consent", "consent", consentData{
		Request: "sealed", Action: "/shop/consent", Client: words.Client, Description: words.Description,
		List:    scopeList{"scopes", []scopeText{{Key: "scope.openid"}, {Key: "scope.email"}, {Text: words.Scope}}},
		Account: words.Email, Destination: "app.example.com", Other: "/x",
	})
}

func accountSpecimens(t testing.TB, p *Pages, app *application.Application, words Words, add adder) {
	t.Helper()
	wide := func(v *page.View) { v.Wide = true }
	ago := func(d time.Duration) time.Time { return specimenTime.Add(-d) }
	notice := page.Say("done.password")
	full := accountData{
		HasClients: true,
		Path:       p.path(app, "/account"), Notice: &notice, Email: words.Email, HasPassword: true, TOTP: true, CanPasskeys: true, CanMail: true, RecoveryCodes: 1,
		Passkeys: []passkeyRow{{ID: "1", Name: words.Name, CreatedAt: ago(time.Hour), UsedAt: ago(time.Second)}},
		Clients: []clientRow{
			{ID: "c1", Name: words.Client, GrantedAt: ago(50 * 24 * time.Hour), List: scopeList{"dots", []scopeText{{Key: "scope.profile"}, {Text: words.Scope}}}},
			{ID: "c2", Name: "Warehouse", GrantedAt: ago(25 * time.Hour)},
		},
		Sessions: []sessionRow{
			{SID: "1", Here: true, Browser: describe(words.Agent), Address: "192.0.2.1", SeenAt: ago(time.Second), CreatedAt: ago(time.Hour)},
			{SID: "2", Browser: describe("Mozilla/5.0 (iPhone) Safari"), Address: "2001:db8:1234:5678:9abc:def0:1234:5678", SeenAt: ago(61 * time.Minute), CreatedAt: ago(48 * time.Hour)},
		},
	}
	add("account", "account", full, wide)
	sure := page.Say("revoke.intro", "client", words.Client)
	add("question", "form", formData{
		Title: "revoke.title", Intro: &sure, Action: "/x", Values: []hidden{{"client", words.Name}}, Button: "account.clients.revoke", Back: "/y", BackLabel: "account.back",
	})
	many := full
	many.MoreClients = true
	add("account-many", "account", many, wide)
	add("account-empty", "account", accountData{Path: p.path(app, "/account"), HasClients: true, Sessions: full.Sessions[:1]}, wide)
	size, modules, err := drawQR("otpauth://totp/Shop:ada@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Shop")
	if err != nil {
		t.Fatal(err)
	}
	code := page.Field{Name: "code", Label: "field.code", Autocomplete: "one-time-code", InputMode: "numeric"}
	add("enrol", "enrol", enrolData{Size: size, Modules: modules, Secret: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP", Action: "/x", Code: code, Back: "/y"})
	add("codes", "codes", codesData{Codes: []string{"abcd-efgh-ijkl", "mnop-qrst-uvwx", "abcd-efgh-ijk2"}, Back: "/y"})
	name := page.Field{Name: "name", Label: "field.passkeyname", Hint: &page.Text{Key: "hint.passkeyname"}, Value: words.Name}
	add("passkey", "passkey", passkeyData{Passkey: &passkeyForm{Kind: "create", Action: "/x", Options: "/y", Name: &name, Label: "passkey.create", Class: "primary full"}, Back: "/y"})
}
