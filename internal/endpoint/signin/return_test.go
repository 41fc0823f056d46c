package signin_test

import (
	"net/http"
	"testing"

	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/servertest"
)

// TestWhoHasSignedInSinceIsNotAskedAgain: in another tab, or before he came back.
func TestWhoHasSignedInSinceIsNotAskedAgain(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	r := a.request(func(r *authorization.Request) { r.Need = authorization.SignIn })
	first := a.get(a.with("/signin", r))
	first.want(t, http.StatusOK, "Password")
	a.send(first, "/signin", "email", ada, "password", password)
	page := a.get(a.with("/signin", r))
	page.want(t, http.StatusOK, "Continue as "+ada, "Use another account")
	a.back(a.send(page, "/choose"))
}

// TestABrowserWithoutCookies is told why the sign-in page comes again.
func TestABrowserWithoutCookies(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	r := a.request(func(r *authorization.Request) { r.Need = authorization.SignIn })
	back := a.back(a.send(a.get(a.with("/signin", r)), "/signin", "email", ada, "password", password))
	if !back.Entered {
		t.Errorf("the request goes back as %+v", back)
	}
	back.Need = authorization.SignIn
	other := browse(t, a.server)
	other.get(other.with("/signin", back)).want(t, http.StatusOK, "your browser sent no cookie", "Password")
}

func TestAFormThatIsLostWithTheSession(t *testing.T) {
	a := start(t, servertest.Options{})
	lost := a.do(http.MethodPost, a.at("/account/clients/revoke"), "client=x")
	lost.leads(t, a.at("/signin?notice=lost"))
	a.get(lost.to).want(t, http.StatusOK, "what you sent was not saved")
}
