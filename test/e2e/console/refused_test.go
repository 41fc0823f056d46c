package console_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/test/browser"
)

// fill puts values into the form of the page that has fields of these names, and
// sends it past what the browser itself would refuse.
const fill = `(values => {
	const names = Object.keys(values);
	const form = [...document.querySelectorAll("main form[method=post]")].find(f => names.every(n => f.elements[n]));
	form.noValidate = true;
	for (const n of names) form.elements[n].value = values[n];
	const buttons = [...form.querySelectorAll("button:not([type=button], [name])")];
	form.requestSubmit(buttons.find(b => b.checkVisibility() && b.matches(".primary, .danger")) || buttons.find(b => b.checkVisibility()));
})`

// TestRefusedForms sends something wrong with each form: the page says what, at
// the field, keeps what was typed, and can be read by everybody.
func TestRefusedForms(t *testing.T) {
	s := filled(t, "Billing sync")
	made := s.server.Do(http.MethodPost, "/api/v1/applications", s.server.OwnerID, s.server.OwnerSecret, "application/json", `{"id":"staging","name":"Staging"}`)
	if made.StatusCode != http.StatusCreated {
		t.Fatalf("another application: %d", made.StatusCode)
	}
	s.signIn()
	for name, form := range map[string]struct {
		path   string
		values map[string]string
		field  string // that the refusal stands at
		kept   string // a field that has what was typed
	}{
		"new-client":        {"/apps/shop/new-client?kind=web", map[string]string{"name": "Shop", "redirect_uris": "nonsense"}, "redirect_uris", "name"},
		"client":            {"/apps/shop/clients/" + worker, map[string]string{"version": strings.Repeat("9", 41), "description": "x"}, "version", "version"},
		"secret":            {"/apps/shop/clients/" + worker + "/secrets", map[string]string{"label": "mine", "expires_on": "", "retire_others_in_hours": "-1"}, "retire_others_in_hours", "label"},
		"client-delete":     {"/apps/shop/clients/" + worker + "/delete", map[string]string{"typed": "something else"}, "", ""},
		"scope":             {"/apps/shop/scopes/new", map[string]string{"name": "two words", "description": "mine"}, "name", "description"},
		"resource":          {"/apps/shop/resources/new", map[string]string{"identifier": "no URI", "name": "mine"}, "identifier", "name"},
		"user":              {"/apps/shop/users/new", map[string]string{"email": "nobody"}, "email", "email"},
		"settings":          {"/apps/shop/settings", map[string]string{"code_lifetime": "601"}, "code_lifetime", "code_lifetime"},
		"branding":          {"/apps/shop/settings/branding", map[string]string{"colour": "red"}, "colour", "colour"},
		"application":       {"/applications/new", map[string]string{"name": "Shop", "id": "config"}, "id", "name"},
		"administrator":     {"/administrators/new", map[string]string{"email": "nobody"}, "email", "email"},
		"member":            {"/apps/shop/administrators", map[string]string{"email": "ghost@example.com"}, "email", "email"},
		"application-death": {"/apps/staging/delete", map[string]string{"typed": "something else"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			s.Go(s.url + "/console" + form.path)
			values, err := json.Marshal(form.values)
			if err != nil {
				t.Fatal(err)
			}
			s.Do(chromedp.Evaluate[chromedp.Void](fill + "(" + string(values) + ")"))
			s.Wait(".summary, main .problem, [role=alert]")
			if form.field != "" && !s.there("#problem-"+form.field) {
				t.Errorf("nothing stands at the field %s:\n%s", form.field, s.Text("main"))
			}
			if form.kept != "" {
				if kept := browser.Get(s.Tab, chromedp.Evaluate[string](`document.getElementById("field-`+form.kept+`").value`)); kept != form.values[form.kept] {
					t.Errorf("in the field %s is %q, not what was typed", form.kept, kept)
				}
			}
			s.look("refused-" + name)
		})
	}
	s.t = t
}

// TestRoles follows every link as each role: nothing that is drawn is refused,
// and what is not drawn is, by a page.
func TestRoles(t *testing.T) {
	for role, denied := range map[admin.Role][]string{
		admin.Viewer:    {"/apps/shop/new-client", "/apps/shop/scopes/new", "/apps/shop/users/new", "/apps/shop/clients/" + worker + "/deactivate", "/administrators", "/applications/new", "/audit"},
		admin.Developer: {"/apps/shop/scopes/new", "/apps/shop/users/new", "/apps/shop/clients/" + worker + "/deactivate", "/administrators"},
		admin.Manager:   {"/apps/shop/keys/rotate", "/administrators", "/apps/shop/delete"},
		admin.Owner:     {"/administrators", "/applications/new"},
	} {
		t.Run(string(role), func(t *testing.T) {
			s := filled(t, "Billing sync")
			s.looks = narrow
			const password = "correct horse battery staple"
			people := s.server.App.People
			u, err := administrator.NewOperations(people, s.server.App.Users).
				Create(t.Context(), audit.System(), "someone@example.com", administrator.Access{Roles: map[string]admin.Role{"shop": role}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := people.SetPassword(t.Context(), audit.System(), administrator.ApplicationID, u.UUID, password); err != nil {
				t.Fatal(err)
			}
			s.server.AdminEmail, s.server.AdminPassword = "someone@example.com", password
			s.signIn()
			seen := s.crawl()
			if !slices.Contains(seen, "apps-shop-clients-x") {
				t.Errorf("there were %s", strings.Join(seen, " "))
			}
			if len(s.refused) > 0 {
				t.Errorf("drawn, and refused: %s", strings.Join(s.refused, " "))
			}
			for _, path := range denied {
				s.Go(s.url + "/console" + path)
				if title := s.Title(); !strings.HasPrefix(title, "Your role does not permit this") {
					t.Errorf("%s shows %q", path, title)
				}
			}
			s.look("denied")
		})
	}
}
