package protocol_test

import (
	"net/http"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client"
)

// single is a single-page application's client.
func single(origins ...string) func(*client.Client) {
	return func(c *client.Client) {
		c.Kind, c.Public, c.Secrets = client.SPA, true, nil
		for _, origin := range origins {
			c.Settings.Redirect.URIs = append(c.Settings.Redirect.URIs, origin+"/cb")
		}
	}
}

// Before a call the client is not known: an origin that one of the application
// has is let through.
func TestPreflight(t *testing.T) {
	r := newRig(t)
	c := r.client(single("https://one.example", "https://two.example"))
	ask := func(name, path, origin string, allowed bool) {
		t.Helper()
		got := r.do("OPTIONS", path, "", http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization,content-type"},
		})
		if got.status != 204 || got.text != "" || got.header.Get("Vary") != "Origin" || got.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %q %v", name, got.status, got.text, got.header)
		}
		if !allowed {
			for _, field := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"} {
				if got.header.Get(field) != "" {
					t.Errorf("%s: %s is %q", name, field, got.header.Get(field))
				}
			}
			return
		}
		if got.header.Get("Access-Control-Allow-Origin") != origin || got.header.Get("Access-Control-Allow-Methods") != "POST" ||
			got.header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type, *" {
			t.Errorf("%s: %v", name, got.header)
		}
	}
	for _, below := range []string{"/oauth2/token", "/oauth2/revoke"} {
		path := r.path(below)
		ask("one of its origins", path, "https://one.example", true)
		ask("another", path, "https://two.example", true)
		ask("nobody's", path, "https://evil.example", false)
		ask("http", path, "http://one.example", false)
		ask("null", path, "null", false)
		ask("none", path, "", false)
		ask("no application", "/nobody"+below, "https://one.example", false)
	}
	before := r.statements()
	for range 5 {
		ask("again", r.path("/oauth2/token"), "https://one.example", true)
		ask("again, nobody's", r.path("/oauth2/token"), "https://evil.example", false)
	}
	if n := r.statements() - before; n != 0 {
		t.Errorf("%d statements for what is known", n)
	}
	r.change(c, func(c *client.Client) { c.Settings.Redirect.URIs = []string{"https://two.example/cb"} })
	ask("what it had", r.path("/oauth2/token"), "https://one.example", false)
	r.remove(c)
	ask("of a client that is gone", r.path("/oauth2/token"), "https://two.example", false)
}

// The answer itself is for pages of the client's own origins.
func TestAnswersToPages(t *testing.T) {
	r := newRig(t)
	mine := r.client(single("https://one.example"))
	r.client(single("https://other.example"))
	r.client(single(), func(c *client.Client) { c.Settings.Redirect.Origins = []string{"https://listed.example"} })
	secret := r.client(func(c *client.Client) { c.Settings.Redirect.Origins = []string{"https://one.example"} })
	for _, test := range []struct {
		name, path, body, origin string
		header                   http.Header
		allowed                  bool
	}{
		{name: "its own", path: "/oauth2/revoke", body: "token=x&client_id=" + mine.id, origin: "https://one.example", allowed: true},
		{name: "another client's", path: "/oauth2/revoke", body: "token=x&client_id=" + mine.id, origin: "https://other.example"},
		{name: "an error of its own", path: "/oauth2/token", body: "grant_type=x&client_id=" + mine.id, origin: "https://one.example", allowed: true},
		{name: "an error, another client's", path: "/oauth2/token", body: "grant_type=x&client_id=" + mine.id, origin: "https://other.example"},
		{name: "nobody is known", path: "/oauth2/token", body: "grant_type=x", origin: "https://listed.example", allowed: true},
		{name: "nobody is known, from nowhere", path: "/oauth2/token", body: "grant_type=x", origin: "https://evil.example"},
		{name: "a page has no origin", path: "/oauth2/token", body: "grant_type=x", origin: "null"},
		{
			name: "a token", path: "/oauth2/token", body: "grant_type=client_credentials", origin: "https://one.example",
			header: http.Header{"Authorization": {secret.basic()}}, allowed: true,
		},
		{
			name: "introspection is for no page", path: "/oauth2/introspect", body: "token=x", origin: "https://one.example",
			header: http.Header{"Authorization": {secret.basic()}},
		},
	} {
		h := test.header.Clone()
		if h == nil {
			h = http.Header{}
		}
		h.Set("Origin", test.origin)
		got := r.post(r.path(test.path), test.body, h)
		want := ""
		if test.allowed {
			want = test.origin
		}
		if got.header.Get("Access-Control-Allow-Origin") != want || got.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", test.name, got.status, got.header)
		}
		if exposed := got.header.Get("Access-Control-Expose-Headers"); (exposed != "") != test.allowed {
			t.Errorf("%s: exposed %q", test.name, exposed)
		}
		if test.path != "/oauth2/introspect" && got.header.Get("Vary") != "Origin" {
			t.Errorf("%s: varies by %q", test.name, got.header.Get("Vary"))
		}
	}
	if got := r.do("PUT", r.path("/oauth2/token"), "", http.Header{"Origin": {"https://one.example"}}); got.header.Get("Vary") != "Origin" {
		t.Errorf("another method: %v", got.header)
	}
}
