package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	entries, extents, err := readFile("shop.yaml", []byte(`
applications:
  - {id: shop, name: Shop, security_profile: oauth2, issuer: https://ignored.example.com}
---
# nothing
---
application: shop
scopes: &none
clients:
  - name: Billing
    version: "1"
    kind: service
    access_token_lifetime: never
    refresh_token_lifetime: 60
    require_pkce: true
    rate_limit: {per_second: 5}
    allowed_ips: [10.0.0.0/8, "::1"]
    backchannel_logout_uri: null
    secret: {file: secret.txt}
    secrets: []
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 || entries[0].noun != &applications || entries[1].noun != &clients || entries[1].application != "shop" || entries[1].line != 10 {
		t.Fatalf("%+v", entries)
	}
	// scopes: without a list is no list.
	if len(extents) != 2 || extents[1] != (extent{&clients, "shop"}) {
		t.Errorf("lists: %+v", extents)
	}
	want := map[string]string{
		"name": `"Billing"`, "version": `"1"`, "kind": `"service"`, "access_token_lifetime": `"never"`, "refresh_token_lifetime": "60",
		"require_pkce": "true", "rate_limit": `{"per_second":5}`, "allowed_ips": `["10.0.0.0/8","::1"]`, "backchannel_logout_uri": "null",
	}
	got := entries[1].fields
	for name, text := range want {
		if string(got[name]) != text {
			t.Errorf("%s is %s, want %s", name, got[name], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d fields, want %d: what is read only is left out", len(got), len(want))
	}
	if s := entries[1].secret; s == nil || s.file != "secret.txt" {
		t.Errorf("the reference to the secret is %+v", s)
	}
}

func TestReadFileRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"no YAML", "clients: [", "f is not YAML"},
		{"a list at the top", "- name: x", "f:1: a document is a mapping"},
		{"an unknown key", "client: []", "f:1: there is no field client; did you mean clients?"},
		{"an unknown field", "clients:\n  - name: x\n    redirect_uri: []", "f:3: there is no field redirect_uri; did you mean redirect_uris?"},
		{"a key twice", "clients: []\nclients: []", "f:2: clients is there twice"},
		{"a field twice", "clients:\n  - name: x\n    name: y", "f:3: name is there twice"},
		{"no list", "clients: {name: x}", "f:1: clients are a list"},
		{"no mapping", "clients: [x]", "f:1: a client is a mapping"},
		{"no name", "clients: [{kind: web}]", "f:1: a client has a name here"},
		{"no id", "applications: [{name: x}]", "f:1: an application has an id here"},
		{"a secret in the file", "clients: [{name: x, secret: sesame}]", "f:1: a secret never stands in the file"},
		{"a secret twice", "clients: [{name: x, secret: {file: a, environment: b}}]", "f:1: a secret never stands in the file"},
		{"a fraction", "clients: [{name: x, refresh_limit: 1.5}]", "f:1: refresh_limit: 1.5 is neither"},
		{"an application that is a list", "application: [x]", "f:1: application is the id"},
		{"too deep", "clients: [{name: x, rate_limit: {a: {b: {c: {d: 1}}}}}]", "f:1: rate_limit: no field is nested"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := readFile("f", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "sesame") {
				t.Error("the error repeats a secret")
			}
		})
	}
}

func FuzzReadFile(f *testing.F) {
	for _, seed := range []string{
		"", "clients: [{name: x, kind: web}]", "a: &a [*a]", "clients: &c [{name: *c}]", "---\n---\n", "clients: [{name: 0x10}]",
		"application: x\nscopes: [{name: a, url_patterns: [/x]}]", "? [a]\n: b", "clients: [{<<: {name: x}}]", "resources: [{identifier: 2026-01-01}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, _, err := readFile("f", text)
		if err != nil {
			return
		}
		for _, e := range entries {
			for name, raw := range e.fields {
				if !json.Valid(raw) {
					t.Errorf("%s is %q", name, raw)
				}
			}
		}
	})
}

func TestSame(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{`null`, `""`, true},
		{`null`, `[]`, true},
		{``, `null`, true},
		{`["a","b"]`, `["b","a"]`, true},
		{`["a"]`, `["a","b"]`, false},
		{`{"per_day":1,"burst":null}`, `{"per_day":1}`, true},
		{`{"per_day":1}`, `{"per_day":2}`, false},
		{`1`, `"1"`, false},
		{`3600`, `3600`, true},
		{`"never"`, `3600`, false},
	} {
		if got := same(json.RawMessage(test.a), json.RawMessage(test.b)); got != test.want {
			t.Errorf("same(%s, %s) is %t", test.a, test.b, got)
		}
	}
}
