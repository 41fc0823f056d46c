package protocol_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
)

func owner(c *client.Client) {
	c.Kind, c.Settings.Features = client.Other, client.Features{client.Owner}
}

// RFC 7662 §2.2.
func TestIntrospectionAnswer(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name     string
		client   creds
		body     string
		scope    any
		lifetime float64 // 0: never
	}{
		{"jwt", r.client(scoped("a", "b")), "scope=b+a", "b a", 3600},
		{"jwt without scopes", r.client(), "", nil, 3600},
		{"opaque", r.client(opaque, scoped("a")), "scope=a", "a", 3600},
		{"never", r.client(never), "", nil, 0},
	} {
		text := r.mint(c.client, c.body)
		now := float64(r.clock.Now().Unix())
		for range 2 { // from the store, then from memory
			got := r.introspect(c.client, text)
			got.wantStatus(t, c.name, 200)
			want := map[string]any{
				"active": true, "client_id": c.client.id, "token_type": "Bearer", "iat": now,
				"sub": c.client.id, "aud": r.issuer(), "iss": r.issuer(), "jti": got.body["jti"],
			}
			if c.scope != nil {
				want["scope"] = c.scope
			}
			if c.lifetime > 0 {
				want["exp"] = now + c.lifetime
			}
			if !maps.Equal(got.body, want) {
				t.Errorf("%s: got %v, want %v", c.name, got.body, want)
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: header %v", c.name, got.header)
			}
		}
	}
	text := r.mint(r.client(opaque), "")
	if got := r.introspect(r.client(owner), text, "token_type_hint=refresh_token"); got.body["active"] != true {
		t.Errorf("a wrong hint: %v", got.body)
	}
}

// Who may look: the token's own client, an owner, one with the scope for it;
// and each of them only while it may do anything at all.
func TestIntrospectionCallers(t *testing.T) {
	r := newRig(t)
	own := r.client(opaque)
	text, jwt := r.mint(own, ""), r.mint(r.client(), "")
	other := r.otherApplication()
	for _, c := range []struct {
		name   string
		caller creds
		want   bool
	}{
		{"owner", r.client(owner), true},
		{"one with the scope", r.client(scoped("ostiary:introspect")), true},
		{"another client", r.client(), false},
		{"another with a feature", r.client(func(c *client.Client) {
			c.Kind, c.Settings.Features = client.Other, client.Features{client.DirectAccess}
		}), false},
		{"no feature and no grant, but the scope", r.client(scoped("ostiary:introspect"), func(c *client.Client) { c.Kind = client.Other }), false},
		{"a public client with the scope", r.client(public, scoped("ostiary:introspect")), false},
	} {
		for _, token := range []string{text, jwt} {
			if got := r.introspect(c.caller, token); got.status != 200 || got.body["active"] != c.want || !c.want && len(got.body) != 1 {
				t.Errorf("%s: %d %v", c.name, got.status, got.body)
			}
		}
	}
	if got := r.introspect(own, text); got.body["active"] != true {
		t.Errorf("the token's own client: %v", got.body)
	}
	if got := r.introspect(own, jwt); got.body["active"] != false {
		t.Errorf("another's JWT: %v", got.body)
	}
	for _, token := range []string{text, jwt} {
		if got := r.in(other.application).introspect(other.creds, token); got.status != 200 || got.body["active"] != false {
			t.Errorf("across applications: %d %v", got.status, got.body)
		}
	}
	r.change(own, func(c *client.Client) { c.Kind = client.Other }) // now without feature and grant
	if got := r.introspect(own, text); got.body["active"] != false {
		t.Errorf("a client that may do nothing: %v", got.body)
	}
	if got := r.introspect(r.client(owner), text); got.body["active"] != true {
		t.Errorf("its tokens live on: %v", got.body)
	}
}

func TestIntrospectionErrors(t *testing.T) {
	r := newRig(t)
	c := r.client()
	elsewhere := r.client(func(c *client.Client) { c.Settings.AllowedIPs = []string{"198.51.100.0/24"} })
	asleep := r.client(func(c *client.Client) { c.Inactive = true })
	for _, e := range []struct {
		name, auth, body string
		status           int
		code             string
	}{
		{"no client authentication", "", "token=x", 401, "invalid_client"},
		{"wrong secret", creds{c.id, "wrong"}.basic(), "token=x", 401, "invalid_client"},
		{"inactive client", asleep.basic(), "token=x", 401, "invalid_client"},
		{"address not on the list", elsewhere.basic(), "token=x", 403, "access_denied"},
		{"no token", c.basic(), "", 400, "invalid_request"},
		{"an empty token", c.basic(), "token=", 400, "invalid_request"},
		{"repeated token", c.basic(), "token=x&token=y", 400, "invalid_request"},
		{"empty client_address", c.basic(), "token=x&client_address=", 400, "invalid_request"},
		{"malformed client_address", c.basic(), "token=x&client_address=here", 400, "invalid_request"},
		{"client_address with a port", c.basic(), "token=x&client_address=192.0.2.1%3A80", 400, "invalid_request"},
		{"client_address with a zone", c.basic(), "token=x&client_address=fe80%3A%3A1%25eth0", 400, "invalid_request"},
		{"client_address with a prefix", c.basic(), "token=x&client_address=192.0.2.0%2F24", 400, "invalid_request"},
	} {
		h := http.Header{}
		if e.auth != "" {
			h.Set("Authorization", e.auth)
		}
		r.post(r.path("/oauth2/introspect"), e.body, h).wantError(t, e.name, e.status, e.code)
	}
}

// The address that the token was presented from is held against the list of the
// token's client, the caller's own against the caller's.
func TestIntrospectionWithClientAddress(t *testing.T) {
	r := newRig(t)
	caller := r.client(owner)
	bound := r.client(opaque)
	text := r.mint(bound, "")
	r.change(bound, func(c *client.Client) { c.Settings.AllowedIPs = []string{"198.51.100.0/24", "2001:db8::/32"} })
	for address, want := range map[string]bool{
		"":                             true,
		"&client_address=198.51.100.7": true,
		"&client_address=%3A%3Affff%3A198.51.100.7": true,
		"&client_address=2001%3Adb8%3A%3A1":         true,
		"&client_address=192.0.2.1":                 false,
		"&client_address=2001%3Adb9%3A%3A1":         false,
	} {
		if got := r.introspect(caller, text, address); got.status != 200 || got.body["active"] != want {
			t.Errorf("%q: %d %v, want %v", address, got.status, got.body, want)
		}
	}
	r.introspect(bound, text).wantError(t, "the client itself, from elsewhere", 403, "access_denied")
}

func TestTokensExpire(t *testing.T) {
	r := newRig(t)
	minute := func(c *client.Client) { c.Settings.AccessToken.Seconds = 60 }
	for name, c := range map[string]creds{"jwt": r.client(minute), "opaque": r.client(minute, opaque)} {
		text := r.mint(c, "")
		r.clock.Advance(59 * time.Second)
		if got := r.introspect(c, text); got.body["active"] != true {
			t.Errorf("%s, a second before: %v", name, got.body)
		}
		r.clock.Advance(time.Second)
		if got := r.introspect(c, text); got.body["active"] != false {
			t.Errorf("%s, at exp: %v", name, got.body)
		}
	}
}

func TestAStateThatCannotBeKnownIsNoAnswer(t *testing.T) {
	r := newRig(t)
	c := r.client(opaque)
	text := r.mint(c, "")
	r.loseLease()
	for _, path := range []string{"/oauth2/introspect", "/oauth2/revoke"} {
		got := r.post(r.path(path), "token="+text, http.Header{"Authorization": {c.basic()}})
		got.wantError(t, path, 503, "temporarily_unavailable")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
}

func TestAClosedStoreIsNoAnswer(t *testing.T) {
	r := newRig(t)
	c := r.client()
	known, unknown := r.mint(c, ""), r.mint(c, "")
	r.restart() // a token is remembered where it was issued
	r.wantActive("known", c, known, true)
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]answer{
		"introspection": r.introspect(c, unknown), "revocation": r.revoke(c, unknown), "a new token": r.tokenBy("basic", c, ""),
	} {
		if got.status < 500 || got.body["error"] == nil || got.body["active"] != nil {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
}
