package token_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/scopepolicy"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/pgtest"
	"github.com/ostiary/ostiary/internal/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, b *bed)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newBedOn(t, store.Options{Data: t.TempDir()})) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newBedOn(t, store.Options{URL: pgtest.Database(t)})) })
}

// Scopes and resources that the exchanges are about; "admin:read" needs a role.
var (
	scopesThere = []string{"a", "b", "c", "admin:read"}
	apis        = []string{"https://one.example.com", "https://two.example.com"}
)

// furnish stores the scopes and resources.
func (b *bed) furnish() {
	b.t.Helper()
	for _, name := range scopesThere {
		s := &scope.Scope{ApplicationID: b.app.ID, Name: name, Kind: scope.User, CreatedAt: b.now, UpdatedAt: b.now}
		if strings.HasPrefix(name, "admin") {
			s.RequiredRole = "admin"
		}
		if err := b.db.Scopes().Create(b.t.Context(), s, b.event("scope.create")); err != nil {
			b.t.Fatal(err)
		}
	}
	for _, identifier := range apis {
		r := &resource.Resource{ApplicationID: b.app.ID, Identifier: identifier, CreatedAt: b.now, UpdatedAt: b.now}
		if err := b.db.Resources().Create(b.t.Context(), r, b.event("resource.create")); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bed) event(action string) audit.Event {
	return audit.New(audit.System(), b.app.ID, action, "x", b.now)
}

// web registers a client for the code flow, changed by change.
func (b *bed) web(change func(*client.Client)) *client.Client {
	b.t.Helper()
	c := &client.Client{
		ApplicationID: b.app.ID, ID: ident.Client(), Name: ident.Record(), Kind: client.Web, Era: 7, CreatedAt: b.now, UpdatedAt: b.now,
		Settings: client.Settings{
			GrantTypes: []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken},
			Scopes:     scopepolicy.Setting{Allowed: append([]string{"openid", "email"}, scopesThere...)},
		},
	}
	if change != nil {
		change(c)
	}
	if err := b.db.Clients().Create(b.t.Context(), c, client.NameAndVersion, b.event("client.create")); err != nil {
		b.t.Fatal(err)
	}
	return c
}

// user makes a user.
func (b *bed) user(roles ...string) *user.User {
	b.t.Helper()
	u := &user.User{
		ApplicationID: b.app.ID, UUID: ident.User(), Email: ident.Record() + "@example.com", Roles: roles, Era: 11, CreatedAt: b.now, UpdatedAt: b.now,
	}
	if err := b.db.Users().Create(b.t.Context(), u, b.event("user.create")); err != nil {
		b.t.Fatal(err)
	}
	return u
}

// changeUser changes a user as it is stored.
func (b *bed) changeUser(u *user.User, change func(*user.User)) {
	b.t.Helper()
	_, err := b.db.Users().Change(b.t.Context(), b.app.ID, u.UUID, func(u *user.User) (audit.Event, error) {
		change(u)
		return b.event("user.update"), nil
	})
	b.users.Void(b.app.ID, u.UUID)
	if err != nil {
		b.t.Fatal(err)
	}
}

// changeClient changes a client as it is stored, and gives it back.
func (b *bed) changeClient(c *client.Client, change func(*client.Client)) *client.Client {
	b.t.Helper()
	after, err := b.db.Clients().Change(b.t.Context(), b.app.ID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		change(c)
		return b.event("client.update"), nil
	})
	b.clients.Void(b.app.ID, c.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return after
}

const issuer = "https://id.example.com/app-one"

// authorization is what a user agreed to.
func (b *bed) authorization(c *client.Client, u *user.User, scopes ...string) *token.Authorization {
	return &token.Authorization{
		Application: b.app, Client: c, Issuer: issuer, User: u, SID: "sid-one", AuthTime: b.now.Add(-time.Minute), AMR: []string{"pwd"}, ACR: "1",
		Scopes: scopes, RedirectURI: "https://app.example.com/cb", Nonce: "n-1",
	}
}

// code gives a code.
func (b *bed) code(a *token.Authorization) string {
	b.t.Helper()
	text, err := b.tokens.Code(b.t.Context(), a)
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// presented is a text as a client presents it.
func (b *bed) presented(c *client.Client, text string, scopes ...string) *token.Presented {
	p := &token.Presented{
		Application: b.app, Client: c, Issuer: issuer, Text: text, Scopes: scopes,
		Source: audit.Source{Actor: "client:" + c.ID, RequestID: "r"},
	}
	if strings.HasPrefix(text, "ost_ac_") {
		p.RedirectURI = "https://app.example.com/cb"
	}
	return p
}

// redeemed gives what a new code gives.
func (b *bed) redeemed(c *client.Client, u *user.User, scopes ...string) *token.Minted {
	b.t.Helper()
	minted, err := b.tokens.Redeem(b.t.Context(), b.presented(c, b.code(b.authorization(c, u, scopes...))))
	if err != nil {
		b.t.Fatal(err)
	}
	return minted
}

// refreshed refreshes, and says why not.
func (b *bed) refreshed(t testing.TB, c *client.Client, text string, scopes ...string) (*token.Minted, string) {
	t.Helper()
	minted, err := b.tokens.Refresh(context.Background(), b.presented(c, text, scopes...))
	return minted, refusal(t, err)
}

// failing is what the kinds of test have in common.
type failing interface {
	Helper()
	Fatal(args ...any)
}

// refusal is the code of an OAuth error, "" of none.
func refusal(t failing, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		t.Fatal(err)
	}
	return e.Code
}

// claims of a JWT, unverified.
func claimsOf(t failing, text string) map[string]any {
	t.Helper()
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatal("no JWT: " + text)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// found gives the token that an access token is; nil where it is dead.
func (b *bed) found(t testing.TB, text string) *token.Token {
	t.Helper()
	found, ok, err := b.tokens.Find(context.Background(), b.app, text)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return nil
	}
	return &found
}

// thefts gives why families died by themselves, as the audit log has it.
func (b *bed) thefts(c *client.Client) []string {
	b.t.Helper()
	var whys []string
	events, _, err := b.db.Audit().Events(b.t.Context(), b.app.ID, store.Cursor{}, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range events {
		var after struct {
			Client string `json:"client_id"`
			Why    string `json:"why"`
		}
		if e.Action != "token.revoke" || json.Unmarshal(e.After, &after) != nil || after.Client != c.ID || after.Why == "" {
			continue
		}
		if e.Actor != "client:"+c.ID {
			b.t.Errorf("the actor is %q", e.Actor)
		}
		whys = append(whys, after.Why)
	}
	slices.Sort(whys)
	return whys
}

func opaqueClient(c *client.Client) { c.Settings.AccessToken.Format = lifetime.Opaque }

func limited(n int64) func(*client.Client) {
	return func(c *client.Client) { c.Settings.Refresh.Limit = &n }
}

// atHash is at_hash, or c_hash, of ES256 (OpenID Connect Core 1.0 §3.1.3.6, §3.3.2.11).
func atHash(text string) string {
	digest := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(digest[:16])
}
