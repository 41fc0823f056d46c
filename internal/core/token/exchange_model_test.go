package token_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
)

// family is what the contract says of one, without a thought of how it is kept.
type family struct {
	*bed
	t      *rapid.T
	c      *client.Client
	other  *client.Client
	u      *user.User
	window time.Duration
	limit  int // -1: unlimited
	kept   bool

	refreshes []string // refresh tokens in the order of their issue
	live      int      // which of them can be used; -1: none any more
	endsAt    time.Time
	used      int // refreshes
	last      *exchanged
	dead      bool // nothing of it lives
	stolen    bool // it died by itself
	accesses  []accessed
}

// exchanged is the last refresh.
type exchanged struct {
	from   int
	asked  string
	at     time.Time
	answer *token.Minted
}

type accessed struct {
	text   string
	scopes []string
	endsAt time.Time
}

const modelLife = 30 * time.Minute // of each refresh token

// TestRefreshTokensAgainstAModel is the state machine of refresh tokens.
func TestRefreshTokensAgainstAModel(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bed) {
		b.furnish()
		rapid.Check(t, func(t *rapid.T) {
			f := b.model(t)
			t.Repeat(map[string]func(*rapid.T){
				"":              f.check,
				"refresh":       f.refresh,
				"refresh again": f.refresh,
				"at once":       f.atOnce,
				"another's":     f.byAnother,
				"wait":          f.wait,
				"restart":       func(*rapid.T) { b.start() },
				"end":           f.end,
			})
			b.app.Settings = application.Settings{}
		})
	})
}

// model begins a family by a code.
func (b *bed) model(t *rapid.T) *family {
	f := &family{
		bed: b, t: t, u: b.user(), live: -1,
		window: time.Duration(rapid.SampledFrom([]int{0, 10, 60}).Draw(t, "window")) * time.Second,
		limit:  rapid.SampledFrom([]int{-1, -1, 1, 2, 3}).Draw(t, "limit"),
		kept:   rapid.IntRange(0, 3).Draw(t, "kept") == 0,
	}
	opaque := rapid.Bool().Draw(t, "opaque")
	settings := func(c *client.Client) {
		c.Settings.Refresh.Seconds, c.Settings.Refresh.Kept = int64(modelLife.Seconds()), f.kept
		if f.limit >= 0 {
			limited(int64(f.limit))(c)
		}
		if opaque {
			opaqueClient(c)
		}
	}
	seconds := int64(f.window.Seconds())
	b.app.Settings = application.Settings{RefreshRetryWindow: &seconds}
	f.c, f.other = b.web(settings), b.web(settings)
	minted, err := b.tokens.Redeem(context.Background(), b.presented(f.c, b.code(b.authorization(f.c, f.u, "a", "b", "c"))))
	if err != nil {
		t.Fatal(err)
	}
	f.got(minted, []string{"a", "b", "c"})
	return f
}

// got notes an answer that is a new one.
func (f *family) got(m *token.Minted, scopes []string) {
	if !slices.Equal(slices.Sorted(slices.Values(m.Scopes)), slices.Sorted(slices.Values(scopes))) {
		f.t.Fatalf("scopes %q, want %q", m.Scopes, scopes)
	}
	f.accesses = append(f.accesses, accessed{m.Text, scopes, f.now.Add(time.Hour)})
	switch {
	case f.limit >= 0 && f.used >= f.limit:
		f.live = -1
		if m.Refresh != "" {
			f.t.Fatalf("a refresh token after %d refreshes of %d", f.used, f.limit)
		}
	case f.kept && f.live >= 0:
		if m.Refresh != f.refreshes[f.live] {
			f.t.Fatal("another refresh token, where it stays")
		}
	case m.Refresh == "" || slices.Contains(f.refreshes, m.Refresh):
		f.t.Fatalf("the refresh token is %q", m.Refresh)
	default:
		f.refreshes = append(f.refreshes, m.Refresh)
		f.live, f.endsAt = len(f.refreshes)-1, f.now.Add(modelLife)
	}
}

// asks are scopes as they are asked for, and what is given.
var asks = map[string][]string{
	"": {"a", "b", "c"}, "a b c": {"a", "b", "c"}, "c b a": {"c", "b", "a"}, "a": {"a"}, "b a": {"b", "a"}, "a b": {"a", "b"},
}

// same reports whether two requests ask for the same.
func same(a, b string) bool {
	x, y := slices.Clone(asks[a]), slices.Clone(asks[b])
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// expect says what comes of presenting a token: a code of an error, "new" or
// "again".
func (f *family) expect(i int, asked string) string {
	retried := !f.kept && f.last != nil && f.last.from == i && f.now.Before(f.last.at.Add(f.window))
	switch {
	case f.dead:
		return "invalid_grant"
	case i == f.live:
		switch {
		case !f.now.Before(f.endsAt):
			return "invalid_grant"
		case asks[asked] == nil:
			return "invalid_scope"
		default:
			return "new"
		}
	case retried && !same(asked, f.last.asked), retried && asks[asked] == nil:
		return "invalid_scope"
	case retried:
		return "again"
	case f.live < 0 || f.kept:
		return "invalid_grant"
	default:
		f.dead, f.stolen = true, true
		return "invalid_grant"
	}
}

func (f *family) draw(t *rapid.T) (i int, asked string) {
	i = len(f.refreshes) - 1 - min(len(f.refreshes)-1, rapid.IntRange(0, 3).Draw(t, "age"))
	asked = rapid.SampledFrom([]string{"", "", "", "a b c", "c b a", "a", "b a", "a b", "openid", "a openid"}).Draw(t, "scope")
	return i, asked
}

func (f *family) refresh(t *rapid.T) {
	f.t = t
	i, asked := f.draw(t)
	want := f.expect(i, asked)
	minted, err := f.tokens.Refresh(context.Background(), f.presented(f.c, f.refreshes[i], strings.Fields(asked)...))
	code := refusal(t, err)
	switch {
	case code != "":
		if code != want {
			t.Fatalf("token %d for %q: %s, want %s", i, asked, code, want)
		}
	case want == "new":
		f.used++
		f.last = &exchanged{i, asked, f.now, minted}
		f.got(minted, asks[asked])
	case want == "again":
		f.wantAgain(minted)
	default:
		t.Fatalf("token %d for %q is good, want %s", i, asked, want)
	}
}

// wantAgain wants the last answer once more.
func (f *family) wantAgain(m *token.Minted) {
	was := f.last.answer
	if m.Text != was.Text || m.Refresh != was.Refresh || !slices.Equal(m.Scopes, was.Scopes) {
		f.t.Fatalf("got %+v, want %+v again", m, was)
	}
	if late := f.now.Sub(f.last.at) > 10*time.Second; late && m.Lifetime >= was.Lifetime || !late && m.Lifetime != was.Lifetime {
		f.t.Fatalf("it lives for %s, and did for %s, %s ago", m.Lifetime, was.Lifetime, f.now.Sub(f.last.at))
	}
}

// atOnce presents the live token several times at once: with a window, one
// rotates and all get that answer; without, the others are theft.
func (f *family) atOnce(t *rapid.T) {
	f.t = t
	if f.live < 0 || f.dead || f.kept || !f.now.Before(f.endsAt) || f.window == 0 {
		t.Skip("nothing to do")
	}
	from := f.live
	const many = 8
	answers, errs := make(chan *token.Minted, many), make(chan error, many)
	for range many {
		go func() {
			m, err := f.tokens.Refresh(context.Background(), f.presented(f.c, f.refreshes[from], "a", "b"))
			answers <- m
			errs <- err
		}()
	}
	var all []*token.Minted
	for range many {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
		all = append(all, <-answers)
	}
	f.used++
	f.last = &exchanged{from, "a b", f.now, all[0]}
	f.got(all[0], asks["a b"])
	for _, m := range all[1:] {
		f.wantAgain(m)
	}
}

func (f *family) byAnother(t *rapid.T) {
	i, asked := f.draw(t)
	_, err := f.tokens.Refresh(context.Background(), f.presented(f.other, f.refreshes[i], strings.Fields(asked)...))
	if got := refusal(t, err); got != "invalid_grant" {
		t.Fatalf("another client: %q", got)
	}
}

func (f *family) wait(t *rapid.T) {
	f.now = f.now.Add(rapid.SampledFrom([]time.Duration{
		time.Microsecond, time.Second, 9 * time.Second, 10 * time.Second, time.Minute, 20 * time.Minute, 45 * time.Minute,
	}).Draw(t, "time"))
}

// end ends the family from outside, now and then.
func (f *family) end(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "whether") > 0 {
		t.Skip("not now")
	}
	switch rapid.SampledFrom([]string{"client", "user", "revoke"}).Draw(t, "how") {
	case "client":
		f.c = f.changeClient(f.c, func(c *client.Client) { c.Era++ })
	case "user":
		f.changeUser(f.u, func(u *user.User) { u.Era++ })
	case "revoke":
		if _, err := f.tokens.Revoke(context.Background(), f.app, f.c, f.refreshes[0], source); err != nil {
			t.Fatal(err)
		}
		if f.over() { // nothing was left to revoke
			return
		}
	}
	f.dead = true
}

// over reports whether everything in the family has expired.
func (f *family) over() bool {
	for _, a := range f.accesses {
		if f.now.Before(a.endsAt) {
			return false
		}
	}
	return f.live < 0 || !f.now.Before(f.endsAt)
}

// check looks at everything that was given out, and at the audit log.
func (f *family) check(t *rapid.T) {
	for _, a := range f.accesses {
		found, ok, err := f.tokens.Find(context.Background(), f.app, a.text)
		if err != nil {
			t.Fatal(err)
		}
		if want := !f.dead && f.now.Before(a.endsAt.Truncate(time.Second)); ok != want {
			t.Fatalf("an access token is alive: %v, want %v", ok, want)
		}
		if !ok {
			continue
		}
		got, want := slices.Sorted(slices.Values(found.Scopes)), slices.Sorted(slices.Values(a.scopes))
		if !slices.Equal(got, want) {
			t.Fatalf("it has %q, want %q", got, want)
		}
	}
	for i, text := range f.refreshes {
		_, ok, err := f.tokens.Inspect(context.Background(), f.app, text)
		if err != nil {
			t.Fatal(err)
		}
		if want := !f.dead && i == f.live && f.now.Before(f.endsAt); ok != want {
			t.Fatalf("refresh token %d is active: %v, want %v", i, ok, want)
		}
	}
	page, err := f.tokens.List(context.Background(), f.app.ID, token.Query{Selection: token.Selection{UserID: f.u.UUID}, Limit: 2})
	if err != nil || len(page.Families) != 1 || int(page.Families[0].Refreshes) != f.used {
		t.Fatalf("%d refreshes: %+v, %v", f.used, page, err)
	}
	if stolen := page.Families[0].RevokedFor == "refresh token used twice"; stolen != f.stolen {
		t.Fatalf("it died by itself: %v, want %v", stolen, f.stolen)
	}
}
