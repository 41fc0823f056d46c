package token_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/store"
)

// bed is a token service over a temporary database.
type bed struct {
	t       testing.TB
	db      *store.DB
	clients *client.Registry
	users   *user.Registry
	tokens  *token.Service
	signers *key.Signers
	app     *application.Application
	other   *application.Application
	now     time.Time
}

func newBed(t testing.TB) *bed {
	t.Helper()
	return newBedOn(t, store.Options{Data: t.TempDir()})
}

func newBedOn(t testing.TB, options store.Options) *bed {
	t.Helper()
	b := &bed{
		t: t, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		app: &application.Application{ID: "app-one"}, other: &application.Application{ID: "app-two"},
	}
	options.Now = func() time.Time { return b.now }
	db, err := store.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b.db = db
	b.start()
	return b
}

// start makes the services over the database: they remember nothing.
func (b *bed) start() {
	b.t.Helper()
	clock := func() time.Time { return b.now }
	ring, err := key.OpenRing(b.t.Context(), b.db.Keys(), [32]byte{1}, clock)
	if err != nil {
		b.t.Fatal(err)
	}
	b.clients = client.NewRegistry(b.db.Clients(), ring, clock, 1<<20)
	b.signers = key.NewSigners(b.db.Keys(), ring, clock, key.DefaultSchedule)
	b.users = user.NewRegistry(b.db.Users(), 1<<20)
	b.tokens = token.NewService(b.db.Tokens(), token.Registries{
		Clients: b.clients, Users: b.users,
		Scopes: scope.NewRegistry(b.db.Scopes(), 1<<20), Resources: resource.NewRegistry(b.db.Resources(), 1<<20),
	}, ring, b.signers, clock, 8<<20)
}

func (b *bed) client(app *application.Application, format lifetime.Format) *client.Client {
	b.t.Helper()
	c := &client.Client{
		ApplicationID: app.ID, ID: ident.Client(), Name: ident.Record(), Kind: client.Service, Era: 7, CreatedAt: b.now, UpdatedAt: b.now,
		Settings: client.Settings{AccessToken: lifetime.Setting{Format: format}},
	}
	if err := b.db.Clients().Create(b.t.Context(), c, client.NameAndVersion, audit.New(audit.System(), app.ID, "client.create", "client:"+c.ID, b.now)); err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *bed) grant(app *application.Application, c *client.Client, scopes ...string) *token.Grant {
	return &token.Grant{
		Application: app, Client: c, Issuer: "https://id.example.com/" + app.ID,
		GrantType: oauth.ClientCredentials, Scopes: scopes, Address: netip.MustParseAddr("192.0.2.1"),
	}
}

func (b *bed) mint(app *application.Application, c *client.Client) string {
	b.t.Helper()
	minted, err := b.tokens.Mint(b.t.Context(), b.grant(app, c, "orders:read", "orders:write"))
	if err != nil {
		b.t.Fatal(err)
	}
	return minted.Text
}

// check is what the kinds of test have in common.
type check interface {
	Context() context.Context
	Fatal(args ...any)
}

func (b *bed) alive(t check, app *application.Application, text string) bool {
	_, ok, err := b.tokens.Find(t.Context(), app, text)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

var formats = []lifetime.Format{lifetime.JWT, lifetime.Opaque}

// A token with any one bit flipped is no token, whether its true form is
// remembered or not, and finding that out costs no SQL.
func TestNoBitOfATokenCanBeFlipped(t *testing.T) {
	b := newBed(t)
	for _, format := range formats {
		text := b.mint(b.app, b.client(b.app, format))
		for _, remembered := range []bool{false, true} {
			if remembered && !b.alive(t, b.app, text) {
				t.Fatalf("%s: the token itself is dead", format)
			}
			before := b.db.Statements()
			flips := 8 * len(text)
			rapid.Check(t, func(t *rapid.T) {
				bit := rapid.IntRange(0, flips-1).Draw(t, "bit")
				forged := []byte(text)
				forged[bit/8] ^= 1 << (bit % 8)
				if b.alive(t, b.app, string(forged)) {
					t.Fatalf("%s: bit %d can be flipped", format, bit)
				}
			})
			if n := b.db.Statements() - before; n != 0 && remembered {
				t.Errorf("%s: forged tokens cost %d SQL statements", format, n)
			}
		}
	}
}

// The last character of each part of a JWT carries spare bits; every one of
// them counts too, and so does each bit of an opaque token.
func TestNoLastCharacterCanBeReplaced(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=\n"
	b := newBed(t)
	for _, format := range formats {
		text := b.mint(b.app, b.client(b.app, format))
		for i := range text {
			if i+1 < len(text) && text[i+1] != '.' {
				continue
			}
			for _, c := range alphabet {
				forged := text[:i] + string(c) + text[i+1:]
				if forged != text && b.alive(t, b.app, forged) {
					t.Errorf("%s: character %d can be %q", format, i, c)
				}
			}
		}
		for _, forged := range []string{text + "=", text + "\n", " " + text, text[:10] + "\n" + text[10:], text + ".", strings.ToUpper(text)} {
			if b.alive(t, b.app, forged) {
				t.Errorf("%s: %q is alive", format, forged)
			}
		}
	}
}

func TestTokensOfAnotherApplicationAreRefused(t *testing.T) {
	b := newBed(t)
	for _, format := range formats {
		text := b.mint(b.app, b.client(b.app, format))
		b.mint(b.other, b.client(b.other, format)) // so that both have keys
		for range 2 {
			if b.alive(t, b.other, text) {
				t.Errorf("%s: alive in another application", format)
			}
			if !b.alive(t, b.app, text) { // and then remembered
				t.Errorf("%s: dead in its own", format)
			}
		}
	}
}

// An expired JWT is refused by what it says itself, without a look at its family.
func TestAnExpiredJWTCostsNoSQL(t *testing.T) {
	b := newBed(t)
	c := b.client(b.app, lifetime.JWT)
	text := b.mint(b.app, c)
	b.mint(b.app, c) // the first one of the day makes the keys be read again
	b.now = b.now.Add(time.Hour)
	before := b.db.Statements()
	if b.alive(t, b.app, text) || b.db.Statements() != before {
		t.Errorf("alive, or %d SQL statements", b.db.Statements()-before)
	}
}

func TestOtherKindsAreRefused(t *testing.T) {
	b := newBed(t)
	c := b.client(b.app, lifetime.Opaque)
	text := b.mint(b.app, c)
	for _, prefix := range []string{"ost_rt_", "ost_ac_", "ost_cs_", "OST_AT_", ""} {
		if b.alive(t, b.app, prefix+strings.TrimPrefix(text, "ost_at_")) {
			t.Errorf("alive as %q", prefix)
		}
	}
	jwt := b.mint(b.app, b.client(b.app, lifetime.JWT))
	payload := `{"jti":"` + strings.Repeat("A", 27) + `","exp":9999999999}`
	for _, typ := range []string{"JWT", "logout+jwt", "AT+JWT", ""} {
		signed, err := b.signers.Sign(t.Context(), b.app.ID, "ES256", typ, []byte(payload), b.now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if before := b.db.Statements(); b.alive(t, b.app, signed) || b.db.Statements() != before {
			t.Errorf("a JWT of type %q is looked at", typ)
		}
	}
	if !b.alive(t, b.app, jwt) {
		t.Error("a true one is dead")
	}
}

// What is signed and yet no access token of ours is refused, not an error.
func TestSignedButNoAccessToken(t *testing.T) {
	b := newBed(t)
	for _, payload := range []string{``, `{}`, `[]`, `{"jti":1}`, `{"jti":"x","exp":9999999999}`, `{"jti":"` + strings.Repeat("A", 27) + `"}`, `{"jti":"` + strings.Repeat("A", 27) + `","exp":9999999999}`} {
		signed, err := b.signers.Sign(t.Context(), b.app.ID, "ES256", "at+jwt", []byte(payload), b.now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if b.alive(t, b.app, signed) {
			t.Errorf("%s is alive", payload)
		}
	}
}

func TestAnUnreachableStoreIsNoAnswer(t *testing.T) {
	b := newBed(t)
	c := b.client(b.app, lifetime.JWT)
	text := b.mint(b.app, c)
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := b.tokens.Find(t.Context(), b.app, text); ok || err == nil {
		t.Errorf("found %v, %v", ok, err)
	}
	if _, err := b.tokens.Mint(t.Context(), b.grant(b.app, c)); err == nil {
		t.Error("minted without a store")
	} else if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.NotFound {
		t.Errorf("not found, rather than not known: %v", err)
	}
}

func FuzzFind(f *testing.F) {
	b := newBed(f)
	for _, format := range formats {
		text := b.mint(b.app, b.client(b.app, format))
		f.Add(text[:len(text)-1])
		f.Add(text + "A")
	}
	for _, seed := range []string{"", ".", "..", "ost_at_", "eyJhbGciOiJub25lIn0..", strings.Repeat("A.", 20000), "eyJhbGciOiJFUzI1NiJ9.e30.AA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if b.alive(t, b.app, text) {
			t.Fatalf("%q is alive", text)
		}
	})
}
