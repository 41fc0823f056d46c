package token_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
)

// verifier and challenge are those of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// What a code gives, and that it is one INSERT and one UPDATE.
func TestACodeIsRedeemed(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bed) {
		b.furnish()
		c, u := b.web(nil), b.user()
		b.redeemed(c, u, "openid", "a") // so that keys, user and scopes are remembered
		begun := b.statements()
		a := b.authorization(c, u, "openid", "a")
		a.CodeChallenge = challenge
		code := b.code(a)
		p := b.presented(c, code)
		p.Verifier = verifier
		minted, err := b.tokens.Redeem(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if n := b.statements() - begun; n > 6 { // BEGIN, the statement, COMMIT: twice
			t.Errorf("%d statements", n)
		}
		if minted.Lifetime != time.Hour || !slices.Equal(minted.Scopes, []string{"openid", "a"}) || !strings.HasPrefix(minted.Refresh, "ost_rt_") {
			t.Errorf("minted %+v", minted)
		}
		got := claimsOf(t, minted.Text)
		for name, want := range map[string]any{
			"iss": issuer, "aud": issuer, "sub": u.UUID, "client_id": c.ID, "scope": "openid a", "iat": float64(b.now.Unix()),
			"exp": float64(b.now.Unix() + 3600), "auth_time": float64(b.now.Unix() - 60), "acr": "1",
		} {
			if got[name] != want {
				t.Errorf("access token: %s is %v, want %v", name, got[name], want)
			}
		}
		id := claimsOf(t, minted.IDToken)
		for name, want := range map[string]any{
			"iss": issuer, "aud": c.ID, "sub": u.UUID, "nonce": "n-1", "sid": "sid-one", "iat": float64(b.now.Unix()),
			"exp": float64(b.now.Unix() + 3600), "auth_time": float64(b.now.Unix() - 60), "acr": "1", "at_hash": atHash(minted.Text), "c_hash": atHash(code),
		} {
			if id[name] != want {
				t.Errorf("id_token: %s is %v, want %v", name, id[name], want)
			}
		}
		if amr, _ := id["amr"].([]any); len(amr) != 1 || amr[0] != "pwd" || len(id) != 12 {
			t.Errorf("id_token: %v", id)
		}
		found := b.found(t, minted.Text)
		if found == nil || found.User == nil || found.User.UUID != u.UUID || found.ID != got["jti"] {
			t.Errorf("found %+v", found)
		}
		if _, ok, err := b.tokens.Inspect(t.Context(), b.app, code); ok || err != nil {
			t.Errorf("a code can be introspected: %v", err)
		}
	})
}

func (b *bed) statements() uint64 { return b.db.Statements() }

// What a code is bound to; whatever is wrong, the code stays good, and who has
// not all of it cannot end what was redeemed.
func TestACodeIsBound(t *testing.T) {
	b := newBed(t)
	b.furnish()
	c, other, u := b.web(nil), b.web(nil), b.user()
	a := b.authorization(c, u, "a")
	a.CodeChallenge = challenge
	code := b.code(a)
	try := func(name string, change func(*token.Presented), want string) {
		t.Helper()
		p := b.presented(c, code)
		p.Verifier = verifier
		if change != nil {
			change(p)
		}
		_, err := b.tokens.Redeem(t.Context(), p)
		if got := refusal(t, err); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	wrong := func() {
		t.Helper()
		try("another client", func(p *token.Presented) { p.Client = other }, "invalid_grant")
		try("another redirect_uri", func(p *token.Presented) { p.RedirectURI += "/" }, "invalid_grant")
		try("no redirect_uri", func(p *token.Presented) { p.RedirectURI = "" }, "invalid_grant")
		try("another verifier", func(p *token.Presented) { p.Verifier = strings.Repeat("a", 43) }, "invalid_grant")
		try("the challenge as verifier", func(p *token.Presented) { p.Verifier = challenge }, "invalid_grant")
		try("no verifier", func(p *token.Presented) { p.Verifier = "" }, "invalid_grant")
		try("as a refresh token", func(p *token.Presented) { p.Text = "ost_rt_" + code[7:] }, "invalid_grant")
	}
	wrong()
	try("a resource that was not named", func(p *token.Presented) { p.Resources = apis[:1] }, "invalid_target")
	try("all of it right", nil, "")
	wrong()
	if thefts := b.thefts(c); len(thefts) > 0 {
		t.Errorf("a theft: %q", thefts)
	}
	try("used", nil, "invalid_grant")
	if thefts := b.thefts(c); !slices.Equal(thefts, []string{"authorization code used twice"}) {
		t.Errorf("thefts %q", thefts)
	}
	plain := b.code(b.authorization(c, u, "a"))
	try("a verifier without a challenge", func(p *token.Presented) { p.Text = plain }, "invalid_grant")
	try("neither", func(p *token.Presented) { p.Text, p.Verifier = plain, "" }, "")
}

// A code lives as long as the application says, and dies with client and user.
func TestACodeDies(t *testing.T) {
	b := newBed(t)
	b.furnish()
	for _, test := range []struct {
		name   string
		during func(c *client.Client, u *user.User) *client.Client
		want   string
	}{
		{"a second before its end", func(c *client.Client, _ *user.User) *client.Client { b.now = b.now.Add(59 * time.Second); return c }, ""},
		{"at its end", func(c *client.Client, _ *user.User) *client.Client { b.now = b.now.Add(time.Minute); return c }, "invalid_grant"},
		{"after a restart", func(c *client.Client, _ *user.User) *client.Client { b.start(); return c }, ""},
		{"a client deactivated and activated", func(c *client.Client, _ *user.User) *client.Client {
			return b.changeClient(c, func(c *client.Client) { c.Era++ })
		}, "invalid_grant"},
		{"a user deactivated", func(c *client.Client, u *user.User) *client.Client {
			b.changeUser(u, func(u *user.User) { u.Inactive = true })
			return c
		}, "invalid_grant"},
		{"another password", func(c *client.Client, u *user.User) *client.Client {
			b.changeUser(u, func(u *user.User) { u.Era++ })
			return c
		}, "invalid_grant"},
	} {
		c, u := b.web(nil), b.user()
		code := b.code(b.authorization(c, u, "a"))
		c = test.during(c, u)
		_, err := b.tokens.Redeem(t.Context(), b.presented(c, code))
		if got := refusal(t, err); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		if thefts := b.thefts(c); len(thefts) > 0 {
			t.Errorf("%s: thefts %q", test.name, thefts)
		}
	}
}

// What was removed is refused as what is dead, however much of it is remembered.
func TestWhatWasRemovedIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bed) {
		b.furnish()
		for _, test := range []struct {
			name   string
			before func(c *client.Client, u *user.User) *client.Client
		}{
			{"nothing says that it died", func(c *client.Client, _ *user.User) *client.Client { return c }},
			{"a client deactivated and activated", func(c *client.Client, _ *user.User) *client.Client {
				return b.changeClient(c, func(c *client.Client) { c.Era++ })
			}},
			{"another password", func(c *client.Client, u *user.User) *client.Client {
				b.changeUser(u, func(u *user.User) { u.Era++ })
				return c
			}},
			{"its end", func(c *client.Client, _ *user.User) *client.Client { b.now = b.now.AddDate(10, 0, 0); return c }},
		} {
			c, u := b.web(nil), b.user()
			used, unused := b.code(b.authorization(c, u, "a")), b.code(b.authorization(c, u, "a"))
			minted, err := b.tokens.Redeem(t.Context(), b.presented(c, used))
			if err != nil {
				t.Fatal(err)
			}
			c = test.before(c, u)
			if _, err := b.db.Tokens().RemoveDead(t.Context(), b.now, 100); err != nil {
				t.Fatal(err)
			}
			if _, err := b.db.Tokens().RemoveExpired(t.Context(), b.now.AddDate(10, 0, 0), 100); err != nil {
				t.Fatal(err)
			}
			for _, code := range []string{used, unused} {
				_, err := b.tokens.Redeem(t.Context(), b.presented(c, code))
				if got := refusal(t, err); got != "invalid_grant" {
					t.Errorf("%s: a code: %q", test.name, got)
				}
			}
			if _, got := b.refreshed(t, c, minted.Refresh); got != "invalid_grant" {
				t.Errorf("%s: the refresh token: %q", test.name, got)
			}
		}
	})
}

// Used twice, a code takes with it what it gave.
func TestACodeUsedTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bed) {
		b.furnish()
		c, u := b.web(nil), b.user()
		code := b.code(b.authorization(c, u, "a"))
		const many = 20
		answers := make([]*token.Minted, many)
		var wait sync.WaitGroup
		for i := range many {
			wait.Go(func() { answers[i], _ = b.tokens.Redeem(context.Background(), b.presented(c, code)) })
		}
		wait.Wait()
		answers = slices.DeleteFunc(answers, func(m *token.Minted) bool { return m == nil })
		if len(answers) > 1 {
			t.Fatalf("redeemed %d times", len(answers))
		}
		if len(answers) == 1 && b.found(t, answers[0].Text) != nil {
			t.Error("the access token is alive")
		}
		if len(answers) == 1 {
			if _, code := b.refreshed(t, c, answers[0].Refresh); code != "invalid_grant" {
				t.Errorf("the refresh token: %q", code)
			}
		}
		if thefts := b.thefts(c); !slices.Equal(thefts, []string{"authorization code used twice"}) {
			t.Errorf("thefts %q", thefts)
		}
	})
}

// Of 50 refreshes at once one rotates, and all get that answer.
func TestConcurrentRefreshes(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bed) {
		b.furnish()
		for _, kept := range []bool{false, true} {
			c := b.web(func(c *client.Client) { c.Settings.Refresh.Kept = kept })
			u := b.user()
			text := b.redeemed(c, u, "openid", "a").Refresh
			const many = 50
			var mu sync.Mutex
			seen := map[string]int{}
			var wait sync.WaitGroup
			for range many {
				wait.Go(func() {
					minted, err := b.tokens.Refresh(context.Background(), b.presented(c, text))
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
						return
					}
					got := claimsOf(t, minted.Text)
					id := claimsOf(t, minted.IDToken)
					seen[strings.Join([]string{minted.Text, minted.IDToken, minted.Refresh, minted.Lifetime.String()}, " ")]++
					if got["iat"] != id["iat"] || id["at_hash"] != atHash(minted.Text) {
						t.Errorf("id_token %v beside %v", id, got)
					}
				})
			}
			wait.Wait()
			page := b.page(token.Query{Selection: token.Selection{UserID: u.UUID}})
			if len(page) != 1 || page[0].State != token.Live {
				t.Fatalf("%+v", page)
			}
			if !kept && (len(seen) != 1 || page[0].Refreshes != 1) {
				t.Errorf("%d answers, %d refreshes: %v", len(seen), page[0].Refreshes, seen)
			}
			if kept && int(page[0].Refreshes) != len(seen) {
				t.Errorf("one that stays: %d answers, %d refreshes", len(seen), page[0].Refreshes)
			}
			if thefts := b.thefts(c); len(thefts) > 0 {
				t.Errorf("thefts %q", thefts)
			}
		}
	})
}

// Forged codes and refresh tokens cost no SQL.
func TestForgedTextsCostNoSQL(t *testing.T) {
	b := newBed(t)
	b.furnish()
	c, u := b.web(opaqueClient), b.user()
	code := b.code(b.authorization(c, u, "a"))
	minted := b.redeemed(c, u, "a")
	b.start() // nothing is remembered
	for _, text := range []string{code, minted.Refresh, minted.Text} {
		for i := range text[:7+32*4/3] { // what is before the MAC, which whoever has the text may alter
			forged := []byte(text)
			forged[i] ^= 1
			b.forged(c, string(forged))
		}
		for _, prefix := range []string{"ost_ac_", "ost_rt_", "ost_at_"} {
			if other := prefix + text[7:]; other != text {
				b.forged(c, other)
			}
		}
		b.forged(c, text+"AAAA")
		b.forged(c, text[:len(text)-4])
	}
}

// forged presents a text that the server did not make everywhere.
func (b *bed) forged(c *client.Client, text string) {
	b.t.Helper()
	before := b.statements()
	p := b.presented(c, text)
	p.RedirectURI = "https://app.example.com/cb"
	for _, exchange := range []func(context.Context, *token.Presented) (*token.Minted, error){b.tokens.Redeem, b.tokens.Refresh} {
		if _, err := exchange(b.t.Context(), p); refusal(b.t, err) != "invalid_grant" {
			b.t.Errorf("%q: %v", text, err)
		}
	}
	if _, ok, err := b.tokens.Inspect(b.t.Context(), b.app, text); ok || err != nil {
		b.t.Errorf("%q is a token: %v", text, err)
	}
	if revoked, err := b.tokens.Revoke(b.t.Context(), b.app, c, text, source); revoked || err != nil {
		b.t.Errorf("%q is revoked: %v", text, err)
	}
	if n := b.statements() - before; n > 0 {
		b.t.Errorf("%q costs %d statements", text, n)
	}
}

// Refresh tokens are given where the client may have them, and nowhere else.
func TestWhoGetsARefreshToken(t *testing.T) {
	b := newBed(t)
	b.furnish()
	u := b.user()
	for _, test := range []struct {
		name   string
		change func(*client.Client)
		want   bool
	}{
		{"with the grant", nil, true},
		{"without the grant", func(c *client.Client) { c.Settings.GrantTypes = []oauth.GrantType{oauth.AuthorizationCode} }, false},
		{"limit 0", limited(0), false},
		{"limit 1", limited(1), true},
		{"derived from features", func(c *client.Client) {
			c.Kind, c.Settings.GrantTypes, c.Settings.Features = client.Other, nil, client.Features{client.LoginClient}
		}, true},
	} {
		c := b.web(test.change)
		if got := b.redeemed(c, u, "a").Refresh != ""; got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
		a := b.authorization(c, u, "openid", "a")
		implicit, err := b.tokens.Implicit(t.Context(), a, true, true)
		if err != nil || implicit.Refresh != "" || implicit.IDToken == "" || b.found(t, implicit.Text) == nil {
			t.Errorf("%s: implicit %+v, %v", test.name, implicit, err)
		}
		password, err := b.tokens.Password(t.Context(), a)
		if err != nil || password.Refresh != "" || password.IDToken == "" || b.found(t, password.Text) == nil {
			t.Errorf("%s: password %+v, %v", test.name, password, err)
		}
	}
	c := b.web(nil)
	before := b.statements()
	alone, err := b.tokens.Implicit(t.Context(), b.authorization(c, u, "openid", "email"), false, true)
	if err != nil || alone.Text != "" {
		t.Fatalf("%+v, %v", alone, err)
	}
	if n := b.statements() - before; n > 0 {
		t.Errorf("an id_token by itself costs %d statements", n)
	}
	if id := claimsOf(t, alone.IDToken); id["email"] != u.Email || id["at_hash"] != nil {
		t.Errorf("nothing else tells what the scopes stand for: %v", id)
	}
}

// Of many that ask for different things at once one has its way, and the others
// are told so: the row decides, not who read it first.
func TestConcurrentRefreshesForDifferentScopes(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bed) {
		b.furnish()
		c, u := b.web(nil), b.user()
		text := b.redeemed(c, u, "a", "b", "c").Refresh
		asked := []string{"a", "b", "c"}
		const many = 30
		given, errs := make([]string, many), make([]error, many)
		var wait sync.WaitGroup
		for i := range many {
			wait.Go(func() {
				minted, err := b.tokens.Refresh(context.Background(), b.presented(c, text, asked[i%len(asked)]))
				if errs[i] = err; err == nil {
					given[i] = strings.Join(minted.Scopes, " ")
				}
			})
		}
		wait.Wait()
		won := map[string]int{}
		for i := range many {
			if got := refusal(t, errs[i]); got != "" && got != "invalid_scope" {
				t.Errorf("%v", errs[i])
			}
			if given[i] != "" {
				won[given[i]]++
			}
		}
		if len(won) != 1 || won[asked[0]]+won[asked[1]]+won[asked[2]] != many/len(asked) {
			t.Errorf("won: %v", won)
		}
		if thefts := b.thefts(c); len(thefts) > 0 {
			t.Errorf("thefts %q", thefts)
		}
	})
}
