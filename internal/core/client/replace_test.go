package client_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/clienttest"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// generated are the values that a random client's fields are drawn from: those
// of the cases that are accepted, whatever stands beside them; what does not go
// together is refused and drawn again.
func generated() (byField map[string][]string, names []string) {
	byField = make(map[string][]string)
	for _, c := range clienttest.Cases() {
		if c.Refused != "" || c.JSON == "" || c.Field == "name" || c.Field == "id" || c.Field == "secret" || len(c.JSON) > 3000 {
			continue
		}
		if byField[c.Field] == nil {
			names = append(names, c.Field)
		}
		byField[c.Field] = append(byField[c.Field], c.JSON)
	}
	return byField, names
}

// draw makes a random client; what is refused is taken out of the document.
func (r *rig) draw(t *rapid.T, byField map[string][]string, names []string) *client.Client {
	document := map[string]json.RawMessage{"name": json.RawMessage(`"` + ident.Record() + `"`)}
	for _, name := range names {
		if name == "kind" || rapid.Bool().Draw(t, "has "+name) {
			document[name] = json.RawMessage(rapid.SampledFrom(byField[name]).Draw(t, name))
		}
	}
	for range names {
		f, err := client.ParseFields(encode(r, document))
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := r.ops.CreateFrom(r.Context(), r.source, r.app, f, client.CreateOptions{Import: rapid.Bool().Draw(t, "imported")})
		if err == nil {
			return c
		}
		for _, name := range problems(r, err) {
			delete(document, base(name))
		}
	}
	t.Fatalf("no client comes of %s", encode(r, document))
	return nil
}

// base is the field that a problem is of.
func base(name string) string {
	for i, c := range name {
		if c == '[' || c == '.' {
			return name[:i]
		}
	}
	return name
}

// changes are what a write of the same changes.
var changes = cmpopts.IgnoreFields(client.Client{}, "Revision", "UpdatedAt")

// PUT takes back what GET gave, and changes nothing by it, save that an edit
// under the policy `enforced` makes a client name its scopes.
func TestReplaceTakesBackWhatWasShown(t *testing.T) {
	r := newRig(t)
	byField, names := generated()
	settings := []application.Settings{
		{},
		{SecurityProfile: application.OAuth2},
		{ScopePolicy: application.Optional},
		{SecurityProfile: application.OAuth2, ScopePolicy: application.Optional},
	}
	clients := 0
	rapid.Check(t, func(t *rapid.T) {
		for range 10 { // 100 checks of rapid's give 1,000 clients
			r.app.Settings = rapid.SampledFrom(settings).Draw(t, "application when made")
			before := r.stored(r.draw(t, byField, names).ID)
			r.app.Settings = rapid.SampledFrom(settings).Draw(t, "application when replaced")
			shown := r.shown(before.ID)
			f, err := client.ParseFields(encode(r, shown))
			if err != nil {
				t.Fatalf("%s: %v", encode(r, shown), err)
			}
			if _, err := r.ops.ReplaceFrom(r.Context(), r.source, r.app, before.ID, f, &before.Revision); err != nil {
				t.Fatalf("%s: %v", encode(r, shown), err)
			}
			if r.app.Settings.ScopePolicy != application.Optional {
				before.Settings.Scopes.AllowUnscoped, shown.RequireRequestedScopes = false, true
			}
			if diff := cmp.Diff(before, r.stored(before.ID), changes); diff != "" {
				t.Fatalf("%s: what is stored (-before +after)\n%s", encode(r, shown), diff)
			}
			if diff := cmp.Diff(shown, r.shown(before.ID), cmpopts.IgnoreFields(client.View{}, "UpdatedAt")); diff != "" {
				t.Fatalf("what is shown (-before +after)\n%s", diff)
			}
			clients++
		}
	})
	if clients < 1000 {
		t.Errorf("%d clients, want 1,000", clients)
	}
}

// A patch changes what it names and nothing else.
func TestPatchLeavesTheRest(t *testing.T) {
	r := newRig(t)
	r.app.Settings = application.Settings{SecurityProfile: application.OAuth2, ScopePolicy: application.Optional}
	c := r.make(`"kind":"other","features":["owner"],"scopes":["read"],"rate_limit":{"per_second":5,"per_day":9},"allowed_ips":"192.0.2.1","tags":["a"],"version":"1"`)
	before := r.stored(c.ID)
	for _, test := range []struct {
		patch string
		apply func(*client.Client)
	}{
		{`{}`, func(*client.Client) {}},
		{`{"description":"x"}`, func(c *client.Client) { c.Settings.Description = "x" }},
		{`{"rate_limit":{"per_second":null,"per_day":10}}`, func(c *client.Client) { c.Settings.RateLimit = client.RateLimit{PerDay: 10} }},
		{`{"rate_limit":{"per_second":7,"burst":8}}`, func(c *client.Client) {
			c.Settings.RateLimit = client.RateLimit{PerSecond: 7, Burst: 8, PerDay: 10}
		}},
		{`{"rate_limit":{"per_second":null}}`, func(c *client.Client) { c.Settings.RateLimit = client.RateLimit{Burst: 8, PerDay: 10} }},
		{`{"rate_limit":null,"tags":null,"description":null}`, func(c *client.Client) {
			c.Settings.RateLimit, c.Settings.Tags, c.Settings.Description = client.RateLimit{}, nil, ""
		}},
		{`{"version":"2","kind":"other","type":"confidential","name":"` + c.Name + `","id":"` + c.ID + `"}`, func(c *client.Client) { c.Version = "2" }},
		{`{"grant_types":["client_credentials"]}`, func(*client.Client) {}}, // as derived
		{`{"features":["login_client"],"scopes":null}`, func(c *client.Client) {
			c.Settings.Features, c.Settings.Scopes.Allowed = client.Features{client.LoginClient}, nil
		}},
		{`{"access_token_lifetime":"never"}`, func(c *client.Client) { c.Settings.AccessToken.Never = true }}, // opaque by itself
		{`{"access_token_format":"opaque"}`, func(*client.Client) {}},
	} {
		if _, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(test.patch), nil); err != nil {
			t.Fatalf("%s: %v", test.patch, err)
		}
		test.apply(before)
		if diff := cmp.Diff(before, r.stored(c.ID), changes); diff != "" {
			t.Fatalf("%s: (-want +got)\n%s", test.patch, diff)
		}
	}
}

func TestPatchRefuses(t *testing.T) {
	r := newRig(t)
	c := r.make(`"kind":"service"`)
	for patch, want := range map[string][]string{
		`{"id":"x","name":"Other","kind":"web","type":"public"}`:                                         {"id", "name", "kind", "type"},
		`{"name":null,"kind":null,"id":null,"type":null}`:                                                {"id", "name", "kind", "type"},
		`{"secret":"correct-horse-battery-staple"}`:                                                      {"secret"},
		`{"created_at":null,"owned_by":"x","secrets":[]}`:                                                {"owned_by", "secrets", "created_at"},
		`{"nonsense":1,"active":"no"}`:                                                                   {"active", "nonsense"},
		`{"rate_limit":{"per_second":0},"version":1}`:                                                    {"version", "rate_limit.per_second"},
		`{"redirect_uris":["x"],"scopes":["person","nowhere"]}`:                                          {"redirect_uris[0]", "scopes[0]", "scopes[1]"},
		`{"access_token_format":"jwt","access_token_lifetime":"never","require_requested_scopes":false}`: {"require_requested_scopes", "access_token_format"},
		`{"rate_limit":{"burst":0}}`:                                                                     {"rate_limit.burst"},
	} {
		before := r.stored(c.ID)
		_, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(patch), nil)
		if diff := cmp.Diff(want, problems(t, err)); diff != "" {
			t.Errorf("%s: %s", patch, diff)
		}
		if diff := cmp.Diff(before, r.stored(c.ID)); diff != "" {
			t.Errorf("%s: something is stored: %s", patch, diff)
		}
	}
}

// The lifetime of refresh tokens goes with their grant, unless it is written.
func TestRefreshLifetimeGoesWithItsGrant(t *testing.T) {
	r := newRig(t)
	c := r.make(`"kind":"web","grant_types":["authorization_code","refresh_token"],"refresh_token_lifetime":500`)
	_, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(`{"grant_types":null,"refresh_token_lifetime":500}`), nil)
	if diff := cmp.Diff([]string{"refresh_token_lifetime"}, problems(t, err)); diff != "" {
		t.Error(diff)
	}
	if _, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(`{"grant_types":["authorization_code"]}`), nil); err != nil {
		t.Fatal(err)
	}
	if got := r.stored(c.ID).Settings.Refresh.Seconds; got != 0 {
		t.Errorf("%d seconds are left", got)
	}
}

// A replacement leaves what is fixed and puts the rest back to its default.
func TestReplaceIsWhole(t *testing.T) {
	r := newRig(t)
	c := r.make(`"kind":"other","type":"public","version":"1","features":["login_client"],"tags":["a"],"allowed_ips":["192.0.2.0/24"],
		"access_token_lifetime":5,"redirect_uris":["https://app.example"],"rate_limit":{"per_day":1},"refresh_limit":0,"active":false,"description":"x"`)
	if _, err := r.ops.ReplaceFrom(t.Context(), r.source, r.app, c.ID, client.Fields{}, nil); err != nil {
		t.Fatal(err)
	}
	want := *c
	want.Version, want.Inactive, want.Settings = "", false, client.Settings{}
	if diff := cmp.Diff(&want, r.stored(c.ID), changes); diff != "" {
		t.Error(diff)
	}
}

// What is derived stays so only while what is written is what was shown and
// still follows.
func TestDerivedGrants(t *testing.T) {
	for i, test := range []struct{ made, replaced, want string }{
		{`"features":["direct_access"]`, `"features":["direct_access"],"grant_types":["client_credentials"]`, `null`},
		{`"features":["direct_access"]`, `"features":["owner"],"grant_types":["client_credentials"]`, `null`},
		{`"features":["direct_access"]`, `"grant_types":["client_credentials"]`, `["client_credentials"]`},
		{`"features":["direct_access"]`, `"features":["direct_access"],"grant_types":["client_credentials","refresh_token"]`, `["client_credentials","refresh_token"]`},
		{`"features":[]`, `"features":["owner"],"grant_types":[]`, `[]`},
		{`"grant_types":[]`, `"grant_types":[]`, `[]`},
		{`"grant_types":["client_credentials"],"features":["owner"]`, `"grant_types":["client_credentials"],"features":["owner"]`, `["client_credentials"]`},
		{`"grant_types":["client_credentials"],"features":["owner"]`, `"features":["owner"]`, `null`},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			r := newRig(t)
			c := r.make(`"kind":"other",` + test.made)
			if _, err := r.ops.ReplaceFrom(t.Context(), r.source, r.app, c.ID, r.fields(`{`+test.replaced+`}`), nil); err != nil {
				t.Fatal(err)
			}
			if got := string(encode(t, r.stored(c.ID).Settings.GrantTypes)); got != test.want {
				t.Errorf("stored %s, want %s", got, test.want)
			}
		})
	}
}
