package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/token"
)

// listed is what families a test has made, newest first, and their clients as
// they are now.
type listed struct {
	*Env
	families []*token.Family
	clients  map[string]*client.Client
}

// add mints a family of c, newer than those before.
func (l *listed) add(c *client.Client, change func(*token.Family)) *token.Family {
	l.Helper()
	f := l.family(c)
	f.ID = token.NewID(l.Now.Add(time.Duration(len(l.families)) * time.Millisecond))
	change(f)
	l.minted(f)
	l.families = append([]*token.Family{f}, l.families...)
	return f
}

// want gives those that a query asks for.
func (l *listed) want(q token.Query) (list []token.Standing) {
	for _, f := range l.families {
		s := token.StandingOf(f, l.clients[f.ClientID], nil, q.Now)
		if f.ApplicationID == appID && (q.ClientID == "" || f.ClientID == q.ClientID) &&
			(q.Scope == "" || slices.Contains(f.Scopes, q.Scope)) && (q.State == "" || s.State == q.State) {
			list = append(list, s)
		}
	}
	return list
}

// all follows a list to its end.
func (l *listed) all(q token.Query) (list []token.Standing) {
	l.Helper()
	for {
		page, err := l.DB.Tokens().List(l.Context(), appID, q)
		l.must(err)
		if len(page.Families) > q.Limit*2 {
			l.Fatalf("a page of %d has %d", q.Limit, len(page.Families))
		}
		list = append(list, page.Families...)
		if !page.More {
			return list
		}
		if q.After != (token.ID{}) && bytes.Compare(page.Next[:], q.After[:]) >= 0 {
			l.Fatal("a list does not go on")
		}
		q.After = page.Next
	}
}

// mixed makes families of every state, of several clients.
func mixed(e *Env) *listed {
	l := &listed{Env: e, clients: map[string]*client.Client{}}
	for _, name := range []string{"active", "inactive", "renewed", "deleted"} {
		l.clients[name] = e.created(name)
	}
	elsewhere := e.client("elsewhere")
	elsewhere.ApplicationID = "other"
	l.clients["elsewhere"] = elsewhere
	for _, change := range []func(*token.Family){
		func(*token.Family) {},
		func(f *token.Family) { f.Scopes = []string{"orders:read"} },
		func(f *token.Family) {
			f.Scopes = []string{"orders:read", "orders:write"}
			f.AccessExpiresAt = time.Time{}
		},
		func(f *token.Family) { f.Scopes = []string{"orders"}; f.AccessExpiresAt = e.Now.Add(-time.Second) },
		func(f *token.Family) { f.Scopes = []string{"Orders:read"}; f.AccessExpiresAt = e.Now },
		func(f *token.Family) {
			f.Scopes, f.RevokedAt, f.RevokedFor = []string{"orders:read"}, e.Now.Add(-time.Minute), "replaced"
		},
	} {
		for _, name := range []string{"active", "inactive", "renewed", "deleted", "elsewhere"} {
			l.add(l.clients[name], change)
		}
	}
	c := e.deactivate(l.clients["inactive"])
	l.clients[c.ID] = c
	c = e.deactivate(l.clients["renewed"])
	c, err := e.DB.Clients().Change(e.Context(), appID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Inactive = false
		return e.event("client.activate"), nil
	})
	e.must(err)
	l.clients["renewed"], l.clients[c.ID] = c, c
	e.must(e.DB.Clients().Delete(e.Context(), appID, l.clients["deleted"].ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil }))
	l.clients[l.clients["active"].ID] = l.clients["active"]
	l.add(c, func(f *token.Family) { f.Scopes = []string{"orders:read"} })
	return l
}

// testFamilyList: each filter and each size of page gives, newest first, those
// families that a look at all of them gives.
func testFamilyList(e *Env) {
	l := mixed(e)
	states := map[token.State]int{}
	for _, name := range []string{"", "active", "inactive", "renewed", "deleted", "elsewhere", "nobody"} {
		for _, scope := range []string{"", "orders:read", "orders", "read", "nothing", "a\x00b"} {
			for _, state := range []token.State{"", token.Live, token.Expired, token.Revoked} {
				q := token.Query{Selection: token.Selection{ClientID: name, Scope: scope}, State: state, Now: e.Now}
				if c := l.clients[name]; c != nil {
					q.ClientID = c.ID
				}
				want := l.want(q)
				states[state] += len(want)
				for _, q.Limit = range []int{1, 3, 100} {
					if got := l.all(q); len(got) != len(want) {
						e.Fatalf("%q %q %q, pages of %d: %d families, want %d", name, scope, state, q.Limit, len(got), len(want))
					} else {
						e.same(got, want)
					}
				}
			}
		}
	}
	if states[token.Live] == 0 || states[token.Expired] == 0 || states[token.Revoked] == 0 {
		e.Fatalf("not every state was looked for: %v", states)
	}
}

// testFamilyRevokeSome: a selection loses its live families, each step with one
// event of what it took, and no other family is touched.
func testFamilyRevokeSome(e *Env) {
	for _, of := range []string{"", "active", "inactive", "nobody"} {
		l := mixed(&Env{T: e.T, DB: e.DB, Reopen: e.Reopen, Now: e.Now})
		q := token.Query{Selection: token.Selection{ClientID: of, Scope: "orders:read"}, State: token.Live, Now: e.Now, Limit: 100}
		if c := l.clients[of]; c != nil {
			q.ClientID = c.ID
		}
		want := l.all(q)
		rest := len(l.all(token.Query{Limit: 1000, State: token.Live, Now: e.Now})) - len(want)
		before := len(e.actions())
		revoked, _, more, err := e.DB.Tokens().RevokeStep(e.Context(), appID, q, "revoked", func(ids []token.ID) (audit.Event, error) {
			event := e.event("token.revoke")
			event.After = json.RawMessage(fmt.Sprintf(`{"revoked":%d}`, len(ids)))
			return event, nil
		})
		e.must(err)
		if more || len(revoked) != len(want) {
			e.Fatalf("%q: %d revoked, want %d; more %v", of, len(revoked), len(want), more)
		}
		for _, f := range want {
			got, err := e.DB.Tokens().Get(e.Context(), appID, f.ID)
			e.must(err)
			if got.RevokedFor != "revoked" || !got.RevokedAt.Equal(e.Now) || !slices.Contains(revoked, f.ID) {
				e.Fatalf("%q: a family is not revoked: %+v", of, got)
			}
		}
		if n := len(l.all(token.Query{Limit: 1000, State: token.Live, Now: e.Now})); n != rest {
			e.Fatalf("%q: %d families live, want %d", of, n, rest)
		}
		if n := len(e.actions()) - before; n != min(1, len(want)) {
			e.Fatalf("%q: %d events of %d families", of, n, len(want))
		}
		for _, c := range l.clients { // make room for their names
			_ = e.DB.Clients().Delete(e.Context(), c.ApplicationID, c.ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil })
		}
	}
}

// testFamilyScan: a search for what is rare reads a bounded number of families,
// and goes on.
func testFamilyScan(e *Env) {
	c := e.created("many")
	const n = 2*token.MaxScan + 300
	rare := e.family(c)
	rare.Scopes, rare.ID = []string{"rare"}, token.FirstID(e.Now.Add(-time.Hour))
	rare.Format, rare.AccessExpiresAt = lifetime.Opaque, e.Now.Add(2*time.Hour) // no JWT
	e.minted(rare)
	errs := together(100, func(int) error {
		for range n / 100 {
			if _, err := e.DB.Tokens().Mint(context.Background(), e.family(c)); err != nil {
				return err
			}
		}
		return nil
	})
	e.must(errors.Join(errs...))
	for _, id := range []string{"", c.ID} {
		q := token.Query{Selection: token.Selection{Scope: "rare", ClientID: id}, Now: e.Now, Limit: 10}
		for _, want := range []int{0, 0, 1} {
			page, err := e.DB.Tokens().List(e.Context(), appID, q)
			e.must(err)
			if len(page.Families) != want || page.More != (want == 0) {
				e.Fatalf("%d families, more %v, want %d", len(page.Families), page.More, want)
			}
			q.After = page.Next
		}
	}
	for limit, want := range map[int]int{100: 100, n * 2: n + 1} {
		got, err := e.DB.Tokens().CountLive(e.Context(), c.Era, c.ID, e.Now, limit)
		e.must(err)
		if got.N != want || !got.LastJWT.Equal(e.Now.Add(time.Hour)) {
			e.Fatalf("%+v counted, want %d", got, want)
		}
	}
	q, steps, total := token.Query{Selection: token.Selection{Scope: "rare"}, Now: e.Now}, 0, 0
	for more := true; more; steps++ {
		var ids []token.ID
		var err error
		ids, q.After, more, err = e.DB.Tokens().RevokeStep(e.Context(), appID, q, "revoked", func([]token.ID) (audit.Event, error) { return e.event("token.revoke"), nil })
		e.must(err)
		total += len(ids)
	}
	if steps != 3 || total != 1 {
		e.Fatalf("%d revoked in %d steps", total, steps)
	}
	q = token.Query{Selection: token.Selection{ClientID: c.ID}, Now: e.Now}
	seen := map[token.ID]bool{}
	for more := true; more; {
		var ids []token.ID
		var err error
		ids, q.After, more, err = e.DB.Tokens().RevokeStep(e.Context(), appID, q, "revoked", func([]token.ID) (audit.Event, error) { return e.event("token.revoke"), nil })
		e.must(err)
		if len(ids) > token.MaxRevoke {
			e.Fatalf("a step revokes %d", len(ids))
		}
		for _, id := range ids {
			seen[id] = true
		}
	}
	if len(seen) != n {
		e.Fatalf("%d revoked, want %d", len(seen), n)
	}
}
