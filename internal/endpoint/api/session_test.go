package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/servertest"
)

// cookie signs an administrator in to the console, and gives the header by which
// a browser says so.
func (r *rig) cookie(email, password string) string {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.URL+"/console/signin",
		strings.NewReader(url.Values{"email": {email}, "password": {password}}.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	for _, c := range answer.Cookies() {
		if c.Name == "ostiary-console" {
			return "Cookie: " + c.Name + "=" + c.Value
		}
	}
	r.t.Fatalf("%s cannot sign in: %d", email, answer.StatusCode)
	return ""
}

// colleague makes an administrator with a role in an application, signed in.
func (r *rig) colleague(role admin.Role, applicationID string) (cookie string) {
	r.t.Helper()
	const password = "correct horse battery staple"
	email := string(role) + "@" + applicationID + ".example"
	u, err := administrator.NewOperations(r.App.People, r.App.Users).
		Create(r.t.Context(), audit.System(), email, administrator.Access{Roles: map[string]admin.Role{applicationID: role}})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.App.People.SetPassword(r.t.Context(), audit.System(), administrator.ApplicationID, u.UUID, password); err != nil {
		r.t.Fatal(err)
	}
	return r.cookie(email, password)
}

// Who had a role in an application that is gone has none in another of its id.
func TestRolesAreNotInherited(t *testing.T) {
	r := start(t, servertest.Options{})
	admin, before := r.cookie(r.AdminEmail, r.AdminPassword), r.colleague(admin.Owner, "shop")
	r.auth = "none"
	r.want(http.StatusCreated, "POST", "/api/v1/applications", `{"id":"shop","name":"Shop"}`, admin)
	r.want(http.StatusUnauthorized, "GET", "/api/v1/applications/shop/clients", "", before)
	r.want(http.StatusConflict, "POST", "/api/v1/applications", `{"id":"shop","name":"Shop"}`, admin)
}

func TestAdministratorOfTheInstanceCalls(t *testing.T) {
	r := start(t, servertest.Options{})
	cookie := r.cookie(r.AdminEmail, r.AdminPassword)
	r.auth = "none"
	r.want(http.StatusCreated, "POST", "/api/v1/applications", `{"id":"other","name":"Other"}`, cookie)
	if got := r.want(http.StatusOK, "GET", "/api/v1/applications", "", cookie).text; !strings.Contains(got, `"other"`) || !strings.Contains(got, r.ApplicationID) {
		t.Errorf("applications: %s", got)
	}
	r.want(http.StatusCreated, "POST", "/api/v1/applications/other/clients", `{"name":"Billing","kind":"service"}`, cookie)
	events := r.want(http.StatusOK, "GET", "/api/v1/applications/other/audit?action=client.create&limit=1", "", cookie).text
	if !strings.Contains(events, `"actor":"admin:`+r.AdminEmail+`"`) {
		t.Errorf("who did it: %s", events)
	}
	r.want(http.StatusUnauthorized, "GET", "/clients", "", cookie+"x")
	r.want(http.StatusUnauthorized, "GET", "/clients", "", cookie, "Authorization: Bearer nothing")
	r.want(http.StatusUnauthorized, "GET", "/api/v1/applications/nothing/clients", "", cookie)
	r.want(http.StatusUnauthorized, "GET", "/api/v1/applications/console/users", "", cookie)
}

// The browser of an administrator sends the cookie with whatever page asks it to.
func TestSessionTakesNoWritesFromElsewhere(t *testing.T) {
	r := start(t, servertest.Options{})
	cookie := r.cookie(r.AdminEmail, r.AdminPassword)
	r.auth = "none"
	const body = `{"name":"Theirs","kind":"service"}`
	for _, header := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example", "Origin: null"} {
		r.want(http.StatusForbidden, "POST", "/clients", body, cookie, header)
	}
	r.want(http.StatusCreated, "POST", "/clients", body, cookie, "Sec-Fetch-Site: same-origin")
	r.auth = ""
	r.want(http.StatusCreated, "POST", "/clients", `{"name":"Another","kind":"service"}`, "Origin: https://app.example", cookie)
}

func TestRolesCall(t *testing.T) {
	r := start(t, servertest.Options{})
	theirs := r.want(http.StatusCreated, "POST", "/clients", `{"name":"Theirs","kind":"service"}`).object["id"].(string)
	r.want(http.StatusCreated, "POST", "/api/v1/applications", `{"id":"other","name":"Other"}`)
	r.auth = "none"
	const ok, no = http.StatusOK, http.StatusForbidden
	for role, want := range map[admin.Role]struct{ own, edit, scope, setting int }{
		admin.Viewer:    {no, no, no, no},
		admin.Developer: {http.StatusCreated, no, no, no},
		admin.Manager:   {http.StatusCreated, ok, http.StatusCreated, no},
		admin.Owner:     {http.StatusCreated, ok, http.StatusCreated, ok},
	} {
		t.Run(string(role), func(t *testing.T) {
			r := &rig{r.Server, t, r.app, "none"}
			cookie := r.colleague(role, r.ApplicationID)
			r.want(ok, "GET", "/clients", "", cookie)
			mine := r.want(want.own, "POST", "/clients", `{"name":"Of `+string(role)+`","kind":"service"}`, cookie).object
			if want.own == http.StatusCreated {
				if by := mine["owned_by"]; by != string(role)+"@"+r.ApplicationID+".example" {
					t.Errorf("owned by %v", by)
				}
				r.want(ok, "PATCH", "/clients/"+mine["id"].(string), `{"description":"mine"}`, cookie)
			}
			r.want(want.edit, "PATCH", "/clients/"+theirs, `{"description":"by `+string(role)+`"}`, cookie)
			r.want(want.scope, "POST", "/scopes", `{"name":"of.`+string(role)+`","kind":"system"}`, cookie)
			r.want(want.setting, "PATCH", "", `{"vendor_name":"`+string(role)+`"}`, cookie)
			r.want(no, "POST", "/api/v1/applications", `{"name":"New"}`, cookie)
			r.want(http.StatusUnauthorized, "GET", "/api/v1/applications/other", "", cookie)
			if got := r.want(ok, "GET", "/api/v1/applications", "", cookie).text; strings.Contains(got, `"other"`) || !strings.Contains(got, r.ApplicationID) {
				t.Errorf("applications: %s", got)
			}
		})
	}
}
