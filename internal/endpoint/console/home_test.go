package console_test

import (
	"net/http"
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
}

func TestWhoSeesWhichApplication(t *testing.T) {
	r := start(t, servertest.Options{})
	viewer := r.as(admin.Viewer)
	viewer.get(r.at("/clients")).shows(http.StatusOK, "First owner").lacks("New API client", "/console/administrators")
}
