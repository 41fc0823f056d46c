package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/instance"
)

// searched gives the names of the clients that are found, page by page.
func (e *Env) searched(q client.Search) string {
	e.Helper()
	var names []string
	for pages := 0; ; pages++ {
		list, next, err := e.DB.Clients().Search(e.Context(), appID, q)
		e.must(err)
		if len(list) > q.Limit {
			e.Fatalf("a page of %d clients, at most %d were asked for", len(list), q.Limit)
		}
		for _, c := range list {
			names = append(names, c.Name)
		}
		if next == (client.Place{}) {
			return strings.Join(names, " ")
		}
		if q.After = next; pages > 1000 {
			e.Fatal("the list does not end")
		}
	}
}

// index brings the search index up to date.
func (e *Env) index() {
	e.Helper()
	for more := true; more; {
		var err error
		more, err = e.DB.IndexTexts(e.Context(), 2)
		e.must(err)
	}
}

// found makes the clients that the searches look for.
func (e *Env) found() {
	e.Helper()
	for _, c := range []struct {
		name, description string
		change            func(*client.Client)
	}{
		{"Billing", "Calls the orders service", func(c *client.Client) { c.Kind = client.Service }},
		{"billing-old", "", func(c *client.Client) { c.Inactive = true }},
		{"Ärger", "100% \\ under_score \"quoted\"", func(c *client.Client) { c.Public, c.Kind = true, client.SPA }},
		{"Orders", "", func(c *client.Client) { c.Settings.Features = client.Features{client.Owner, client.DirectAccess} }},
		{"Tagged", "", func(c *client.Client) { c.Settings.Tags = []string{"blue", "a b"} }},
	} {
		made := e.client(c.name)
		made.ID = "id-of-" + strings.ToLower(strings.Map(func(r rune) rune {
			if r > 'z' {
				return 'x'
			}
			return r
		}, c.name))
		made.Settings.Description = c.description
		c.change(made)
		e.must(e.DB.Clients().Create(e.Context(), made, client.NameAndVersion, e.event("client.create")))
	}
	other := e.client("Billing elsewhere")
	other.ApplicationID = "elsewhere"
	e.must(e.DB.Clients().Create(e.Context(), other, client.NameAndVersion, e.event("client.create")))
}

// testClientSearchFolds finds texts as names are compared: composed or not, and
// with letters whose folding is another letter, or two.
func testClientSearchFolds(e *Env) {
	for _, c := range [][2]string{{"Größe", "Stra\u00dfe"}, {"STRASSE", ""}, {"Κόσμος", ""}, {"Zoe\u0308lly", "5 \u00b5m"}, {"Stein", "\u017ftark"}} {
		made := e.client(c[0])
		made.Settings.Description = c[1]
		e.must(e.DB.Clients().Create(e.Context(), made, client.NameAndVersion, e.event("client.create")))
	}
	e.index()
	for text, want := range map[string]string{
		"größe": "Größe", "GRÖSSE": "Größe", "gro\u0308ss": "Größe", "straße": "Größe STRASSE", "TRASS": "Größe STRASSE",
		"ΚΌΣΜΟΣ": "Κόσμος", "σμος": "Κόσμος", "zoëlly": "Zoe\u0308lly", "5 \u03bcm": "Zoe\u0308lly", "stark": "Stein",
	} {
		if got := e.searched(client.Search{Text: text, Limit: 10}); got != want {
			e.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
}

func testClientSearch(e *Env) {
	e.found()
	yes, no := true, false
	check := func(when string) {
		e.Helper()
		for _, c := range []struct {
			q    client.Search
			want string
		}{
			{client.Search{}, "Billing billing-old Ärger Orders Tagged"},
			{client.Search{Kind: client.Service}, "Billing"},
			{client.Search{Type: client.PublicType}, "Ärger"},
			{client.Search{Type: client.Confidential}, "Billing billing-old Orders Tagged"},
			{client.Search{Active: &no}, "billing-old"},
			{client.Search{Active: &yes}, "Billing Ärger Orders Tagged"},
			{client.Search{Feature: client.DirectAccess}, "Orders"},
			{client.Search{Feature: client.LoginClient}, ""},
			{client.Search{Tag: "blue"}, "Tagged"},
			{client.Search{Tag: "a b", Kind: client.Other}, "Tagged"},
			{client.Search{Tag: "green"}, ""},
			{client.Search{Text: "BILL"}, "Billing billing-old"},
			{client.Search{Text: "bill", Active: &yes}, "Billing"},
			{client.Search{Text: "orders"}, "Billing Orders"},
			{client.Search{Text: "äRGe"}, "Ärger"},
			{client.Search{Text: "d-of-ord"}, "Orders"},
			{client.Search{Text: "100%"}, "Ärger"},
			{client.Search{Text: "r_s"}, "Ärger"},
			{client.Search{Text: `"quo`}, "Ärger"},
			{client.Search{Text: `% \ u`}, "Ärger"},
			{client.Search{Text: "nobody"}, ""},
			{client.Search{Text: "o"}, "Orders"},
			{client.Search{Text: "bi"}, "Billing billing-old"},
			{client.Search{Text: "bi", Kind: client.Other}, "billing-old"},
			{client.Search{Text: "il"}, ""},
		} {
			for _, limit := range []int{1, 2, 50} {
				c.q.Limit = limit
				if got := e.searched(c.q); got != c.want {
					e.Errorf("%s: %+v: got %q, want %q", when, c.q, got, c.want)
				}
			}
		}
	}
	check("without an index")
	e.index()
	check("with an index")
	_, err := e.DB.Clients().Change(e.Context(), appID, "id-of-tagged", client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Settings.Description = "renamed thing"
		return e.event("client.update"), nil
	})
	e.must(err)
	e.must(e.DB.Clients().Delete(e.Context(), appID, "id-of-orders", func(*client.Client) (audit.Event, error) {
		return e.event("client.delete"), nil
	}))
	e.index()
	for text, want := range map[string]string{"renamed": "Tagged", "orders": "Billing"} {
		if got := e.searched(client.Search{Text: text, Limit: 10}); got != want {
			e.Errorf("after a change: %s: got %q, want %q", text, got, want)
		}
	}
}

// testClientSearchPages: more clients than a window has, few of which match.
func testClientSearchPages(e *Env) {
	var want []string
	for i := range 60 {
		c := e.client(fmt.Sprintf("Client-%03d", i))
		if i%7 == 0 {
			c.Settings.Description = "chosen"
			want = append(want, c.Name)
		}
		e.must(e.DB.Clients().Create(e.Context(), c, client.NameAndVersion, e.event("client.create")))
		if i == 30 {
			e.index()
		}
	}
	for limit := 1; limit < 12; limit++ {
		if got := e.searched(client.Search{Text: "chosen", Limit: limit}); got != strings.Join(want, " ") {
			e.Errorf("by %d: got %s", limit, got)
		}
		if got := e.searched(client.Search{Text: "cl", Limit: limit}); len(strings.Fields(got)) != 60 {
			e.Errorf("by %d: got %s", limit, got)
		}
	}
	picked, err := e.DB.Clients().Pick(e.Context(), appID, []string{"nobody"})
	e.must(err)
	if len(picked) != 0 {
		e.Errorf("picked %d clients that are not there", len(picked))
	}
}

// testClientSearchByShortID: an id is found whatever its length, once, before the
// names that begin like it.
func testClientSearchByShortID(e *Env) {
	for _, c := range [][2]string{{"a-long-one", "B-first"}, {"b", "B-second"}, {"another-one", "B-third"}, {"q", "Last"}, {"B", "Apart"}} {
		made := e.client(c[1])
		made.ID = c[0]
		e.must(e.DB.Clients().Create(e.Context(), made, client.NameAndVersion, e.event("client.create")))
	}
	for limit := 1; limit < 6; limit++ {
		for q, want := range map[client.Search]string{
			{Text: "b"}: "B-second B-first B-third", {Text: "B"}: "Apart B-first B-second B-third", {Text: "q"}: "Last",
			{Text: "q", Kind: client.Web}: "", {Text: "b", Kind: client.Other}: "B-second B-first B-third",
		} {
			q.Limit = limit
			if got := e.searched(q); got != want {
				e.Errorf("%q by %d: got %q, want %q", q.Text, limit, got, want)
			}
		}
	}
}

func (e *Env) addition(id string) *instance.Addition {
	owner := e.client("First owner")
	owner.ApplicationID = id
	event := e.event("application.create")
	return &instance.Addition{
		Application: application.Application{ID: id, Name: id, Revision: 1, CreatedAt: e.Now, UpdatedAt: e.Now},
		Owner:       *owner, Events: []audit.Event{event},
	}
}

func testApplicationRemoval(e *Env) {
	store := e.DB.Instance()
	first, second := e.addition("first"), e.addition("second")
	e.must(store.Add(e.Context(), first))
	e.must(store.Add(e.Context(), second))
	e.wants(fault.Conflict, store.Add(e.Context(), e.addition("first")))
	with, err := store.With(e.Context(), first.Owner.ID, 10)
	e.must(err)
	e.same(with, []string{"first"})
	list, err := store.List(e.Context(), "first", 10)
	e.must(err)
	if !slices.ContainsFunc(list, func(a *application.Application) bool { return a.ID == "second" }) {
		e.Error("second is not in the list")
	}
	gone := func(*application.Application) (audit.Event, error) { return e.event("application.delete"), nil }
	e.must(store.Remove(e.Context(), "first", gone))
	e.wants(fault.NotFound, store.Remove(e.Context(), "first", gone))
	_, err = e.DB.Applications().Get(e.Context(), "first")
	e.wants(fault.NotFound, err)
	e.wants(fault.Conflict, store.Add(e.Context(), e.addition("first")))
	later := e.Now.Add(time.Hour)
	for range 10 {
		if _, err := store.RemoveRemains(e.Context(), later, 1); err != nil {
			e.Fatal(err)
		}
	}
	_, err = e.DB.Clients().Get(e.Context(), "first", first.Owner.ID)
	e.wants(fault.NotFound, err)
	e.must(store.Add(e.Context(), e.addition("first")))
	_, err = e.DB.Clients().Get(e.Context(), "second", second.Owner.ID)
	e.must(err)
}

func testAuditSearch(e *Env) {
	record := func(at time.Time, actor, action, object string) {
		event := audit.New(audit.Source{Actor: actor}, appID, action, object, at)
		e.must(e.DB.Audit().Record(e.Context(), event))
	}
	for i := range 6 {
		record(e.Now.Add(time.Duration(i)*time.Second), "client:a", "client.create", fmt.Sprint("client:", i))
		record(e.Now.Add(time.Duration(i)*time.Second), "client:b", "client.secret.create", fmt.Sprint("client:", i))
	}
	for _, c := range []struct {
		filter audit.Filter
		want   int
	}{
		{audit.Filter{}, 12},
		{audit.Filter{Actor: "client:a"}, 6},
		{audit.Filter{Action: "client.create"}, 6},
		{audit.Filter{Action: "client."}, 12},
		{audit.Filter{Action: "client.secret."}, 6},
		{audit.Filter{Action: "client.cre"}, 0},
		{audit.Filter{Object: "client:3"}, 2},
		{audit.Filter{Since: e.Now.Add(4 * time.Second)}, 4},
		{audit.Filter{Until: e.Now.Add(2 * time.Second)}, 4},
		{audit.Filter{Since: e.Now.Add(time.Second), Until: e.Now.Add(2 * time.Second), Actor: "client:b"}, 1},
	} {
		for _, limit := range []int{1, 5, 100} {
			c.filter.Limit, c.filter.After = limit, audit.Cursor{}
			n := 0
			for range 100 {
				events, next, err := e.DB.Audit().Search(e.Context(), appID, c.filter)
				e.must(err)
				n += len(events)
				if next == (audit.Cursor{}) {
					break
				}
				c.filter.After = next
			}
			if n != c.want {
				e.Errorf("%+v: got %d events, want %d", c.filter, n, c.want)
			}
		}
	}
}

// testExpiringSecrets looks for clients whose secrets end soon, in the order of
// their ends; many of another application that end before are not in the way.
func testExpiringSecrets(e *Env) {
	e.found()
	for name, ends := range map[string][]time.Duration{
		"billing": {40 * time.Hour, 45 * time.Hour}, "billing-old": {30 * time.Hour}, "xrger": {10 * time.Hour, 10 * time.Hour}, "orders": {20 * time.Hour, 40 * time.Hour},
	} {
		_, err := e.DB.Clients().Change(e.Context(), appID, "id-of-"+name, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
			c.Secrets = e.ending(ends...)
			return e.event("client.secret.create"), nil
		})
		e.must(err)
	}
	look := func(applicationID string, until time.Duration, active *bool, limit int) string {
		e.Helper()
		var ids []string
		for place := (client.Expiry{At: e.Now}); ; {
			found, next, err := e.DB.Clients().Expiring(e.Context(), applicationID, place, e.Now.Add(until), active, limit)
			e.must(err)
			ids = append(ids, strings.Join(found, " "))
			if place = next; place == (client.Expiry{}) {
				return strings.ReplaceAll(strings.Join(ids, ", "), "id-of-", "")
			}
		}
	}
	check := func(when string) {
		e.Helper()
		for _, x := range []struct {
			until  time.Duration
			active *bool
			limit  int
			want   string
		}{
			{time.Hour, nil, 10, ""},
			{15 * time.Hour, nil, 10, "xrger"},
			{42 * time.Hour, nil, 10, "xrger orders billing-old billing"},
			{42 * time.Hour, new(true), 10, "xrger orders billing"},
			{42 * time.Hour, new(false), 10, "billing-old"},
			{42 * time.Hour, new(true), 2, "xrger orders, billing orders"},
			{42 * time.Hour, new(true), 1, "xrger, orders, billing, orders"},
		} {
			if got := strings.TrimLeft(look(appID, x.until, x.active, x.limit), ", "); got != x.want {
				e.Errorf("%s: within %s, at most %d: %q, want %q", when, x.until, x.limit, got, x.want)
			}
		}
	}
	check("alone")
	if got := look("another", 42*time.Hour, nil, 10); got != "" {
		e.Errorf("in another application: %q", got)
	}
	other := e.client("Of many secrets")
	other.ApplicationID = "another"
	for i := range 1001 {
		other.Secrets = append(other.Secrets, e.ending(9*time.Hour+time.Duration(i)*time.Second)...)
		other.Secrets[i].ID = strconv.Itoa(i)
	}
	e.must(e.DB.Clients().Create(e.Context(), other, client.NameAndVersion, e.event("client.create")))
	check("after those of another")
}

// ending makes secrets that end so long from now.
func (e *Env) ending(after ...time.Duration) (list []client.Secret) {
	for i, d := range after {
		list = append(list, client.Secret{
			ID: strconv.Itoa(i), Label: "l", Hint: "hint", Digest: []byte("d"), DigestKey: 1, CreatedAt: e.Now, ExpiresAt: e.Now.Add(d),
		})
	}
	return list
}
