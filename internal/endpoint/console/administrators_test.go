package console_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/servertest"
)

func TestApplications(t *testing.T) {
	r := start(t, servertest.Options{})
	r.get("/console/applications").shows(http.StatusOK, "New application")
	r.get("/console/applications/new").shows(http.StatusOK, "webMethods")
	r.post("/console/applications/new", "name", "", "id", "shop", "preset", "akamai").
		shows(http.StatusUnprocessableEntity, "1 to 255 characters", `value="shop"`, `value="akamai" checked`)
	r.post("/console/applications/new", "name", "Shop", "id", "config").shows(http.StatusUnprocessableEntity, "reserved", `value="Shop"`)
	made := r.post("/console/applications/new", "name", hostile[0], "id", "shop", "preset", "webmethods").
		shows(http.StatusOK, "ost_cs_", "/shop", "data-download=", "can look at it again").lacks("Keep it now").lacksMarkup()
	if made.header.Get("Cache-Control") != "no-store" {
		t.Error("the secret may be kept")
	}
	secret := regexp.MustCompile(`ost_cs_[\w-]+`).FindString(made.body)
	r.post("/console/applications/new", "name", "Shop", "id", "shop").shows(http.StatusConflict, `value="Shop"`)
	r.get("/console/apps/shop/settings").shows(http.StatusOK, `value="oauth2" checked`, "/console/apps/shop/delete").lacks(secret).lacksMarkup()

	ask := r.get("/console/apps/shop/delete").shows(http.StatusOK, "0 tokens were issued", "Type <code>shop</code>").lacksMarkup()
	r.post("/console/apps/shop/delete", "revision", ask.revision(), "typed", "Shop").shows(http.StatusUnprocessableEntity, "to the letter")
	r.post("/console/apps/shop/delete", "revision", "9", "typed", "shop").shows(http.StatusPreconditionFailed, "changed by somebody else", "Type <code>shop</code>")
	if a := r.post("/console/apps/shop/delete", "revision", ask.revision(), "typed", "shop").shows(http.StatusSeeOther); a.location != "/console/applications?done=deleted" {
		t.Errorf("leads to %s", a.location)
	}
	r.get("/console/apps/shop/settings").shows(http.StatusNotFound)
	// The default application stays, and its page says so.
	r.get(r.at("/settings")).shows(http.StatusOK, "default application cannot be deleted").lacks(r.at("/delete"))
	r.get(r.at("/delete")).shows(http.StatusConflict, "default application cannot be deleted")
	r.post(r.at("/delete"), "typed", r.ApplicationID).shows(http.StatusConflict, "default application cannot be deleted")

	owner := r.as(admin.Owner)
	owner.get("/console/applications").shows(http.StatusOK).lacks("New application")
	for _, path := range []string{"/console/applications/new", "/console/administrators", "/console/administrators/new"} {
		owner.get(path).shows(http.StatusForbidden)
		if path != "/console/administrators" {
			owner.post(path, "name", "x", "email", "x@example.com").shows(http.StatusForbidden)
		}
	}
}

// Who is owner of an application may delete it, as by the management API; nobody
// below may.
func TestWhoDeletesAnApplication(t *testing.T) {
	r := start(t, servertest.Options{})
	r.post("/console/applications/new", "name", "Shop", "id", "shop").shows(http.StatusOK)
	const shop = "/console/apps/shop"
	owner, manager := r.as(admin.Owner), r.as(admin.Manager)
	for _, role := range []string{"owner", "manager"} {
		r.post(shop+"/administrators", "email", role+"@example.com", "role", role).shows(http.StatusSeeOther)
	}
	manager.get(shop + "/settings").shows(http.StatusOK).lacks(shop + "/delete")
	manager.get(shop + "/delete").shows(http.StatusForbidden)
	manager.post(shop+"/delete", "typed", "shop").shows(http.StatusForbidden)
	owner.get(shop+"/settings").shows(http.StatusOK, shop+"/delete")
	owner.get(shop+"/delete").shows(http.StatusOK, "Type <code>shop</code>")
	owner.post(shop+"/delete", "typed", "shop").shows(http.StatusSeeOther)
	r.get(shop + "/settings").shows(http.StatusNotFound)
	owner.get("/console/applications?done=deleted").shows(http.StatusOK, "Deleted.").lacks("Shop")
}

var consoleLink = regexp.MustCompile(`[^">]*/console/signin/link\?token=[\w-]+`)

func TestAdministrators(t *testing.T) {
	r := start(t, servertest.Options{})
	const all = "/console/administrators"
	r.get(all+"/new").shows(http.StatusOK, "Administrator of the instance", r.ApplicationID)
	r.post(all+"/new", "email", "nobody", "instance", "true").shows(http.StatusUnprocessableEntity, "problem-email", `value="nobody"`)
	r.post(all+"/new", "email", "ann@example.com", "application", r.ApplicationID).shows(http.StatusUnprocessableEntity, "Choose the role")
	r.post(all+"/new", "email", "ann@example.com", "application", "nowhere", "role", "owner").shows(http.StatusUnprocessableEntity, "no such application")
	r.post(all+"/new", "email", r.AdminEmail).shows(http.StatusConflict)
	made := r.post(all+"/new", "email", "ann@example.com", "application", r.ApplicationID, "role", "viewer").shows(http.StatusOK, "the only time")
	link, err := url.Parse(consoleLink.FindString(made.body))
	if err != nil || link.Path == "" {
		t.Fatalf("no link: %v\n%s", err, made.body)
	}
	page := regexp.MustCompile(all + `/[0-9a-f-]{36}`).FindString(made.body)

	// The link is good for choosing a password, which is good for signing in.
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	nobody := &rig{r.Server, t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	choose := nobody.get(link.RequestURI()).shows(http.StatusSeeOther).location
	nobody.get(choose).shows(http.StatusOK, "Choose a new password")
	nobody.post(choose, "password", "correct horse battery", "repeat", "correct horse battery").shows(http.StatusSeeOther)
	ann := signedIn(t, r.Server, "ann@example.com", "correct horse battery")
	ann.get(r.at("/clients")).shows(http.StatusOK).lacks("New API client")

	r.get(all).shows(http.StatusOK, "ann@example.com", "viewer of "+r.ApplicationID, "instance")
	form := r.get(page).shows(http.StatusOK, "role."+r.ApplicationID, "Make a link")
	r.post(page, "revision", form.revision(), "role."+r.ApplicationID, "manager").shows(http.StatusSeeOther)
	ann.get(r.at("/clients")).shows(http.StatusOK, "New API client")
	r.post(page, "revision", form.revision(), "role."+r.ApplicationID, "owner").shows(http.StatusPreconditionFailed, "What differs", "manager")
	r.post(page, "role."+r.ApplicationID, "king").shows(http.StatusUnprocessableEntity, "Choose one of the roles")
	r.post(page+"/link").shows(http.StatusOK, "/console/signin/link?token=")
	r.get(page+"/sessions").shows(http.StatusOK, "ann@example.com will be signed out everywhere", "1 session ends now")
	ann.get(r.at("/clients")).shows(http.StatusOK)
	r.post(page + "/sessions").shows(http.StatusSeeOther)
	ann.get(r.at("/clients")).shows(http.StatusSeeOther)
	ann = signedIn(t, r.Server, "ann@example.com", "correct horse battery")
	r.get(page+"/deactivate").shows(http.StatusOK, "ann@example.com will be deactivated")
	r.post(page + "/deactivate").shows(http.StatusSeeOther)
	ann.get(r.at("/clients")).shows(http.StatusSeeOther)
	r.get(page).shows(http.StatusOK, "inactive").lacks("Make a link")
	r.post(page + "/link").shows(http.StatusConflict)
	r.post(page + "/activate").shows(http.StatusSeeOther)
	r.post(page+"/delete", "typed", "ann").shows(http.StatusUnprocessableEntity, "to the letter")
	r.post(page+"/delete", "typed", "ann@example.com").shows(http.StatusSeeOther)
	r.get(page).shows(http.StatusNotFound)
	r.get(all + "/nonsense").shows(http.StatusNotFound)
}

// Nobody takes the instance from its last administrator, himself included.
func TestTheLastAdministratorStays(t *testing.T) {
	r := start(t, servertest.Options{})
	own := regexp.MustCompile(`/console/administrators/[0-9a-f-]{36}`).FindString(r.get("/console/administrators").body)
	r.post(own).shows(http.StatusConflict, "last active administrator")
	r.post(own+"/deactivate").shows(http.StatusConflict, "last active administrator")
	r.post(own+"/delete", "typed", r.AdminEmail).shows(http.StatusConflict, "last active administrator")
	r.get(own).shows(http.StatusOK, "you")
}

func TestMembers(t *testing.T) {
	r := start(t, servertest.Options{})
	r.get(r.at("/administrators")).shows(http.StatusOK, "Nobody has a role")
	owner, viewer := r.as(admin.Owner), r.as(admin.Viewer)
	viewer.get(r.at("/administrators")).shows(http.StatusOK, "owner@example.com").lacks("Give the role", "<select")
	viewer.post(r.at("/administrators"), "email", "viewer@example.com", "role", "owner").shows(http.StatusForbidden)
	owner.post(r.at("/administrators"), "email", "ghost@example.com", "role", "viewer").
		shows(http.StatusUnprocessableEntity, "no administrator with this address", `value="ghost@example.com"`)
	owner.post(r.at("/administrators"), "email", "viewer@example.com", "role", "developer").shows(http.StatusSeeOther)
	viewer.get(r.at("/clients")).shows(http.StatusOK, "New API client")
	page := owner.get(r.at("/administrators")).shows(http.StatusOK, "Role of viewer@example.com")
	_, rest, _ := strings.Cut(page.body, "viewer@example.com")
	uuid := regexp.MustCompile(`name="uuid" value="([^"]+)"`).FindStringSubmatch(rest)[1]
	owner.post(r.at("/administrators"), "uuid", uuid, "role", "king").shows(http.StatusUnprocessableEntity)
	owner.post(r.at("/administrators"), "uuid", uuid, "role", "").shows(http.StatusSeeOther)
	viewer.get(r.at("/clients")).shows(http.StatusNotFound)
	r.post("/console/applications/new", "name", "Other", "id", "other").shows(http.StatusOK)
	owner.post("/console/apps/other/administrators", "email", "owner@example.com", "role", "owner").shows(http.StatusNotFound)
}
