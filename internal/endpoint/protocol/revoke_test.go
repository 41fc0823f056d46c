package protocol_test

import (
	"net/http"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client"
)

func TestRevocationKillsTheFamilyAtOnce(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]creds{"jwt": r.client(), "opaque": r.client(opaque), "never": r.client(never)} {
		text, sibling := r.mint(c, ""), r.mint(c, "")
		got := r.revoke(c, text)
		if got.status != 200 || got.text != "{}" || got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q %v", name, got.status, got.text, got.header)
		}
		if got := r.introspect(c, text); got.body["active"] != false {
			t.Errorf("%s, after: %v", name, got.body)
		}
		if got := r.introspect(c, sibling); got.body["active"] != true {
			t.Errorf("%s, its sibling: %v", name, got.body)
		}
		r.revoke(c, text).wantStatus(t, name+", again", 200)
	}
	events := r.events("token.revoke")
	if len(events) != 3 {
		t.Fatalf("%d audit events, want 3: one a family, none for the second time", len(events))
	}
	for _, e := range events {
		if len(e.Object) != len("family:")+22 || e.Actor[:7] != "client:" || e.RequestID == "" || e.Address == "" || e.Before == nil || e.After == nil {
			t.Errorf("event %+v", e)
		}
	}
	r.restart()
	if n := r.families(); n != 6 {
		t.Errorf("%d families, want 6: revocation removes none at once", n)
	}
}

func TestRevokedTokensStayDeadAfterARestart(t *testing.T) {
	r := newRig(t)
	c := r.client(opaque)
	text, live := r.mint(c, ""), r.mint(c, "")
	r.revoke(c, text).wantStatus(t, "revoke", 200)
	r.restart()
	if got := r.introspect(c, text); got.body["active"] != false {
		t.Errorf("revoked: %v", got.body)
	}
	if got := r.introspect(c, live); got.body["active"] != true {
		t.Errorf("not revoked: %v", got.body)
	}
}

// RFC 7009 §2.1, §2.2: 200 whatever is sent; who is not the token's client, nor
// an owner, changes nothing by it.
func TestRevocationOfOthersTokens(t *testing.T) {
	r := newRig(t)
	victim := r.client(opaque)
	text := r.mint(victim, "")
	other := r.otherApplication()
	for name, caller := range map[string]creds{
		"another client":          r.client(),
		"one that may introspect": r.client(scoped("ostiary:introspect")),
		"another with a feature": r.client(func(c *client.Client) {
			c.Kind, c.Settings.Features = client.Other, client.Features{client.AccessIssuer}
		}),
		"a public client, by its id": r.client(public),
	} {
		r.revoke(caller, text).wantStatus(t, name, 200)
	}
	r.in(other.application).revoke(other.creds, text).wantStatus(t, "an owner of another application", 200)
	if got := r.introspect(victim, text); got.body["active"] != true {
		t.Fatalf("revoked by who may not: %v", got.body)
	}
	r.revoke(victim, "ost_at_nothing").wantStatus(t, "unknown token", 200)
	r.revoke(victim, "nothing").wantStatus(t, "no token at all", 200)
	if n := len(r.events("token.revoke")); n != 0 {
		t.Errorf("%d audit events of nothing", n)
	}
	r.revoke(r.client(owner), text, "token_type_hint=refresh_token").wantStatus(t, "owner", 200)
	if got := r.introspect(victim, text); got.body["active"] != false {
		t.Errorf("revoked by an owner: %v", got.body)
	}
}

func TestRevocationErrors(t *testing.T) {
	r := newRig(t)
	c := r.client()
	elsewhere := r.client(func(c *client.Client) { c.Settings.AllowedIPs = []string{"198.51.100.0/24"} })
	for _, e := range []struct {
		name, auth, body string
		status           int
		code             string
	}{
		{"no client authentication", "", "token=x", 401, "invalid_client"},
		{"a confidential client without a secret", "", "token=x&client_id=" + c.id, 401, "invalid_client"},
		{"wrong secret", creds{c.id, "wrong"}.basic(), "token=x", 401, "invalid_client"},
		{"address not on the list", elsewhere.basic(), "token=x", 403, "access_denied"},
		{"no token", c.basic(), "", 400, "invalid_request"},
	} {
		h := http.Header{}
		if e.auth != "" {
			h.Set("Authorization", e.auth)
		}
		r.post(r.path("/oauth2/revoke"), e.body, h).wantError(t, e.name, e.status, e.code)
	}
}
