package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/servertest"
)

// hostile are texts that must come out as they went in, as text.
var hostile = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "\u202Etxt.exe", strings.Repeat("W", 1900)}

// lacksMarkup fails where one of the hostile texts became markup.
func (a *answer) lacksMarkup() *answer {
	a.t.Helper()
	return a.lacks("<script>alert", "<img src=x")
}

var revisionField = regexp.MustCompile(`name="revision" value="(\d+)"`)

// revision is that of the record which the form is of.
func (a *answer) revision() string {
	a.t.Helper()
	found := revisionField.FindStringSubmatch(a.body)
	if found == nil {
		a.t.Fatalf("the form has no revision:\n%s", a.body)
	}
	return found[1]
}

func TestScopes(t *testing.T) {
	r := start(t, servertest.Options{})
	r.get(r.at("/scopes")).shows(http.StatusOK, "offline_access", "ostiary:admin", "built in", "New scope")
	made := r.post(r.at("/scopes/new"), "name", "orders:read", "description", "Read <b>orders</b>", "kind", "user", "required_role", "buyer",
		"url_patterns", "GET /orders/*\r\n\r\n /invoices \r\n").shows(http.StatusSeeOther)
	page := r.get(made.location).shows(http.StatusOK, "Made.", "Read &lt;b&gt;orders", "GET /orders/*\n/invoices</textarea>", `value="user" checked`)
	r.get(r.at("/scopes")).shows(http.StatusOK, "orders:read", "buyer", "<bdi>/invoices</bdi>")

	edit := r.at("/scopes/edit?name=" + url.QueryEscape("orders:read"))
	r.post(edit, "revision", page.revision(), "description", "Other", "kind", "any", "required_role", "", "url_patterns", "").shows(http.StatusSeeOther)
	// Somebody else has the form of before.
	late := r.post(edit, "revision", page.revision(), "description", "Mine", "kind", "any", "required_role", "seller", "url_patterns", "/mine").
		shows(http.StatusPreconditionFailed, "What differs from what is stored now", "Stored now", "Other", "Mine", "seller", "/mine</textarea>")
	r.get(edit).shows(http.StatusOK, "Other</textarea>").lacks("seller")
	r.post(edit, "revision", late.revision(), "description", "Mine", "kind", "any", "required_role", "seller", "url_patterns", "/mine").shows(http.StatusSeeOther)
	r.get(edit).shows(http.StatusOK, "Mine</textarea>", "seller")

	question := r.get(r.at("/scopes/delete?name=orders:read")).shows(http.StatusOK, "The scope orders:read will be deleted.")
	r.post(r.at("/scopes/delete?name=orders:read"), "revision", question.revision(), "typed", "orders").shows(http.StatusUnprocessableEntity, "to the letter")
	r.post(r.at("/scopes/delete?name=orders:read"), "revision", question.revision()+"0", "typed", "orders:read").
		shows(http.StatusPreconditionFailed, "changed by somebody else", "Type <code>orders:read</code>")
	if a := r.post(r.at("/scopes/delete?name=orders:read"), "revision", question.revision(), "typed", "orders:read").shows(http.StatusSeeOther); a.location != r.at("/scopes?done=deleted") {
		t.Errorf("after a deletion: %s", a.location)
	}
	r.get(edit).shows(http.StatusNotFound)
}

// Names that browsers take for steps, and for other pages, are names.
func TestOddNamesOfScopes(t *testing.T) {
	r := start(t, servertest.Options{})
	for _, name := range []string{"..", "new", "a/b", "a?b#c&d=e%2F", "<script>", "'onerror='x"} {
		made := r.post(r.at("/scopes/new"), "name", name, "kind", "any").shows(http.StatusSeeOther)
		r.get(made.location).shows(http.StatusOK).lacksMarkup().lacks("<code><script>")
		question := strings.Replace(made.location, "/edit?", "/delete?", 1)
		r.get(question).shows(http.StatusOK).lacks("<script>")
		r.post(question, "typed", name).shows(http.StatusSeeOther)
	}
}

func TestRefusedScopes(t *testing.T) {
	r := start(t, servertest.Options{})
	r.post(r.at("/scopes/new"), "name", "a b", "description", hostile[1], "kind", "any", "required_role", "x\x01", "url_patterns", "/fine\nnot fine").
		shows(http.StatusUnprocessableEntity, "printable ASCII characters", "Entry 2: Write a path", `id="problem-required_role"`, "&#34;&gt;&lt;img",
			`<a href="#field-required_role">Required role: Write at most`, `<p class="problem">Write at most`).lacksMarkup()
	r.post(r.at("/scopes/new"), "name", "ostiary:mine", "kind", "any").shows(http.StatusUnprocessableEntity, "the server&#39;s own")
	r.post(r.at("/scopes/new"), "name", "OpenID", "kind", "any").shows(http.StatusConflict, `id="problem-name"`)
	r.post(r.at("/scopes/new"), "name", "x", "kind", "openid").shows(http.StatusUnprocessableEntity, `id="problem-kind"`)
	// What is built in is shown, and no more.
	r.get(r.at("/scopes/edit?name=openid")).shows(http.StatusOK, "built in").lacks("Save", "Delete…")
	r.post(r.at("/scopes/edit?name=openid"), "description", "mine").shows(http.StatusConflict, "built in")
	r.get(r.at("/scopes/delete?name=openid")).shows(http.StatusConflict, "built in")
	r.post(r.at("/scopes/delete?name=openid")).shows(http.StatusConflict, "built in")
	r.get(r.at("/scopes?cursor=%00")).shows(http.StatusSeeOther)
	// One that is in use says so.
	r.post(r.at("/scopes/new"), "name", "orders:read", "kind", "any").shows(http.StatusSeeOther)
	r.post(r.at("/resources/new"), "identifier", " https://api.example.com\t", "scopes", "orders:read").shows(http.StatusSeeOther)
	r.post(r.at("/scopes/delete?name=orders:read"), "typed", "orders:read").shows(http.StatusConflict, "A resource lists this scope", "Delete the scope")
}

func TestResources(t *testing.T) {
	r := start(t, servertest.Options{})
	r.get(r.at("/resources")).shows(http.StatusOK, "There is no resource yet")
	r.post(r.at("/resources/new"), "identifier", "no uri", "name", hostile[0], "scopes", "nothing", "introspecting_clients", "one\n"+r.OwnerID).
		shows(http.StatusUnprocessableEntity, "Write an absolute URI", "&lt;script&gt;").lacksMarkup()
	made := r.post(r.at("/resources/new"), "identifier", "https://api.example.com/<x>", "name", "n").shows(http.StatusUnprocessableEntity)
	made.lacks("<x>")
	page := r.post(r.at("/resources/new"), "identifier", "https://api.example.com/orders?a=b", "name", hostile[1], "scopes", "openid", "scopes", "email",
		"introspecting_clients", r.OwnerID, "access_token_format", "opaque").shows(http.StatusSeeOther)
	form := r.get(page.location).shows(http.StatusOK, "First owner may introspect", `value="openid" checked`, `value="opaque" selected`, "&#34;&gt;&lt;img").lacksMarkup()
	r.get(r.at("/resources")).shows(http.StatusOK, "https://api.example.com/orders?a=b", r.OwnerID, "opaque").lacksMarkup()
	r.post(page.location, "revision", form.revision(), "name", "Orders", "introspecting_clients", "nobody", "access_token_format", "").
		shows(http.StatusUnprocessableEntity, "Entry 1: ", "nobody</textarea>")
	r.post(page.location, "revision", form.revision(), "name", "Orders", "access_token_format", "").shows(http.StatusSeeOther)
	r.post(page.location, "revision", form.revision(), "name", "Late", "scopes", "email").shows(http.StatusPreconditionFailed, "Orders", "Late")
	r.post(strings.Replace(page.location, "/edit?", "/delete?", 1), "typed", "https://api.example.com/orders?a=b").shows(http.StatusSeeOther)
	r.get(page.location).shows(http.StatusNotFound)
}

func TestWhoChangesRecords(t *testing.T) {
	r := start(t, servertest.Options{})
	r.post(r.at("/scopes/new"), "name", "a", "kind", "any").shows(http.StatusSeeOther)
	r.as(admin.Manager).post(r.at("/scopes/edit?name=a"), "description", "by a manager", "kind", "any").shows(http.StatusSeeOther)
	for _, role := range []admin.Role{admin.Developer, admin.Viewer} {
		other := r.as(role)
		other.get(r.at("/scopes")).shows(http.StatusOK, "by a manager").lacks("New scope")
		other.get(r.at("/scopes/edit?name=a")).shows(http.StatusOK, "by a manager", "Your role reads").lacks("Save", "Delete…")
		other.get(r.at("/resources")).shows(http.StatusOK).lacks("Make the first one")
		for _, path := range []string{"/scopes/new", "/scopes/edit?name=a", "/scopes/delete?name=a", "/resources/new"} {
			other.post(r.at(path), "name", "b", "kind", "any").shows(http.StatusForbidden)
		}
		other.get(r.at("/scopes/new")).shows(http.StatusForbidden)
	}
}
