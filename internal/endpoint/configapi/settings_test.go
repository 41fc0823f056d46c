package configapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
)

func settingsChange(r *rig, policy string) func(*application.Application) (audit.Event, error) {
	return func(app *application.Application) (audit.Event, error) {
		app.Settings.SecretPolicy = application.SecretPolicy(policy)
		return audit.New(audit.System(), r.app, "test", "settings", r.clock.Now()), nil
	}
}

// want checks an answer of 200.
func (r *rig) want(t *testing.T, a answer, text string) {
	t.Helper()
	if a.status != 200 || a.text != text {
		t.Errorf("answered %d %s\nwant %s", a.status, a.text, text)
	}
}

func TestApplicationSettings(t *testing.T) {
	r := newRig(t)
	path := r.path("/settings")
	document := func(members string) string { return `{"_self":"` + path + `",` + members + `}` }
	r.want(t, r.ask("GET", path, ""), document(`"custom":{}`))
	r.want(t, r.ask("PUT", path, `{"_self":"x","vendor_name":"V","login_attempts":5,"colour":"<red>","custom":{"n":1.50}}`),
		document(`"login_attempts":5,"vendor_name":"V","custom":{"colour":"<red>","n":1.50}`))
	r.want(t, r.ask("GET", path, ""), document(`"login_attempts":5,"vendor_name":"V","custom":{"colour":"<red>","n":1.50}`))
	r.want(t, r.ask("GET", path+"?include_clients=false", ""), document(`"login_attempts":5,"vendor_name":"V","custom":{"colour":"<red>","n":1.50}`))
	e := r.events()[0]
	if e.Action != "settings.update" || e.Object != "settings" || string(e.Before) != `{"values":{}}` ||
		string(e.After) != `{"values":{"login_attempts":5,"vendor_name":"V"},"custom":["colour","n"]}` {
		t.Errorf("event %s: %s -> %s", e.Action, e.Before, e.After)
	}
	r.want(t, r.ask("PUT", path, r.ask("GET", path, "").text), document(`"login_attempts":5,"vendor_name":"V","custom":{"colour":"<red>","n":1.50}`))
	r.want(t, r.ask("PUT", path, `{"email_site_name":"S"}`), document(`"email_site_name":"S","custom":{}`))
	r.want(t, r.ask("PUT", path, ``), document(`"custom":{}`))
}

// vendor_name is the application's own setting: there is one of it.
func TestVendorNameIsOne(t *testing.T) {
	r := newRig(t, "vendor_name=Set elsewhere")
	path := r.path("/settings")
	r.want(t, r.ask("GET", path, ""), `{"_self":"`+path+`","vendor_name":"Set elsewhere","custom":{}}`)
	r.want(t, r.ask("PUT", path, `{"vendor_name":"Set here"}`), `{"_self":"`+path+`","vendor_name":"Set here","custom":{}}`)
	app, err := r.db.Applications().Get(t.Context(), r.app)
	if err != nil || app.Settings.VendorName != "Set here" || strings.Contains(app.Settings.ConfigSettings, "Set here") {
		t.Errorf("stored as %+v, %v", app, err)
	}
	for _, name := range []string{`""`, `" "`, `"a\nb"`, `"` + strings.Repeat("x", 61) + `"`, `5`, `null`} {
		r.refused(t, r.request("PUT", path, `{"vendor_name":`+name+`,"login_attempts":1}`, r.owner), 400, "Not a valid string.")
	}
	r.want(t, r.ask("PUT", path, `{}`), `{"_self":"`+path+`","custom":{}}`)
	if app, err = r.db.Applications().Get(t.Context(), r.app); err != nil || app.Settings.Vendor() != "Akamai" {
		t.Errorf("back at the default: %+v, %v", app, err)
	}
}

func TestClientSettings(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Site","features":["login_client"]}`)
	path := r.clientPath(made.id) + "/settings"
	r.ask("PUT", r.path("/settings"), `{"login_attempts":7,"vendor_name":"V","x":1}`)
	document := func(members string) string {
		return `{"_self":"` + path + `",` + members + `,"_global":{"login_attempts":7,"vendor_name":"V","custom":{"x":1}}}`
	}
	r.want(t, r.ask("GET", path, ""), document(`"custom":{}`))
	r.want(t, r.ask("PUT", path, `{"redirect_uris":["https://site.example/cb"],"login_attempts":4,"vendor_name":"ignored","y":{"z":[1,2]}}`),
		document(`"login_attempts":4,"redirect_uris":["https://site.example/cb"],"custom":{"y":{"z":[1,2]}}`))
	got := r.ask("GET", path, "")
	r.want(t, r.ask("PUT", path, got.text), got.text)
	r.want(t, r.do("GET", path, "", made), got.text) // its own credentials, whatever its features
	if e := r.events()[0]; e.Action != "settings.update" || e.Object != "client:"+made.id || !strings.Contains(string(e.Before), `"login_attempts":4`) {
		t.Errorf("event %+v", e)
	}
	r.want(t, r.ask("PUT", path, `{"_global":{"login_attempts":1}}`), document(`"custom":{}`))
	r.want(t, r.ask("GET", r.path("/settings"), ""), `{"_self":"`+r.path("/settings")+`","login_attempts":7,"vendor_name":"V","custom":{"x":1}}`)

	r.ask("PUT", path, `{"login_attempts":4}`)
	r.ask("DELETE", r.clientPath(made.id), "")
	if n := r.rows()["settings_document"]; n != 0 {
		t.Errorf("%d documents of a client that is gone", n)
	}
}

// What is put is answered as it was put; what of it can be a redirect URI is the
// client's, and what the client has since is what the document says.
func TestRedirectURIsAreTheClients(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Site","features":["login_client"]}`)
	path := r.clientPath(made.id) + "/settings"
	document := func(members string) string {
		return `{"_self":"` + path + `",` + members + `"custom":{},"_global":{"custom":{}}}`
	}
	const put = `"redirect_uris":["https://site.example/cb","https://*.example","https://site.example/cb","/path"]`
	r.want(t, r.ask("PUT", path, "{"+put+"}"), document(put+","))
	r.want(t, r.ask("GET", path, ""), document(put+","))
	registered := func(want ...string) {
		t.Helper()
		c, err := r.clients.Get(t.Context(), r.app, made.id)
		if err != nil || !slices.Equal(c.Settings.Redirect.URIs, want) {
			t.Errorf("%v, %v, want %v", c.Settings.Redirect.URIs, err, want)
		}
	}
	registered("https://site.example/cb")
	for _, uris := range [][]string{{"https://site.example/other"}, nil} {
		r.alter(made.id, func(c *client.Client) { c.Settings.Redirect.URIs = uris })
		member := ""
		if uris != nil {
			member = `"redirect_uris":["` + uris[0] + `"],`
		}
		r.want(t, r.ask("GET", path, ""), document(member))
	}
	r.ask("PUT", path, "{"+put+"}")
	r.ask("PUT", path, "{}")
	registered()
}

func TestSettingsOfTheWrongType(t *testing.T) {
	r := newRig(t)
	own := r.clientPath(r.owner.id) + "/settings"
	for _, test := range []struct{ path, body, text string }{
		{own, `[]`, "Invalid JSON."},
		{own, `{"login_attempts":"5"}`, "Not a valid integer."},
		{own, `{"login_attempts":5.0}`, "Not a valid integer."},
		{own, `{"default_flow_name":5}`, "Not a valid string."},
		{own, `{"redirect_uris":"https://a.example"}`, "Not a valid array."},
		{own, `{"redirect_uris":[5]}`, "Not a valid string."},
		{own, `{"custom":5}`, "Not a valid object."},
		{r.path("/settings"), `{"invitation_search_allow_empty":"true"}`, "Not a valid boolean."},
		{r.path("/settings"), `{"login_attempts":null}`, "Not a valid integer."},
		{r.path("/settings"), "{\"x\":\"\xff\"}", "Invalid JSON."},
	} {
		r.refused(t, r.request("PUT", test.path, test.body, r.owner), 400, test.text)
	}
}

func TestIncludeClients(t *testing.T) {
	r := newRig(t)
	path := r.path("/settings")
	made := r.create(`{"name":"With settings"}`)
	r.ask("PUT", path, `{"x":1}`)
	r.ask("PUT", r.clientPath(made.id)+"/settings", `{"login_attempts":4,"y":2}`)
	want := fmt.Sprintf(`{"_self":%q,"custom":{"x":1},"_clients":{%q:{"custom":{}},%q:{"login_attempts":4,"custom":{"y":2}}}}`, path, r.owner.id, made.id)
	for _, yes := range []string{"true", "True", "1"} {
		r.want(t, r.ask("GET", path+"?include_clients="+yes, ""), want)
	}
	for i := range 120 {
		r.create(fmt.Sprintf(`{"name":"Client %d"}`, i))
	}
	o := r.ask("GET", path+"?include_clients=true", "").object(t)
	if clients := o["_clients"].(map[string]any); len(clients) != 122 {
		t.Errorf("%d clients", len(clients))
	}
	r.want(t, r.ask("PUT", path+"?include_clients=true", `{"x":1,"_clients":{"a":5}}`), func() string {
		return r.ask("GET", path+"?include_clients=true", "").text
	}())
}

func TestOptions(t *testing.T) {
	r := newRig(t)
	a := r.ask("GET", r.path("/settings/options"), "")
	if !strings.HasPrefix(a.text, `[{"name":"login_attempts","type":"integer","group":"General Settings","globalOnly":false,"values":[]},`) {
		t.Errorf("%d %s", a.status, a.text)
	}
	for _, o := range client.Options() {
		types := []client.OptionType{client.StringOption, client.IntegerOption, client.BooleanOption, client.ArrayOption}
		if !slices.Contains(types, o.Type) || !strings.Contains(a.text, `{"name":"`+o.Name+`",`) {
			t.Errorf("%+v is not among %s", o, a.text)
		}
	}
}
