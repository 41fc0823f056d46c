package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/servertest"
)

func TestTheWayIn(t *testing.T) {
	r := start(t, servertest.Options{})
	if a := r.get("/console").shows(http.StatusSeeOther); a.location != r.at("/overview") {
		t.Errorf("the console leads to %s", a.location)
	}
	r.get("/console/applications").shows(http.StatusOK, "Default application", r.ApplicationID)
	r.get(r.at("/clients")).shows(http.StatusOK, "First owner", "confidential")
	r.get("/console/apps/another/clients").shows(http.StatusNotFound)
	if a := r.post("/console/signout").shows(http.StatusSeeOther); a.location != "/console/signin" {
		t.Errorf("after signing out: %s", a.location)
	}
	if a := r.get(r.at("/clients?q=a")).shows(http.StatusSeeOther); !strings.HasPrefix(a.location, "/console/signin?again=%2Fconsole%2Fapps%2F") {
		t.Errorf("without a session: %s", a.location)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+r.at("/clients?q=a"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("HX-Request", "true")
	if to := r.send(request).shows(http.StatusUnauthorized).header.Get("HX-Redirect"); to != "/console/signin?again="+url.QueryEscape(r.at("/clients?q=a")) {
		t.Errorf("a search without a session leads to %s", to)
	}
	if a := r.post("/console/signout").shows(http.StatusSeeOther); a.location != "/console/signin" {
		t.Errorf("after signing out twice: %s", a.location)
	}
}

// A form that comes after the session ended is not taken. The sign-in says so, and
// leads back to its page.
func TestAFormThatComesTooLate(t *testing.T) {
	r := start(t, servertest.Options{})
	r.post("/console/signout").shows(http.StatusSeeOther)
	for path, page := range map[string]string{
		"/scopes/new":                  "/scopes/new",
		"/scopes/edit?name=a%26b":      "/scopes/edit?name=a%26b",
		"/tokens/revoke?scope=a":       "/tokens?scope=a",
		"/clients/a/tokens/revoke-all": "/clients/a/tokens",
		"/clients/a/secrets/b/reveal":  "/clients/a/secrets",
		"/users/a/password":            "/users/a",
		"/transfer/import":             "/transfer",
		"/deactivate":                  "",
		"/settings?done=saved":         "/settings",
	} {
		a := r.post(r.at(path), "name", "typed")
		if want := "/console/signin?notice=lost&again=" + url.QueryEscape(r.at(page)); a.shows(http.StatusSeeOther).location != want {
			t.Errorf("%s leads to %s, want %s", path, a.location, want)
		}
	}
	signIn := r.get(r.post(r.at("/scopes/new"), "name", "typed", "kind", "any").location).shows(http.StatusOK, "was not saved", `name="again" value="`+r.at("/scopes/new")+`"`)
	signIn.lacks("typed")
	back := r.post("/console/signin", "email", r.AdminEmail, "password", r.AdminPassword, "again", r.at("/scopes/new")).shows(http.StatusSeeOther)
	if back.location != r.at("/scopes/new") {
		t.Errorf("the sign-in leads to %s", back.location)
	}
	r.get(r.at("/scopes")).shows(http.StatusOK).lacks("typed")
}

func TestWhoSeesWhichApplication(t *testing.T) {
	r := start(t, servertest.Options{})
	viewer := r.as(admin.Viewer)
	viewer.get(r.at("/clients")).shows(http.StatusOK, "First owner").lacks("New API client", "/console/administrators")
}
