package token_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
)

// RFC 8707 §2.2: a refresh may name some of the resources that the user's consent
// was for, and none else; the next one is not bound by it.
func TestRefreshForAResource(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bed) {
		b.furnish()
		c, u := b.web(nil), b.user()
		a := b.authorization(c, u, "openid", "a")
		a.Audience = apis
		first, err := b.tokens.Redeem(t.Context(), b.presented(c, b.code(a)))
		if err != nil {
			t.Fatal(err)
		}
		refresh := func(text string, resources ...string) (*token.Minted, string) {
			t.Helper()
			p := b.presented(c, text)
			p.Resources = resources
			minted, err := b.tokens.Refresh(t.Context(), p)
			return minted, refusal(t, err)
		}
		if _, code := refresh(first.Refresh, "https://three.example.com"); code != "invalid_target" {
			t.Errorf("one that was not named: %q", code)
		}
		narrow, code := refresh(first.Refresh, apis[1])
		if code != "" || claimsOf(t, narrow.Text)["aud"] != apis[1] || claimsOf(t, narrow.IDToken)["aud"] != c.ID {
			t.Fatalf("%q, %v", code, claimsOf(t, narrow.Text))
		}
		if got := b.found(t, narrow.Text); got == nil || !slices.Equal(got.Audience, apis[1:]) {
			t.Errorf("found %+v", got)
		}
		if _, code := refresh(first.Refresh, apis[0]); code != "invalid_target" {
			t.Errorf("another one at the retry: %q", code)
		}
		whole, code := refresh(narrow.Refresh)
		if code != "" {
			t.Fatal(code)
		}
		if aud, _ := claimsOf(t, whole.Text)["aud"].([]any); len(aud) != len(apis) {
			t.Errorf("the next one is for %v", claimsOf(t, whole.Text)["aud"])
		}
		if thefts := b.thefts(c); len(thefts) > 0 {
			t.Errorf("thefts %q", thefts)
		}
	})
}

// A refresh yields what its user has the roles for at that moment; what is out
// keeps what it has.
func TestRefreshAfterARoleIsLost(t *testing.T) {
	b := newBed(t)
	b.furnish()
	c, u := b.web(opaqueClient), b.user("admin")
	first := b.redeemed(c, u, "a", "admin:read")
	b.changeUser(u, func(u *user.User) { u.Roles = nil })
	if _, code := b.refreshed(t, c, first.Refresh, "admin:read"); code != "invalid_scope" {
		t.Errorf("asked for by name: %q", code)
	}
	second, code := b.refreshed(t, c, first.Refresh)
	if code != "" || !slices.Equal(second.Scopes, []string{"a"}) || !slices.Equal(b.found(t, second.Text).Scopes, []string{"a"}) {
		t.Fatalf("%q, %+v", code, second)
	}
	if got := b.found(t, first.Text); got == nil || !slices.Equal(got.Scopes, []string{"a", "admin:read"}) {
		t.Errorf("what is out: %+v", got)
	}
	b.changeUser(u, func(u *user.User) { u.Roles = []string{"admin"} })
	if third, code := b.refreshed(t, c, second.Refresh); code != "" || !slices.Equal(third.Scopes, []string{"a", "admin:read"}) {
		t.Errorf("with the role again: %q, %+v", code, third)
	}

	only := b.redeemed(c, u, "admin:read")
	b.changeUser(u, func(u *user.User) { u.Roles = nil })
	if _, code := b.refreshed(t, c, only.Refresh); code != "invalid_scope" {
		t.Errorf("where none is left: %q", code)
	}
}

// A scope that is for clients alone by now is in no more tokens of users, though
// it was the only one.
func TestRefreshAfterAScopeChangedItsKind(t *testing.T) {
	b := newBed(t)
	b.furnish()
	c, u := b.web(nil), b.user()
	both, only := b.redeemed(c, u, "a", "b"), b.redeemed(c, u, "a")
	if _, err := b.db.Scopes().Change(t.Context(), b.app.ID, "a", func(s *scope.Scope) (audit.Event, error) {
		s.Kind = scope.System
		return b.event("scope.update"), nil
	}); err != nil {
		t.Fatal(err)
	}
	b.start()
	if left, code := b.refreshed(t, c, both.Refresh); code != "" || !slices.Equal(left.Scopes, []string{"b"}) {
		t.Errorf("%q, %+v", code, left)
	}
	if left, code := b.refreshed(t, c, only.Refresh); code != "invalid_scope" {
		t.Errorf("%q, %+v", code, left)
	}
}

// After a restore a client may hold a refresh token that the row has not come to:
// it is refused, and no theft; what the row knows goes on. So too where the
// server ran on meanwhile, and remembers what is no more.
func TestARefreshTokenAheadOfItsRow(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bed) {
		b.furnish()
		for _, restarted := range []bool{true, false} {
			c, u := b.web(nil), b.user()
			first := b.redeemed(c, u, "a")
			backup, err := b.db.Tokens().Get(t.Context(), b.app.ID, b.found(t, first.Text).Family.ID)
			if err != nil {
				t.Fatal(err)
			}
			ahead, code := b.refreshed(t, c, first.Refresh)
			if code != "" {
				t.Fatal(code)
			}
			if _, err := b.db.Tokens().RemoveExpired(t.Context(), b.now.Add(365*24*time.Hour), 500); err != nil {
				t.Fatal(err)
			}
			if _, err := b.db.Tokens().Mint(t.Context(), backup); err != nil {
				t.Fatal(err)
			}
			if restarted {
				b.start()
			}
			if _, code := b.refreshed(t, c, ahead.Refresh); code != "invalid_grant" {
				t.Errorf("restarted %v: ahead of the row: %q", restarted, code)
			}
			if thefts := b.thefts(c); len(thefts) > 0 || b.found(t, first.Text) == nil {
				t.Errorf("restarted %v: thefts %q", restarted, thefts)
			}
			if _, code := b.refreshed(t, c, first.Refresh); code != "" {
				t.Errorf("restarted %v: the one that the row knows: %q", restarted, code)
			}
		}
	})
}

// at_hash is the left half of the digest that goes with the algorithm (OpenID
// Connect Core 1.0 §3.1.3.6); with Ed25519 that is SHA-512.
func TestHashesOfAccessTokens(t *testing.T) {
	b := newBed(t)
	b.furnish()
	jwt, opaque, u := b.web(nil), b.web(opaqueClient), b.user()
	short := func(text string) []byte { digest := sha256.Sum256([]byte(text)); return digest[:16] }
	long := func(text string) []byte { digest := sha512.Sum512([]byte(text)); return digest[:32] }
	for algorithm, hash := range map[string]func(string) []byte{"ES256": short, "RS256": short, "EdDSA": long} {
		b.app = &application.Application{ID: b.app.ID, Settings: application.Settings{SigningAlgorithm: algorithm}}
		for _, c := range []*client.Client{jwt, opaque} {
			minted := b.redeemed(c, u, "openid")
			want := base64.RawURLEncoding.EncodeToString(hash(minted.Text))
			if got := claimsOf(t, minted.IDToken)["at_hash"]; got != want {
				t.Errorf("%s: at_hash is %v, want %v", algorithm, got, want)
			}
			if _, err := b.signers.Verify(t.Context(), b.app.ID, minted.IDToken, token.IDTokenType); err != nil {
				t.Errorf("%s: %v", algorithm, err)
			}
		}
	}
}

// RFC 9700 §2.2.2: the refresh token of a public client rotates, whatever is
// stored of it; the one before is theft.
func TestAPublicClientsRefreshTokenRotates(t *testing.T) {
	b := newBed(t)
	b.furnish()
	c, u := b.web(func(c *client.Client) { c.Public, c.Settings.Refresh.Kept = true, true }), b.user()
	first := b.redeemed(c, u, "a")
	second, code := b.refreshed(t, c, first.Refresh)
	if code != "" || second.Refresh == first.Refresh {
		t.Fatalf("%q; the same token again: %v", code, second != nil)
	}
	b.now = b.now.Add(time.Minute)
	if _, code := b.refreshed(t, c, first.Refresh); code != "invalid_grant" || b.found(t, second.Text) != nil {
		t.Errorf("the one before: %q", code)
	}
	if thefts := b.thefts(c); !slices.Equal(thefts, []string{"refresh token used twice"}) {
		t.Errorf("thefts %q", thefts)
	}
}
