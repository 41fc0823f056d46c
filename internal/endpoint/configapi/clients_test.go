package configapi_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/client/rule/scopepolicy"
)

// shape is the client object to the letter: keys, their order, values as JSON.
func (r *rig) shape(id, name, ips, secret, features string) string {
	self := r.clientPath(id)
	return fmt.Sprintf(`{"_self":%q,"name":%s,"_settings":%q,"ipWhitelist":%s,"_secret":%s,"_id":%q,"features":%s}`,
		self, name, self+"/settings", ips, secret, id, features)
}

var madeID = regexp.MustCompile(`^[a-hj-km-np-z2-9]{32}$`)

func TestCreate(t *testing.T) {
	r := newRig(t)
	for _, test := range []struct{ name, body, wantName, wantIPs, wantFeatures string }{
		{"name only", `{"name":"Documentation Client"}`, `"Documentation Client"`, `["0.0.0.0/0"]`, `[]`},
		{
			"whole", `{"name":"Whole","ipWhitelist":["10.1.2.3/8","2001:DB8::1/64"],"features":["direct_access","access_issuer"]}`,
			`"Whole"`, `["10.1.2.3/8","2001:DB8::1/64"]`, `["direct_access","access_issuer"]`,
		},
		{"repeated features", `{"name":"Repeated","features":["owner","direct_access","owner","direct_access"]}`, `"Repeated"`, `["0.0.0.0/0"]`, `["owner","direct_access"]`},
		{"login_client twice is one", `{"name":"Login","features":["login_client","login_client"]}`, `"Login"`, `["0.0.0.0/0"]`, `["login_client"]`},
		{"no features", `{"name":"None","features":[]}`, `"None"`, `["0.0.0.0/0"]`, `[]`},
		{"every address", `{"name":"Every","ipWhitelist":["0.0.0.0/0"]}`, `"Every"`, `["0.0.0.0/0"]`, `[]`},
		{"every address beside another", `{"name":"Beside","ipWhitelist":["0.0.0.0/0","10.0.0.0/8"]}`, `"Beside"`, `["0.0.0.0/0","10.0.0.0/8"]`, `[]`},
		{"markup and trimming", `{"name":"  <b>A & B</b> \n"}`, `"<b>A & B</b>"`, `["0.0.0.0/0"]`, `[]`},
		{"255 characters", `{"name":"` + strings.Repeat("é", 255) + `"}`, `"` + strings.Repeat("é", 255) + `"`, `["0.0.0.0/0"]`, `[]`},
		{"unknown fields", `{"name":"Unknown","_id":"mine","_secret":"mine","kind":"web","x":[{}]}`, `"Unknown"`, `["0.0.0.0/0"]`, `[]`},
		{"the last of a repeated key", `{"name":"First of two","name":"Last of two"}`, `"Last of two"`, `["0.0.0.0/0"]`, `[]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := r.ask(http.MethodPost, r.path("/clients"), test.body)
			if a.status != http.StatusCreated {
				t.Fatalf("%d %s", a.status, a.text)
			}
			o := a.object(t)
			id, secret := o["_id"].(string), o["_secret"].(string)
			if !madeID.MatchString(id) || !madeID.MatchString(secret) {
				t.Errorf("id %q, secret %q", id, secret)
			}
			if want := r.shape(id, test.wantName, test.wantIPs, `"`+secret+`"`, test.wantFeatures); a.text != want {
				t.Errorf("answered %s\nwant     %s", a.text, want)
			}
			if a.header.Get("Location") != r.clientPath(id) {
				t.Errorf("Location %q", a.header.Get("Location"))
			}
			again := r.ask(http.MethodGet, r.clientPath(id), "")
			if want := r.shape(id, test.wantName, test.wantIPs, "null", test.wantFeatures); again.status != 200 || again.text != want {
				t.Errorf("GET answered %d %s\nwant %s", again.status, again.text, want)
			}
		})
	}
}

// What is made here is a client like any other.
func TestWhatIsStored(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Stored","ipWhitelist":["0.0.0.0/0"],"features":["owner"]}`)
	c := r.stored(made.id)
	if c.Kind != client.Other || c.Public || c.Version != "" || c.Inactive || len(c.Settings.AllowedIPs) != 0 || len(c.Settings.Scopes.Allowed) != 0 {
		t.Errorf("stored as %+v", c)
	}
	if len(c.Secrets) != 1 || !c.Secrets[0].ExpiresAt.IsZero() || c.Secrets[0].Sealed != nil || c.Secrets[0].Hint != made.secret[28:] {
		t.Errorf("secrets %+v", c.Secrets)
	}
	e := r.events()[0]
	if e.Action != "client.create" || e.Object != "client:"+made.id || e.Actor != "client:"+r.owner.id || e.Address != r.address ||
		len(e.RequestID) != 16 || e.Before != nil || !strings.Contains(string(e.After), `"name":"Stored"`) {
		t.Errorf("event %+v", e)
	}
	if strings.Contains(string(e.After), made.secret) || strings.Contains(string(e.After), made.secret[28:]) {
		t.Error("the event has something of the secret")
	}
}

func TestNamesAreUnique(t *testing.T) {
	r := newRig(t)
	r.create(`{"name":"Straße Café"}`)
	versioned := r.create(`{"name":"Versioned"}`)
	r.alter(versioned.id, func(c *client.Client) { c.Version = "2" })
	for _, name := range []string{
		"straße café", "STRASSE CAFÉ", "Straße Cafe\u0301", "strasse CAFE\u0301", " Straße Café ", "VERSIONED",
	} {
		want := "API client " + strings.TrimSpace(name) + " already exists."
		r.refused(t, r.request("POST", r.path("/clients"), `{"name":`+quoted(name)+`}`, r.owner), 409, want)
	}
	r.create(`{"name":"Strase Café"}`)
}

func TestPutReplaces(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Before","ipWhitelist":["10.0.0.0/8"],"features":["direct_access"]}`)
	path := r.clientPath(made.id)
	for _, test := range []struct{ name, body, want string }{
		{"everything", `{"name":"After","ipWhitelist":["192.0.2.0/24"],"features":["owner"]}`, r.shape(made.id, `"After"`, `["192.0.2.0/24"]`, "null", `["owner"]`)},
		{"absent means the default", `{"name":"After"}`, r.shape(made.id, `"After"`, `["0.0.0.0/0"]`, "null", `[]`)},
		{"the case of its own name", `{"name":"AFTER"}`, r.shape(made.id, `"AFTER"`, `["0.0.0.0/0"]`, "null", `[]`)},
	} {
		if a := r.ask("PUT", path, test.body); a.status != 200 || a.text != test.want {
			t.Errorf("%s: %d %s\nwant %s", test.name, a.status, a.text, test.want)
		}
		if a := r.ask("GET", path, ""); a.text != test.want {
			t.Errorf("%s: then GET %s", test.name, a.text)
		}
	}
	e := r.events()[0]
	if e.Action != "client.update" || !strings.Contains(string(e.Before), `"After"`) || !strings.Contains(string(e.After), `"AFTER"`) {
		t.Errorf("event %+v", e)
	}
	if !r.works(made) {
		t.Error("the secret does not work any more")
	}
}

// Real callers send back the whole object that they got.
func TestPutBackWhatWasGot(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Round trip","ipWhitelist":["10.0.0.0/8"],"features":["owner","access_issuer"]}`)
	for _, id := range []string{made.id, r.owner.id} {
		got := r.ask("GET", r.clientPath(id), "")
		if a := r.ask("PUT", r.clientPath(id), got.text); a.status != 200 || a.text != got.text {
			t.Errorf("%d %s, sent %s", a.status, a.text, got.text)
		}
	}
}

// A client made elsewhere keeps what this API does not know of.
func TestPutOfAClientMadeElsewhere(t *testing.T) {
	r := newRig(t, "scope_policy=optional")
	made := r.create(`{"name":"Elsewhere"}`)
	settings := client.Settings{
		Description: "kept", Scopes: scopepolicy.Setting{Allowed: []string{"ostiary:introspect"}, AllowUnscoped: true}, AccessToken: lifetime.Setting{Never: true},
		Tags: []string{"kept"}, Contacts: []string{"kept@example.com"}, OwnedBy: "dev@example.com", RateLimit: ratelimit.Setting{PerDay: 5}, AuthMethod: client.AuthPost,
	}
	settings.Redirect.URIs, settings.Refresh.Kept, settings.PKCE.Waived = []string{"https://app.example/cb"}, true, true
	r.alter(made.id, func(c *client.Client) { c.Kind, c.Version, c.Settings = client.Service, "1.2", settings })
	r.create(`{"name":"Other version"}`)
	other := r.create(`{"name":"To be renamed"}`)
	r.alter(other.id, func(c *client.Client) { c.Name = "Elsewhere" }) // another version of the name

	got := r.ask("GET", r.clientPath(made.id), "")
	if a := r.ask("PUT", r.clientPath(made.id), got.text); a.status != 200 || a.text != got.text {
		t.Fatalf("a name that stays is not asked for other versions: %d %s", a.status, a.text)
	}
	if a := r.ask("PUT", r.clientPath(made.id), `{"name":"Renamed","features":["direct_access"]}`); a.status != 200 {
		t.Fatal(a)
	}
	c := r.stored(made.id)
	settings.Features = client.Features{client.DirectAccess}
	if diff := cmp.Diff(settings, c.Settings, cmpopts.EquateEmpty()); c.Kind != client.Service || c.Version != "1.2" || diff != "" {
		t.Errorf("stored as %+v: %s", c, diff)
	}
}

// Under the scope policy `enforced` any edit ends the exemption of an imported
// client; a new secret is no edit.
func TestAnEditEndsTheScopeExemption(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Imported"}`)
	r.alter(made.id, func(c *client.Client) {
		c.Settings.Scopes = scopepolicy.Setting{Allowed: []string{"ostiary:introspect"}, AllowUnscoped: true}
	})
	r.ask("PUT", r.clientPath(made.id)+"/secret", `{"hoursToLive":0}`)
	if !r.stored(made.id).Settings.Scopes.AllowUnscoped {
		t.Error("a new secret ended it")
	}
	r.ask("PUT", r.clientPath(made.id), r.ask("GET", r.clientPath(made.id), "").text)
	if s := r.stored(made.id).Settings.Scopes; s.AllowUnscoped || len(s.Allowed) != 1 {
		t.Errorf("after an edit: %+v", s)
	}
}

func TestPatch(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Patched","ipWhitelist":["10.0.0.0/8"],"features":["direct_access"]}`)
	for _, test := range []struct{ name, body, wantName, wantIPs, wantFeatures string }{
		{"nothing", `{}`, `"Patched"`, `["10.0.0.0/8"]`, `["direct_access"]`},
		{"no body", ``, `"Patched"`, `["10.0.0.0/8"]`, `["direct_access"]`},
		{"the name", `{"name":" Renamed "}`, `"Renamed"`, `["10.0.0.0/8"]`, `["direct_access"]`},
		{"the list", `{"ipWhitelist":["::1/128"],"_id":"x","x":null}`, `"Renamed"`, `["::1/128"]`, `["direct_access"]`},
		{"the features", `{"features":["login_client"]}`, `"Renamed"`, `["::1/128"]`, `["login_client"]`},
		{"null means the default", `{"features":null,"ipWhitelist":null}`, `"Renamed"`, `["0.0.0.0/0"]`, `[]`},
	} {
		want := r.shape(made.id, test.wantName, test.wantIPs, "null", test.wantFeatures)
		if a := r.ask("PATCH", r.clientPath(made.id), test.body); a.status != 200 || a.text != want {
			t.Errorf("%s: %d %s\nwant %s", test.name, a.status, a.text, want)
		}
	}
}

// A write here leaves the feature metadata in place, or removes it for good.
func TestMetadata(t *testing.T) {
	r := newRig(t)
	const refusal = "The metadata feature can only be applied to a client by Akamai."
	made := r.create(`{"name":"Integration"}`)
	r.alter(made.id, func(c *client.Client) { c.Settings.Features = client.Features{client.DirectAccess, client.Metadata} })
	path := r.clientPath(made.id)
	r.refused(t, r.request("PUT", path, `{"name":"Integration","features":["metadata","login_client"]}`, r.owner), 400,
		"Clients with the login_client feature cannot have any other features.")
	for _, step := range []struct{ method, body, want string }{
		{"PUT", r.ask("GET", path, "").text, `["direct_access","metadata"]`},
		{"PUT", `{"name":"Integration","features":["metadata"]}`, `["metadata"]`},
		{"PATCH", `{"name":"Renamed"}`, `["metadata"]`},
		{"PATCH", `{"features":["direct_access"]}`, `["direct_access"]`},
	} {
		a := r.ask(step.method, path, step.body)
		if a.status != 200 || !strings.HasSuffix(a.text, `"features":`+step.want+`}`) {
			t.Errorf("%s %s: %d %s", step.method, step.body, a.status, a.text)
		}
	}
	r.refused(t, r.request("PATCH", path, `{"features":["metadata"]}`, r.owner), 400, refusal)
}

func TestAnOwnerMayDemoteAnother(t *testing.T) {
	r := newRig(t)
	other := r.create(`{"name":"Other owner","features":["owner"]}`)
	if a := r.do("PUT", r.clientPath(r.owner.id), `{"name":"First","features":["owner","direct_access"]}`, r.owner); a.status != 200 {
		t.Errorf("an owner that stays one: %d %s", a.status, a.text)
	}
	if a := r.ask("PATCH", r.clientPath(other.id), `{"features":[]}`); a.status != 200 {
		t.Errorf("%d %s", a.status, a.text)
	}
	r.refused(t, r.request("GET", r.path("/clients"), "", other), 403, "Authentication required.")
}

func TestDelete(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Short-lived","features":["direct_access"]}`)
	if a := r.ask("PUT", r.clientPath(made.id)+"/settings", `{"x":1}`); a.status != 200 {
		t.Fatal(a)
	}
	a := r.ask("DELETE", r.clientPath(made.id), "")
	if a.status != 204 || a.text != "" || a.header.Get("Content-Type") != "" {
		t.Errorf("%d %q %q", a.status, a.text, a.header.Get("Content-Type"))
	}
	if e := r.events()[0]; e.Action != "client.delete" || e.After != nil || !strings.Contains(string(e.Before), "Short-lived") {
		t.Errorf("event %+v", e)
	}
	r.refused(t, r.request("DELETE", r.clientPath(made.id), "", r.owner), 404, "Client ID not found.")
	if r.works(made) {
		t.Error("its secret still works")
	}
	r.create(`{"name":"short-LIVED"}`)
}

// Switched off and on again, a client has another era: nothing of it revives.
func TestSetActive(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Switched","features":["owner"]}`)
	eras := []int64{r.stored(made.id).Era}
	for _, active := range []bool{false, true} {
		c, err := r.ops.SetActive(t.Context(), audit.System(), r.app, made.id, active)
		if err != nil || c.Inactive == active || slices.Contains(eras, c.Era) == !active {
			t.Errorf("active %v: %+v, %v", active, c, err)
		}
		eras = append(eras, c.Era)
		if status := r.do("GET", r.path("/clients"), "", made).status; (status == 200) != active {
			t.Errorf("active %v: answered %d", active, status)
		}
	}
	events := r.events()
	if events[0].Action != "client.activate" || events[1].Action != "client.deactivate" {
		t.Errorf("events %+v", events[:2])
	}
}

// Credentials count in their own application only.
func TestCredentialsOfAnotherApplication(t *testing.T) {
	r := newRig(t)
	other := application.Application{ID: "another-one", Name: "Another"}
	r.insertApplication(other)
	r.refused(t, r.request("GET", "/config/another-one/clients", "", r.owner), 401, "Authentication required.")
}
