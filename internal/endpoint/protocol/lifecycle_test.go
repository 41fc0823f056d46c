package protocol_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
)

// minted is a token of each format, with the client that got it.
func minted(r *rig) map[string]struct {
	creds
	text string
} {
	out := map[string]struct {
		creds
		text string
	}{}
	for name, set := range map[string]func(*client.Client){"jwt": func(*client.Client) {}, "opaque": opaque, "never": never} {
		c := r.client(set)
		out[name] = struct {
			creds
			text string
		}{c, r.mint(c, "")}
	}
	return out
}

func (r *rig) wantActive(name string, caller creds, text string, want bool) {
	r.t.Helper()
	if got := r.introspect(caller, text); got.status != 200 || got.body["active"] != want {
		r.t.Errorf("%s: %d %v, want active %v", name, got.status, got.body, want)
	}
}

func TestDeactivationKillsEveryTokenForGood(t *testing.T) {
	r := newRig(t)
	boss := r.client(owner)
	for name, c := range minted(r) {
		r.wantActive(name, boss, c.text, true) // so that it is remembered
		r.setActive(c.creds, false)
		r.wantActive(name+", deactivated", boss, c.text, false)
		r.tokenBy("basic", c.creds, "").wantError(t, name+", a new token", 401, "invalid_client")
		r.restart()
		r.wantActive(name+", after a restart", boss, c.text, false)
		r.setActive(c.creds, true)
		r.wantActive(name+", activated again", boss, c.text, false)
		r.wantActive(name+", activated again, itself", c.creds, c.text, false)
		r.wantActive(name+", a new one", c.creds, r.mint(c.creds, ""), true)
		r.restart()
		r.wantActive(name+", activated again, after a restart", boss, c.text, false)
	}
}

func TestDeletionKillsEveryTokenForGood(t *testing.T) {
	r := newRig(t)
	boss := r.client(owner)
	for name, c := range minted(r) {
		r.wantActive(name, boss, c.text, true)
		r.remove(c.creds)
		r.wantActive(name+", deleted", boss, c.text, false)
		r.tokenBy("basic", c.creds, "").wantError(t, name+", a new token", 401, "invalid_client")
		r.restart()
		r.wantActive(name+", after a restart", boss, c.text, false)
		r.client(func(made *client.Client) { made.ID = c.id })
		r.wantActive(name+", under an id that is used anew", boss, c.text, false)
	}
}

// 100,000 tokens or one: deactivation is one write, on the client's row, and
// looks at no family. The rows of all but two are made behind the server's back.
func TestDeactivationDoesNotCountTokens(t *testing.T) {
	r := newRig(t)
	boss := r.client(owner)
	deactivate := func(more int) (statements int64) {
		c := r.client(opaque)
		texts := []string{r.mint(c, ""), r.mint(c, "")}
		r.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO family (id, application_id, client_id, client_era, grant_type, scopes, audience, format, salt,
				token_key, generation, issued_at, access_expires_at, revoked_at, revoked_for, removal_at, address)
			SELECT randomblob(16), application_id, client_id, client_era, grant_type, scopes, audience, format, salt,
				token_key, generation, issued_at, access_expires_at, revoked_at, revoked_for, removal_at, address
			FROM n, (SELECT * FROM family WHERE client_id = ? LIMIT 1)`, more, c.id)
		before := r.statements()
		r.setActive(c, false)
		statements = r.statements() - before
		for range 2 {
			for _, text := range texts {
				r.wantActive("deactivated", boss, text, false)
			}
			r.restart()
		}
		return statements
	}
	few, many := deactivate(1), deactivate(99_998)
	if n := r.families(); n != 100_003 {
		t.Fatalf("%d families are stored; a deactivation touches none", n)
	}
	if many != few {
		t.Errorf("%d statements with 3 tokens, %d with 100,000", few, many)
	}
}

func TestReplacedSecretsWorkForTheOverlap(t *testing.T) {
	r := newRig(t)
	c := r.client()
	text := r.mint(c, "")
	fresh := r.replaceSecret(c, 1)
	r.wantActive("tokens live on", fresh, text, true)
	for _, s := range []creds{c, fresh} {
		r.tokenBy("basic", s, "").wantStatus(t, "within the overlap", 200)
	}
	r.clock.Advance(time.Hour - time.Second)
	r.tokenBy("basic", c, "").wantStatus(t, "a second before its end", 200)
	r.clock.Advance(time.Second)
	r.tokenBy("basic", c, "").wantError(t, "at its end", 401, "invalid_client")
	r.tokenBy("post", c, "").wantError(t, "at its end, by post", 401, "invalid_client")
	r.tokenBy("basic", fresh, "").wantStatus(t, "the new one", 200)
	last := r.replaceSecret(fresh, 0)
	r.tokenBy("basic", fresh, "").wantError(t, "without overlap", 401, "invalid_client")
	r.tokenBy("basic", last, "").wantStatus(t, "the last one", 200)
}

func TestAllowListsActAtOnce(t *testing.T) {
	r := newRig(t)
	c := r.client(opaque)
	text := r.mint(c, "")
	h := http.Header{"Authorization": {c.basic()}}
	r.change(c, func(c *client.Client) { c.Settings.AllowedIPs = []string{"198.51.100.0/24"} })
	for _, path := range []string{"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"} {
		body := "grant_type=client_credentials&token=" + text
		r.from("203.0.113.9").post(r.path(path), body, h).wantError(t, path, 403, "access_denied")
		if path != "/oauth2/revoke" {
			r.from("198.51.100.9").post(r.path(path), body, h).wantStatus(t, path, 200)
		}
	}
	r.change(c, func(c *client.Client) { c.Settings.AllowedIPs = nil })
	r.from("203.0.113.9").introspect(c, text).wantStatus(t, "open again", 200)
}

func TestNeverExpiringTokensAreBounded(t *testing.T) {
	r := newRig(t)
	c := r.client(never)
	other := r.client(never)
	others := r.mint(other, "")
	texts := make([]string, 1001)
	for i := range texts[:1000] {
		texts[i] = r.mint(c, "")
		r.clock.Advance(time.Millisecond)
	}
	r.wantActive("the oldest of 1,000", c, texts[0], true)
	if got := r.introspect(c, texts[999]); got.body["exp"] != nil {
		t.Errorf("a never-expiring token has exp: %v", got.body)
	}
	texts[1000] = r.mint(c, "")
	r.wantActive("the oldest of 1,001", c, texts[0], false)
	r.wantActive("the second oldest", c, texts[1], true)
	r.wantActive("the newest", c, texts[1000], true)
	r.wantActive("another client's", other, others, true)
	r.clock.Advance(forever)
	r.wantActive("after 100 years", c, texts[1000], true)
	r.restart()
	r.wantActive("the oldest, after a restart", c, texts[0], false)
	object := "family:" + familyOf(t, texts[0])
	found := 0
	for _, e := range r.events("") {
		if e.Object == object {
			found++
		}
	}
	if found != 1 {
		t.Errorf("%d audit events name the one that died, want 1", found)
	}
}

// familyOf reads the family's id out of an opaque token's text.
func familyOf(t *testing.T, text string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "ost_at_"))
	if err != nil || len(raw) < 20 {
		t.Fatalf("no opaque token: %v", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[4:20])
}

// A text that this server did not make costs no look at the database, whatever
// it looks like.
func TestForgedTokensCostNoSQL(t *testing.T) {
	r := newRig(t)
	c := r.client(owner)
	text, jwt := r.mint(r.client(opaque), ""), r.mint(c, "")
	forged := []string{
		"x", strings.Repeat("x", 60<<10), "ost_at_", "ost_rt_" + text[7:], text + "A", text[:70], "a.b.c",
		jwt[:len(jwt)-2], strings.Repeat("A", 40<<10) + "." + jwt, jwt + ".", "." + jwt,
		"eyJhbGciOiJub25lIn0." + strings.Split(jwt, ".")[1] + ".",
	}
	for i := range 60 {
		b := []byte(text)
		b[7+i] ^= 1
		forged = append(forged, string(b))
	}
	for i := range 30 {
		b := []byte(jwt)
		b[len(b)-1-i] ^= 2
		forged = append(forged, string(b))
	}
	r.wantActive("so that the caller is remembered", c, jwt, true)
	before := r.statements()
	for i, f := range forged {
		r.wantActive(fmt.Sprint("forged ", i), c, f, false)
		r.revoke(c, f).wantStatus(t, fmt.Sprint("forged ", i), 200)
	}
	if n := r.statements() - before; n != 0 {
		t.Errorf("%d SQL statements for %d forged tokens", n, len(forged))
	}
	r.wantActive("the true one", c, text, true)
}
