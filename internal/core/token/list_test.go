package token_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/store"
)

var source = audit.Source{Actor: "client:owner", RequestID: "r"}

func (b *bed) page(q token.Query) []token.Standing {
	b.t.Helper()
	q.Limit = 100
	page, err := b.tokens.List(b.t.Context(), b.app.ID, q)
	if err != nil || page.More {
		b.t.Fatal(page.More, err)
	}
	return page.Families
}

func (b *bed) scoped(c *client.Client, scopes ...string) string {
	b.t.Helper()
	minted, err := b.tokens.Mint(b.t.Context(), b.grant(b.app, c, scopes...))
	if err != nil {
		b.t.Fatal(err)
	}
	return minted.Text
}

func (b *bed) revoked(s token.Selection) int {
	b.t.Helper()
	n, err := b.tokens.RevokeAll(b.t.Context(), source, b.app.ID, s)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// events gives what the newest revocations say of themselves.
func (b *bed) events() (texts []string) {
	b.t.Helper()
	events, _, err := b.db.Audit().Events(b.t.Context(), b.app.ID, store.Cursor{}, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range events {
		if e.Action == "token.revoke" {
			texts = append(texts, e.Actor+" "+e.Object+" "+string(e.After))
		}
	}
	return texts
}

func TestParseID(t *testing.T) {
	id := token.NewID(time.Unix(1700000000, 0))
	if got, ok := token.ParseID(id.String()); !ok || got != id {
		t.Errorf("%s is read as %v, %v", id, got, ok)
	}
	for _, text := range []string{"", "x", id.String() + "A", id.String() + "\n", id.String()[:21] + "B", strings.Repeat("=", 22)} {
		if _, ok := token.ParseID(text); ok {
			t.Errorf("%q is an id", text)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("")
	f.Add(token.NewID(time.Unix(1700000000, 0)).String())
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := token.ParseID(text); ok && id.String() != text {
			t.Fatalf("%q is read as %s", text, id)
		}
	})
}

// All tokens of a client die by one write, whatever their number and format, at
// once and for good; the client goes on.
func TestRevokeAllOfAClient(t *testing.T) {
	b := newBed(t)
	c, other := b.client(b.app, lifetime.JWT), b.client(b.app, lifetime.Opaque)
	var texts []string
	for range 50 {
		texts = append(texts, b.scoped(c, "a"))
	}
	kept := b.scoped(other, "a")
	for _, text := range texts[:10] {
		b.alive(t, b.app, text) // remembered
	}
	before := b.db.Statements()
	if n := b.revoked(token.Selection{ClientID: c.ID}); n != 50 {
		t.Errorf("%d revoked", n)
	}
	if n := b.db.Statements() - before; n > 15 {
		t.Errorf("%d statements", n)
	}
	for _, text := range texts {
		if b.alive(t, b.app, text) {
			t.Fatal("a token lives on")
		}
	}
	if !b.alive(t, b.app, kept) {
		t.Error("another client's token died")
	}
	c, err := b.clients.Get(t.Context(), b.app.ID, c.ID)
	if err != nil || c.Inactive {
		t.Fatal(c, err)
	}
	if !b.alive(t, b.app, b.scoped(c, "a")) {
		t.Error("a new token is dead")
	}
	if events := b.events(); len(events) != 1 || events[0] != `client:owner families {"client_id":"`+c.ID+`","revoked":50}` {
		t.Errorf("events %q", events)
	}
	if n := b.revoked(token.Selection{ClientID: "nobody"}); n != 0 {
		t.Errorf("%d revoked of nobody", n)
	}
}

// What carries a scope dies, and nothing else; what is remembered of it too.
func TestRevokeByScope(t *testing.T) {
	b := newBed(t)
	one, two := b.client(b.app, lifetime.Opaque), b.client(b.app, lifetime.JWT)
	a, both, neither, twos := b.scoped(one, "a"), b.scoped(one, "b", "a"), b.scoped(one, "b", "aa"), b.scoped(two, "a")
	lives := func(want ...bool) {
		t.Helper()
		for i, text := range []string{a, both, neither, twos} {
			if got := b.alive(t, b.app, text); got != want[i] {
				t.Errorf("token %d alive: %v", i, got)
			}
		}
	}
	lives(true, true, true, true)
	if n := b.revoked(token.Selection{ClientID: one.ID, Scope: "a"}); n != 2 {
		t.Errorf("%d revoked", n)
	}
	lives(false, false, true, true)
	if n := b.revoked(token.Selection{Scope: "a"}); n != 1 {
		t.Errorf("%d revoked", n)
	}
	lives(false, false, true, false)
	for _, s := range []token.Selection{{Scope: "a"}, {Scope: "nothing"}, {UserID: "u", Scope: "b"}, {UserID: "u"}} {
		if n := b.revoked(s); n != 0 {
			t.Errorf("%+v: %d revoked", s, n)
		}
	}
	lives(false, false, true, false)
	if _, err := b.tokens.RevokeAll(t.Context(), source, b.app.ID, token.Selection{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a selection: %v", err)
	}
	if events := b.events(); len(events) != 2 || events[0] != `client:owner families {"scope":"a","revoked":1}` {
		t.Errorf("events %q", events)
	}
}

func TestRevokeFamily(t *testing.T) {
	b := newBed(t)
	c := b.client(b.app, lifetime.Opaque)
	text := b.scoped(c, "a")
	found, _, err := b.tokens.Find(t.Context(), b.app, text)
	if err != nil {
		t.Fatal(err)
	}
	id := found.Family.ID
	for range 2 {
		s, err := b.tokens.RevokeFamily(t.Context(), source, b.app.ID, id)
		if err != nil || s.State != token.Revoked || s.Why != "revoked" {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	if b.alive(t, b.app, text) {
		t.Error("it lives on")
	}
	if events := b.events(); len(events) != 1 || !strings.HasPrefix(events[0], "client:owner family:"+id.String()) {
		t.Errorf("events %q", events)
	}
	for app, id := range map[string]token.ID{b.app.ID: token.NewID(b.now), b.other.ID: id} {
		if _, err := b.tokens.RevokeFamily(t.Context(), source, app, id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v", app, err)
		}
		if _, err := b.tokens.Get(t.Context(), app, id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v", app, err)
		}
	}
}

// The state of a family is what introspection says, and why.
func TestStates(t *testing.T) {
	b := newBed(t)
	c := b.client(b.app, lifetime.JWT)
	text := b.scoped(c, "a")
	want := func(state token.State, why string) {
		t.Helper()
		list := b.page(token.Query{})
		if len(list) != 1 || list[0].State != state || list[0].Why != why || b.alive(t, b.app, text) != (state == token.Live) {
			t.Fatalf("%+v, want %s %q", list, state, why)
		}
		one, err := b.tokens.Get(t.Context(), b.app.ID, list[0].ID)
		if err != nil || one.State != state || one.Why != why {
			t.Fatalf("%+v, %v; want %s %q", one, err, state, why)
		}
	}
	change := func(do func(*client.Client)) {
		t.Helper()
		_, err := b.db.Clients().Change(t.Context(), b.app.ID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
			do(c)
			return audit.New(source, b.app.ID, "client.update", "client:"+c.ID, b.now), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		b.clients.Void(b.app.ID, c.ID)
	}
	want(token.Live, "")
	change(func(c *client.Client) { c.Inactive, c.Era = true, c.Era+1 })
	want(token.Revoked, "client deactivated")
	change(func(c *client.Client) { c.Inactive = false })
	want(token.Revoked, "client's tokens revoked")
	if err := b.db.Clients().Delete(t.Context(), b.app.ID, c.ID, func(*client.Client) (audit.Event, error) {
		return audit.New(source, b.app.ID, "client.delete", "client:"+c.ID, b.now), nil
	}); err != nil {
		t.Fatal(err)
	}
	b.clients.Void(b.app.ID, c.ID)
	want(token.Revoked, "client deleted")
	b.now = b.now.Add(time.Hour)
	want(token.Expired, "")
	if list := b.page(token.Query{Selection: token.Selection{UserID: "u"}}); len(list) != 0 {
		t.Errorf("a user has %v", list)
	}
}

// A family as it is answered has every key.
func TestView(t *testing.T) {
	b := newBed(t)
	b.scoped(b.client(b.app, lifetime.JWT))
	list := b.page(token.Query{})
	text, err := json.Marshal(list[0].View("https://id.example.com/app-one"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"` + list[0].ID.String() + `","client_id":"` + list[0].ClientID + `","user_id":null,"grant_type":"client_credentials",` +
		`"scopes":[],"audience":["https://id.example.com/app-one"],"issued_at":"2026-03-04T05:06:07Z","access_expires_at":"2026-03-04T06:06:07Z",` +
		`"refresh_expires_at":null,"refreshes_left":null,"last_refreshed_at":null,"last_address":"192.0.2.1","state":"live","why":null}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// What is left of a limit is told down to nothing.
func TestRefreshesLeft(t *testing.T) {
	b := newBed(t)
	b.furnish()
	c, u := b.web(limited(1)), b.user()
	minted := b.redeemed(c, u, "a")
	for _, want := range []int64{1, 0} {
		page := b.page(token.Query{Selection: token.Selection{UserID: u.UUID}})
		one, err := b.tokens.Get(t.Context(), b.app.ID, page[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, left := range []*client.Limit{page[0].Left, one.Left} {
			if left == nil || left.Unlimited || left.N != want {
				t.Errorf("%+v left, want %d", left, want)
			}
		}
		text, err := json.Marshal(one.View(""))
		if member := fmt.Sprintf(`"refreshes_left":%d,`, want); err != nil || !strings.Contains(string(text), member) {
			t.Errorf("%v, no %s in\n%s", err, member, text)
		}
		if want > 0 {
			b.refreshed(t, c, minted.Refresh)
		}
	}
}
