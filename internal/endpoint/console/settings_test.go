package console_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/servertest"
)

// defaults of the form of the settings, as a browser sends it.
func defaults(revision string, other ...string) []string {
	return append([]string{
		"revision", revision, "name", "Shop", "security_profile", "oauth2.1", "scope_policy", "enforced", "secret_policy", "once",
		"signing_algorithm", "ES256", "session_lifetime", "", "code_lifetime", "60", "refresh_retry_window", "10", "vendor_name", "",
	}, other...)
}

func TestApplicationSettings(t *testing.T) {
	r := start(t, servertest.Options{})
	page := r.get(r.at("/settings")).shows(http.StatusOK, "Security profile", `value="43200"`, "default application cannot be deleted", r.Issuer)
	for _, s := range application.Table() {
		if !strings.Contains(page.body, `name="`+s.Name+`"`) {
			t.Errorf("the page has no %s", s.Name)
		}
		for _, w := range s.Words {
			if !strings.Contains(page.body, `value="`+w+`"`) {
				t.Errorf("%s has no choice %s", s.Name, w)
			}
		}
	}
	form := defaults(page.revision(), "registration", "true", "legacy_paths", "true")
	form[slices.Index(form, "oauth2.1")] = "oauth2"
	form[slices.Index(form, "60")] = "120"
	r.post(r.at("/settings"), form...).shows(http.StatusSeeOther)
	r.post(r.at("/settings?done=saved"), "access_token_lifetime", "never").shows(http.StatusUnprocessableEntity).lacks("Saved.")
	page = r.get(r.at("/settings?done=saved")).shows(http.StatusOK, "Saved.", `value="oauth2" checked`, `value="120"`, `value="Shop"`,
		`name="registration" value="true" checked`, `name="claims_in_id_token" value="true">`)

	form = defaults(page.revision(), "registration", "true")
	form[slices.Index(form, "60")], form[slices.Index(form, "10")], form[slices.Index(form, "Shop")] = "601", "soon", ""
	r.post(r.at("/settings"), form...).shows(http.StatusUnprocessableEntity, "1 to 600", "0 to 3600", "1 to 255 characters",
		`value="601"`, `value="soon"`, "problem-code_lifetime", `value="oauth2.1" checked`)
	late := defaults("1", "vendor_name", hostile[0])
	r.post(r.at("/settings"), late...).shows(http.StatusPreconditionFailed, "What differs from what is stored now", "120").lacksMarkup()
	r.get(r.at("/settings")).shows(http.StatusOK, `value="120"`)

	for role, want := range map[admin.Role]int{admin.Owner: http.StatusSeeOther, admin.Manager: http.StatusForbidden, admin.Viewer: http.StatusForbidden} {
		other := r.as(role)
		seen := other.get(r.at("/settings")).shows(http.StatusOK, "Security profile").lacks("Delete…")
		if (want == http.StatusSeeOther) != strings.Contains(seen.body, ">Save<") {
			t.Errorf("%s: the button is drawn wrongly", role)
		}
		other.post(r.at("/settings"), defaults(seen.revision())...).shows(want)
		other.post(r.at("/settings/branding"), "name", "x").shows(want)
	}
}

func TestBranding(t *testing.T) {
	r := start(t, servertest.Options{})
	page := r.get(r.at("/settings/branding")).shows(http.StatusOK, "How users see it", "Default application")
	r.post(r.at("/settings/branding"), "revision", page.revision(), "name", hostile[0], "logo", "http://x", "colour", "red").
		shows(http.StatusUnprocessableEntity, "problem-logo", "problem-colour", "That is no colour", `value="red"`).lacksMarkup()
	r.post(r.at("/settings/branding"), "revision", page.revision(), "name", "Corner shop", "logo", "", "colour", "#0A6E5C").shows(http.StatusSeeOther)
	page = r.get(r.at("/settings/branding")).shows(http.StatusOK, `value="#0a6e5c"`, "Corner shop", "/settings/branding/colours/0a6e5c")
	r.get(r.at("/settings/branding/colours/0a6e5c")).shows(http.StatusOK, ".preview{--accent:#0a6e5c").lacks(":root{")
	r.get(r.at("/settings/branding/colours/red")).shows(http.StatusNotFound)
	// A preview of what is typed, by the query.
	r.get(r.at("/settings/branding?name=Other&logo=https%3A%2F%2Fexample.com%2Fl.png&colour=%23112233&revision="+page.revision())).
		shows(http.StatusOK, "colours/112233", `<p class="brand"><bdi>Other</bdi>`, "once it is saved", `value="#112233"`)
	r.get(r.at("/settings/branding?colour=%22%3E%3Cimg%20src%3Dx%20onerror%3D1%3E")).shows(http.StatusOK, "That is no colour").lacksMarkup()
	r.post(r.at("/settings/branding"), "revision", "1", "name", "Late").shows(http.StatusPreconditionFailed, "Corner shop", "Late")
	r.as(admin.Viewer).get(r.at("/settings/branding")).shows(http.StatusOK, "Corner shop").lacks(">Save<")
}

func TestKeys(t *testing.T) {
	r := start(t, servertest.Options{})
	r.get(r.at("/keys")).shows(http.StatusOK, "ES256", "active", r.Issuer+"/oauth2/jwks", "Rotate…")
	r.get(r.at("/keys/rotate")).shows(http.StatusOK, "Publish the next key")
	if a := r.post(r.at("/keys/rotate")).shows(http.StatusSeeOther); a.location != r.at("/keys?done=rotated") {
		t.Errorf("leads to %s", a.location)
	}
	r.get(r.at("/keys")).shows(http.StatusOK, "published", "Rotate at once…").lacks("Rotate…</a><a")
	r.post(r.at("/keys/rotate")).shows(http.StatusConflict, "published already")
	r.get(r.at("/keys/rotate?immediately=true")).shows(http.StatusOK, "a key that leaked")
	r.post(r.at("/keys/rotate"), "immediately", "true").shows(http.StatusSeeOther)
	r.get(r.at("/keys")).shows(http.StatusOK, "retired")
	keys, err := r.App.Signers.Keys(t.Context(), r.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	retired, signs := r.at("/keys/"+keys[0].ID+"/withdraw"), r.at("/keys/"+keys[len(keys)-1].ID+"/withdraw")
	r.get(r.at("/keys")).shows(http.StatusOK, retired).lacks(signs)
	r.get(retired).shows(http.StatusOK, "Every JWT that it signed is refused here from now on", keys[0].ID)
	r.post(signs).shows(http.StatusConflict, "Only a retired key can be withdrawn")
	r.get(r.at("/keys/nothing/withdraw")).shows(http.StatusNotFound)
	if a := r.post(retired).shows(http.StatusSeeOther); a.location != r.at("/keys?done=withdrawn") {
		t.Errorf("leads to %s", a.location)
	}
	r.get(r.at("/keys?done=withdrawn")).shows(http.StatusOK, "is refused from now on").lacks(keys[0].ID)
	r.post(retired).shows(http.StatusNotFound)
	viewer := r.as(admin.Viewer)
	viewer.get(r.at("/keys")).shows(http.StatusOK, "ES256").lacks("Rotate", "change", "Withdraw")
	viewer.post(signs).shows(http.StatusForbidden)
	viewer.get(r.at("/keys/rotate")).shows(http.StatusForbidden)
	viewer.post(r.at("/keys/rotate")).shows(http.StatusForbidden)
}
