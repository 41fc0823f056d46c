package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

// mostBytes is what a page may weigh.
const mostBytes = 100 << 10

// The settings of a client that is written to the full, with as many scopes as can
// be ticked, are under 100 KB, for who changes them and for who reads.
func TestWeightOfSettings(t *testing.T) {
	r := start(t, servertest.Options{})
	lines := func(n int, of string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(of, i)
		}
		return `["` + strings.Join(list, `","`) + `"]`
	}
	long := strings.Repeat("W", 125)
	for i := range 52 { // with those that are built in, 60
		r.api("POST", "/scopes", fmt.Sprintf(`{"name":"%03d%s","description":%q}`, i, long, strings.Repeat("é", 2000)))
	}
	r.api("POST", "/clients", `{"id":"full","kind":"web","name":"`+strings.Repeat("W", 255)+`","version":"`+strings.Repeat("W", 40)+
		`","description":"`+strings.Repeat("é", 2000)+`","scopes":`+lines(52, "%03d"+long)+`,"redirect_uris":`+lines(20, "https://app%d.example/"+long)+
		`,"post_logout_redirect_uris":`+lines(20, "https://app%d.example/"+long)+`,"allowed_origins":`+lines(20, "https://app%d.example")+
		`,"allowed_ips":`+lines(100, "2001:db8:%x::/48")+`,"tags":`+lines(20, "tag %d")+`,"contacts":`+lines(20, "somebody%d@example.com")+`}`)
	for who, browser := range map[string]*rig{"owner": r, "viewer": r.as(admin.Viewer)} {
		if n := len(browser.get(r.at("/clients/full")).shows(http.StatusOK).body); n > mostBytes {
			t.Errorf("%s: %d bytes", who, n)
		}
	}
}

// A page of a list is under 100 KB, whatever stands in its rows.
func TestWeightOfLists(t *testing.T) {
	r := start(t, servertest.Options{})
	var roles, scopes []string
	for i := range 100 {
		roles = append(roles, fmt.Sprintf("%03d", i)+strings.Repeat("W", 97))
		scopes = append(scopes, fmt.Sprintf("%03d", i)+strings.Repeat("W", 125))
	}
	id, _ := r.client(`"name":"` + strings.Repeat("W", 255) + `","version":"` + strings.Repeat("W", 40) + `","kind":"service"`)
	for i := range 55 {
		u, err := r.App.People.Create(t.Context(), audit.System(), r.ApplicationID, user.Fields{
			Email: fmt.Sprintf("%03d%s@example.%s", i, strings.Repeat("W", 61), strings.Repeat("x", 180)), Roles: roles,
			Attributes: map[string]any{"displayName": strings.Repeat("W", 255)},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = administrator.NewOperations(r.App.People, r.App.Users).Create(t.Context(), audit.System(), u.Email, administrator.Access{
			Roles: map[string]admin.Role{r.ApplicationID: admin.Viewer},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.minted(id, u, func(f *token.Family) { f.Scopes = scopes })
		r.post(r.at("/scopes/new"), "name", scopes[i], "kind", "any", "description", strings.Repeat("W", 2000), "required_role", roles[i],
			"url_patterns", strings.Repeat("/"+strings.Repeat("W", 998)+"\n", 20)).shows(http.StatusSeeOther)
		r.post(r.at("/resources/new"), "identifier", fmt.Sprintf("https://example.com/%03d%s", i, strings.Repeat("W", 970)), "name", strings.Repeat("W", 255)).
			shows(http.StatusSeeOther)
	}
	for _, list := range []string{"/administrators", "/users", "/tokens", "/scopes", "/resources"} {
		page := r.get(r.at(list)).shows(http.StatusOK, "Next page")
		if len(page.body) > mostBytes {
			t.Errorf("%s: %d bytes", list, len(page.body))
		}
	}
}
