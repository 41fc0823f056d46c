package signin_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

// outbox is where mail arrives.
type outbox struct{ letters []letter }

type letter struct{ to, subject, text string }

func (o *outbox) Send(_ context.Context, to, subject, text string) error {
	o.letters = append(o.letters, letter{to, subject, text})
	return nil
}

var linkText = regexp.MustCompile(`http://\S+`)

// mailing gives a server that sends mail, and lets people make accounts.
func mailing(t *testing.T) (*agent, *outbox) {
	t.Helper()
	a := start(t, servertest.Options{})
	box := &outbox{}
	a.server.App.SignIn.Mailer = box
	a.change(func(app *application.Application) { app.Settings.Registration = true })
	return a, box
}

// change changes the application.
func (a *agent) change(change func(*application.Application)) {
	a.t.Helper()
	id := a.server.ApplicationID
	_, err := a.server.App.Applications.Change(a.t.Context(), id, func(app *application.Application) (audit.Event, error) {
		change(app)
		return audit.New(audit.System(), id, "application.update", "application:"+id, a.server.Clock.Now()), nil
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

// mail gives the only letter that was sent since, and the path of the link in it.
func (a *agent) mail(box *outbox) (letter, string) {
	a.t.Helper()
	a.server.App.SignIn.Work(a.t.Context())
	if len(box.letters) != 1 {
		a.t.Fatalf("%d letters were sent: %v", len(box.letters), box.letters)
	}
	l := box.letters[0]
	box.letters = nil
	return l, strings.TrimPrefix(linkText.FindString(l.text), a.server.URL)
}

func TestAForgottenPassword(t *testing.T) {
	a, box := mailing(t)
	a.person(ada)
	other := browse(t, a.server)
	other.signIn(other.at("/signin"), ada, password)

	page := a.get(a.at("/signin/forgotten"))
	page.want(t, http.StatusOK, "Forgotten password")
	a.send(page, "/forgotten", "email", "no address").want(t, http.StatusBadRequest, "Enter an e-mail address", `value="no address"`)
	answer := a.send(page, "/forgotten", "email", ada)
	answer.want(t, http.StatusOK, "If there is an account with ada@example.com")
	l, link := a.mail(box)
	if l.to != ada || !strings.Contains(l.subject, "Choose a new password") {
		t.Errorf("the letter is %+v", l)
	}
	nobody := a.send(page, "/forgotten", "email", "bob@example.com")
	if strings.ReplaceAll(nobody.body, "bob@", "ada@") != answer.body {
		t.Error("an address without an account is answered otherwise")
	}
	a.server.App.SignIn.Work(t.Context())
	if len(box.letters) != 0 {
		t.Errorf("a letter was sent to nobody: %v", box.letters)
	}

	followed := a.get(link)
	followed.leads(t, a.at("/signin/reset"))
	page = a.get(followed.to)
	page.want(t, http.StatusOK, "Choose a new password")
	for given, says := range map[string]string{
		"short": "at least 8 characters", "password": "easy to guess", strings.Repeat("long ", 60): "at most 256 characters", ada: "easy to guess",
	} {
		refused := a.send(page, "/reset", "password", given)
		refused.want(t, http.StatusBadRequest, says)
		if given != ada && given != "password" && strings.Contains(refused.body, given+`"`) {
			t.Error("the password is on the page")
		}
	}
	a.send(page, "/reset", "password", "a lamp on the stairs").leads(t, a.at("/signin?notice=reset"))
	other.get(other.at("/account")).leads(t, other.at("/signin"))
	a.signIn(a.at("/signin"), ada, password).want(t, http.StatusBadRequest)
	a.signIn(a.at("/signin"), ada, "a lamp on the stairs").leads(t, a.at("/account"))
	a.get(link).want(t, http.StatusNotFound, "This link is no longer good", "Ask for a new link", "Go to the sign-in")
}

// TestALinkLeavesNoToken: not on a page, not in an address after it was
// followed; and it is not used up by programs that follow links.
func TestALinkLeavesNoToken(t *testing.T) {
	a, box := mailing(t)
	a.person(ada)
	a.send(a.get(a.at("/signin/forgotten")), "/forgotten", "email", ada)
	_, link := a.mail(box)
	_, token, _ := strings.Cut(link, "token=")
	for range 2 {
		b := browse(t, a.server)
		followed := b.get(link)
		page := b.get(followed.to)
		page.want(t, http.StatusOK, "Choose a new password")
		if token == "" || strings.Contains(followed.to+followed.body+page.body, token) {
			t.Errorf("the token is in %s\n%s", followed.to, page.body)
		}
		if followed.header.Get("Referrer-Policy") != "no-referrer" || followed.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", followed.header)
		}
	}
}

func TestRegistering(t *testing.T) {
	a, box := mailing(t)
	a.headers.Set("Accept-Language", "de")
	a.get(a.at("/signin")).want(t, http.StatusOK, "Konto anlegen")
	page := a.get(a.at("/signin/register"))
	a.send(page, "/register", "email", "neu@example.com").want(t, http.StatusOK, "Eine Nachricht an neu@example.com")
	l, link := a.mail(box)
	if !strings.Contains(l.subject, "Ihr neues Konto") || !strings.Contains(l.text, "Guten Tag") {
		t.Errorf("the letter is not in the language of the page: %+v", l)
	}
	followed := a.get(link)
	followed.leads(t, a.at("/signin/register/finish"))
	page = a.get(followed.to)
	refused := a.send(page, "/finish", "name", "Neu Ling", "password", "kurz")
	refused.want(t, http.StatusBadRequest, "mindestens 8 Zeichen", `value="Neu Ling"`)
	a.send(refused, "/finish", "password", "ein Licht im Flur").leads(t, a.at("/account"))
	a.get(a.at("/account")).want(t, http.StatusOK, "neu@example.com", "bestätigt")
	u, err := a.server.App.Users.ByEmail(t.Context(), a.server.ApplicationID, "neu@example.com")
	if err != nil || u.Attributes["displayName"] != "Neu Ling" {
		t.Errorf("%+v, %v", u, err)
	}

	b := browse(t, a.server)
	b.send(b.get(b.at("/signin/register")), "/register", "email", "neu@example.com").want(t, http.StatusOK, "A message to neu@example.com")
	if l, link := b.mail(box); link != b.at("/signin") || !strings.Contains(l.text, "you have one already") {
		t.Errorf("who has an account is told %+v", l)
	}
}

func TestRegisteringWhereItIsNotOffered(t *testing.T) {
	a := start(t, servertest.Options{})
	if strings.Contains(a.get(a.at("/signin")).body, "/register") {
		t.Error("it is offered")
	}
	a.get(a.at("/signin/register")).want(t, http.StatusNotFound, "No new accounts here")
	a.do(http.MethodPost, a.at("/signin/register"), "email=x@example.com").leads(t, a.at("/signin/register"))
	a.get(a.at("/signin/forgotten")).want(t, http.StatusOK, "This server sends no mail")
	a.do(http.MethodPost, a.at("/signin/forgotten"), "email=x@example.com").leads(t, a.at("/signin/forgotten"))
}

func TestAnAddressIsConfirmed(t *testing.T) {
	a, box := mailing(t)
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	account := a.get(a.at("/account"))
	account.want(t, http.StatusOK, "not confirmed")
	a.send(account, "/email/verify").leads(t, a.at("/account?done=email-sent"))
	_, link := a.mail(box)
	b := browse(t, a.server) // where the mail is read
	followed := b.get(link)
	followed.leads(t, b.at("/signin/verify"))
	page := b.get(followed.to)
	page.want(t, http.StatusOK, "Confirm that ada@example.com is your address.")
	a.get(a.at("/account")).want(t, http.StatusOK, "not confirmed")
	b.send(page, "/verify").want(t, http.StatusOK, "Your e-mail address is confirmed")
	if body := a.get(a.at("/account")).body; strings.Contains(body, "not confirmed") {
		t.Error("the address is not confirmed")
	}
	b.send(page, "/verify").want(t, http.StatusNotFound, "This link is no longer good")
}

func TestAPasswordIsChanged(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	other := browse(t, a.server)
	other.signIn(other.at("/signin"), ada, password)
	page := a.get(a.at("/account/password"))
	a.send(page, "/password", "current", password, "password", "short").want(t, http.StatusBadRequest, "at least 8 characters")
	a.send(page, "/password", "current", "wrong", "password", "a lamp on the stairs").want(t, http.StatusBadRequest, "This is not your current password")
	a.send(page, "/password", "current", password, "password", "a lamp on the stairs").leads(t, a.at("/account?done=password"))
	a.get(a.at("/account?done=password")).want(t, http.StatusOK, "Your password was changed.")
	other.get(other.at("/account")).leads(t, other.at("/signin"))
}

// TestThePagesKnowTheBoundsOfPasswords that package user has.
func TestThePagesKnowTheBoundsOfPasswords(t *testing.T) {
	for n, ok := range map[int]bool{7: false, 8: true, 256: true, 257: false} {
		if err := user.CheckPassword(strings.Repeat("xy", n)[:n], ada); (err == nil) != ok {
			t.Errorf("%d characters: %v", n, err)
		}
	}
}

func TestLettersAreWhole(t *testing.T) {
	a, box := mailing(t)
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	for _, language := range []string{"en", "de"} {
		a.headers.Set("Accept-Language", language)
		a.send(a.get(a.at("/signin/forgotten")), "/forgotten", "email", ada)
		a.send(a.get(a.at("/account")), "/email/verify")
		for _, email := range []string{ada, "new@example.com"} {
			a.send(a.get(a.at("/signin/register")), "/register", "email", email)
		}
		a.server.App.SignIn.Work(t.Context())
		a.server.Clock.Advance(time.Hour) // so that more may be sent
		a.signIn(a.at("/signin?again=account"), ada, password)
	}
	if len(box.letters) != 8 {
		t.Errorf("%d letters, want 8", len(box.letters))
	}
	for _, l := range box.letters {
		if l.subject == "" || strings.Contains(l.subject+l.text, "{") || strings.Contains(l.text, "\n\n\n") || strings.Count(l.text, "\n\n") != 5 {
			t.Errorf("%+v", l)
		}
	}
}
