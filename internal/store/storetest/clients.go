package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

func testClients(e *Env) {
	ctx, clients := e.Context(), e.DB.Clients()
	_, err := clients.Get(ctx, appID, "nobody")
	e.wants(fault.NotFound, err)

	e.scopes("read")
	c := e.client("A client")
	c.Version, c.Kind, c.Public, c.Inactive = "1.0", client.Native, true, true
	c.Settings.Description = "what it is"
	c.Settings.Features = client.Features{client.DirectAccess, client.Owner}
	c.Settings.GrantTypes = []oauth.GrantType{oauth.AuthorizationCode}
	c.Settings.Scopes.Allowed = []string{"read"}
	c.Settings.AllowedIPs = []string{"192.0.2.7/24"}
	c.Settings.AccessToken.Seconds = 60
	c.Secrets = []client.Secret{
		{ID: "z", Label: "first", Hint: "wxyz", Digest: []byte{0, 1}, DigestKey: 3, Sealed: []byte{9}, CreatedAt: e.Now},
		{ID: "a", Digest: []byte("$argon2id$"), CreatedAt: e.Now, ExpiresAt: e.Now.Add(time.Hour)},
	}
	e.must(clients.Create(ctx, c, client.NameAndVersion, e.event("client.create")))
	if c.Sequence == 0 || c.Revision != 1 {
		e.Fatalf("sequence %d, revision %d", c.Sequence, c.Revision)
	}
	got, err := clients.Get(ctx, appID, c.ID)
	e.must(err)
	e.same(got, c)
	_, err = clients.Get(ctx, "other", c.ID)
	e.wants(fault.NotFound, err)

	again := e.client("Another name")
	again.ID = c.ID
	err = clients.Create(ctx, again, client.NameAndVersion, e.event("client.create"))
	e.wants(fault.Conflict, err)
	if f, _ := errors.AsType[*fault.Error](err); f.Field != "id" {
		e.Fatalf("the conflict is about %q", f.Field)
	}
	e.same(e.actions(), []string{"client.create", "scope.create"})
}

func testClientNames(e *Env) {
	e.created("Straße")
	versioned := e.client("Thing")
	versioned.Version = "1"
	e.must(e.DB.Clients().Create(e.Context(), versioned, client.NameAndVersion, e.event("client.create")))
	for _, test := range []struct {
		name, version string
		unique        client.Uniqueness
		conflict      bool
	}{
		{"STRASSE", "", client.NameAndVersion, true},
		{"STRASSE", "2", client.NameAndVersion, false},
		{"strasse", "3", client.NameOfAnyVersion, true},
		{"thing", "1", client.NameAndVersion, true},
		{"Thing", "", client.NameOfAnyVersion, true},
		{"Thing", "", client.NameAndVersion, false},
		{"Caf\u00e9", "", client.NameOfAnyVersion, false},
		{"CAFE\u0301", "", client.NameOfAnyVersion, true},
	} {
		c := e.client(test.name)
		c.Version = test.version
		err := e.DB.Clients().Create(e.Context(), c, test.unique, e.event("client.create"))
		if !test.conflict {
			e.must(err)
			continue
		}
		e.wants(fault.Conflict, err)
		if f, _ := errors.AsType[*fault.Error](err); f.Field != "name" {
			e.Fatalf("%q: the conflict is about %q", test.name, f.Field)
		}
	}
	other := e.client("Thing")
	other.ApplicationID = "other"
	e.must(e.DB.Clients().Create(e.Context(), other, client.NameOfAnyVersion, e.event("client.create")))
}

func testClientNamesContended(e *Env) {
	for _, unique := range []client.Uniqueness{client.NameAndVersion, client.NameOfAnyVersion} {
		before := len(e.actions())
		errs := together(64, func(i int) error {
			c := e.client(fmt.Sprint("One name ", unique))
			if unique == client.NameOfAnyVersion {
				c.Version = strconv.Itoa(i)
			}
			return e.DB.Clients().Create(context.Background(), c, unique, e.event("client.create"))
		})
		if conflicts, created := count(errs, fault.Conflict); created != 1 || conflicts != 63 {
			e.Fatalf("%d creations succeeded and %d met a conflict, want 1 and 63: %v", created, conflicts, errs)
		}
		if n := len(e.actions()) - before; n != 1 {
			e.Fatalf("%d events for one creation", n)
		}
	}
}

func testClientList(e *Env) {
	ctx := e.Context()
	var made []*client.Client
	for i, features := range []client.Features{
		nil, {client.Owner}, {client.LoginClient}, {client.Owner, client.DirectAccess}, nil, {client.DirectAccess, client.AccessIssuer, client.Owner},
	} {
		c := e.client(fmt.Sprint("client ", i))
		c.Settings.Features = features
		c.Secrets = []client.Secret{{ID: "1", Digest: []byte{1}, CreatedAt: e.Now}, {ID: "0", Digest: []byte{2}, CreatedAt: e.Now}}
		e.must(e.DB.Clients().Create(ctx, c, client.NameAndVersion, e.event("client.create")))
		made = append(made, c)
	}
	other := e.client("elsewhere")
	other.ApplicationID = "other"
	e.must(e.DB.Clients().Create(ctx, other, client.NameAndVersion, e.event("client.create")))

	for _, test := range []struct {
		filter client.Filter
		want   []int
	}{
		{client.Filter{Limit: 100}, []int{0, 1, 2, 3, 4, 5}},
		{client.Filter{Limit: 2}, []int{0, 1}},
		{client.Filter{Limit: 2, After: made[1].Sequence}, []int{2, 3}},
		{client.Filter{Limit: 100, Features: client.Features{client.Owner}}, []int{1, 3, 5}},
		{client.Filter{Limit: 100, Features: client.Features{client.Owner, client.DirectAccess}}, []int{3, 5}},
		{client.Filter{Limit: 1, Features: client.Features{client.Owner, client.DirectAccess}, After: made[3].Sequence}, []int{5}},
		{client.Filter{Limit: 100, Features: client.Features{client.Metadata}}, nil},
		{client.Filter{Limit: 100, After: made[5].Sequence}, nil},
	} {
		got, err := e.DB.Clients().List(ctx, appID, test.filter)
		e.must(err)
		var want []*client.Client
		for _, i := range test.want {
			want = append(want, made[i])
		}
		e.same(got, want)
	}
}

func testClientChange(e *Env) {
	ctx, clients := e.Context(), e.DB.Clients()
	_, err := clients.Change(ctx, appID, "nobody", client.NameAndVersion, func(*client.Client) (audit.Event, error) { return e.event("x"), nil })
	e.wants(fault.NotFound, err)
	c := e.created("First")
	e.created("Second")
	changed, err := clients.Change(ctx, appID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Name, c.Version, c.Inactive = "Renamed", "2", true
		c.Settings.Features = client.Features{client.AccessIssuer}
		c.UpdatedAt = e.Now.Add(time.Second)
		c.ID, c.ApplicationID, c.Sequence, c.Revision, c.CreatedAt = "x", "y", 7, 7, e.Now.Add(time.Hour)
		return e.event("client.update"), nil
	})
	e.must(err)
	got, err := clients.Get(ctx, appID, c.ID)
	e.must(err)
	e.same(got, changed)
	want := *c
	want.Name, want.Version, want.Inactive, want.Revision, want.UpdatedAt = "Renamed", "2", true, 2, e.Now.Add(time.Second)
	want.Settings.Features = client.Features{client.AccessIssuer}
	e.same(got, &want)
	listed, err := clients.List(ctx, appID, client.Filter{Features: client.Features{client.AccessIssuer}, Limit: 10})
	e.must(err)
	e.same(listed, []*client.Client{&want})

	rename := func(name, version string, unique client.Uniqueness) error {
		_, err := clients.Change(ctx, appID, c.ID, unique, func(c *client.Client) (audit.Event, error) {
			c.Name, c.Version = name, version
			return e.event("client.update"), nil
		})
		return err
	}
	e.wants(fault.Conflict, rename("SECOND", "", client.NameAndVersion))
	e.wants(fault.Conflict, rename("second", "2", client.NameOfAnyVersion))
	e.must(rename("second", "2", client.NameAndVersion))
	// A name that stays is asked about no more, whatever the rule.
	e.must(rename("Second", "2", client.NameOfAnyVersion))
	e.created("Renamed")
}

func testClientChangeContended(e *Env) {
	c := e.created("Contended")
	const n = 48
	for i := range n {
		e.scopes(fmt.Sprint("s", i))
	}
	errs := together(n, func(i int) error {
		_, err := e.DB.Clients().Change(context.Background(), appID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
			c.Settings.AccessToken.Seconds++
			c.Settings.Scopes.Allowed = append(c.Settings.Scopes.Allowed, fmt.Sprint("s", i))
			return e.event("client.update"), nil
		})
		return err
	})
	e.must(errors.Join(errs...))
	got, err := e.DB.Clients().Get(e.Context(), appID, c.ID)
	e.must(err)
	if got.Settings.AccessToken.Seconds != n || got.Revision != n+1 || len(got.Settings.Scopes.Allowed) != n {
		e.Fatalf("of %d changes %d are there, revision %d", n, got.Settings.AccessToken.Seconds, got.Revision)
	}
}

func testClientSecrets(e *Env) {
	ctx, clients := e.Context(), e.DB.Clients()
	c := e.created("With secrets")
	change := func(f func(*client.Client)) *client.Client {
		e.Helper()
		changed, err := clients.Change(ctx, appID, c.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
			f(c)
			return e.event("client.secret"), nil
		})
		e.must(err)
		got, err := clients.Get(ctx, appID, c.ID)
		e.must(err)
		e.same(got, changed)
		return got
	}
	for _, id := range []string{"m", "z", "a"} {
		change(func(c *client.Client) {
			c.Secrets = append(c.Secrets, client.Secret{ID: id, Digest: []byte(id), DigestKey: 1, CreatedAt: e.Now})
		})
	}
	got := change(func(c *client.Client) {
		c.Secrets[0].ExpiresAt = e.Now.Add(time.Minute)
		c.Secrets = slices.Delete(c.Secrets, 1, 2)
	})
	if len(got.Secrets) != 2 || got.Secrets[0].ID != "m" || got.Secrets[1].ID != "a" || !got.Secrets[0].ExpiresAt.Equal(e.Now.Add(time.Minute)) {
		e.Fatalf("one secret was capped and one removed, but there is %+v", got.Secrets)
	}
	for _, step := range []struct {
		before time.Time
		want   int
	}{{e.Now.Add(time.Minute), 0}, {e.Now.Add(time.Hour), 1}, {e.Now.Add(time.Hour), 0}} {
		n, err := clients.RemoveExpiredSecrets(ctx, step.before, 10)
		e.must(err)
		if n != step.want {
			e.Fatalf("%d secrets removed, want %d", n, step.want)
		}
	}
}

func testClientDelete(e *Env) {
	ctx, clients := e.Context(), e.DB.Clients()
	ok := func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil }
	e.wants(fault.NotFound, clients.Delete(ctx, appID, "nobody", ok))
	c := e.created("Mortal")
	e.must(e.putDocument(c.ID, `{}`, e.event("settings")))
	f := e.minted(e.family(c))

	err := clients.Delete(ctx, appID, c.ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), errRefused })
	if !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	_, err = clients.Get(ctx, appID, c.ID)
	e.must(err)

	errs := together(8, func(int) error { return clients.Delete(context.Background(), appID, c.ID, ok) })
	if gone, deleted := count(errs, fault.NotFound); deleted != 1 || gone != 7 {
		e.Fatalf("%d deletions succeeded and %d found nothing, want 1 and 7: %v", deleted, gone, errs)
	}
	_, err = clients.Get(ctx, appID, c.ID)
	e.wants(fault.NotFound, err)
	documents, err := clients.Documents(ctx, appID, c.ID)
	e.must(err)
	if len(documents) != 0 {
		e.Fatal("the deleted client's settings are still there")
	}
	n, err := e.DB.Tokens().RemoveDead(ctx, e.Now, 10)
	e.must(err)
	if n != 1 {
		e.Fatalf("%d families swept, want 1", n)
	}
	_, err = e.DB.Tokens().Get(ctx, appID, f.ID)
	e.wants(fault.NotFound, err)

	// The name and the id are free again.
	again := e.client("Mortal")
	again.ID = c.ID
	e.must(clients.Create(ctx, again, client.NameOfAnyVersion, e.event("client.create")))
	got, err := clients.Get(ctx, appID, c.ID)
	e.must(err)
	if len(got.Secrets) != 0 || got.Sequence <= c.Sequence {
		e.Fatalf("the new client took something over: %+v", got)
	}
}

// testClientRefusals: of a refused operation nothing is stored.
func testClientRefusals(e *Env) {
	ctx, clients := e.Context(), e.DB.Clients()
	taken := e.created("Taken")
	before, err := clients.Get(ctx, appID, taken.ID)
	e.must(err)
	events := e.actions()

	c := e.client("taken")
	c.Secrets = []client.Secret{{ID: "s", Digest: []byte{1}, CreatedAt: e.Now}}
	e.wants(fault.Conflict, clients.Create(ctx, c, client.NameAndVersion, e.event("client.create")))
	_, err = clients.Get(ctx, appID, c.ID)
	e.wants(fault.NotFound, err)
	_, err = clients.Change(ctx, appID, taken.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Name, c.Era, c.Inactive = "Other", c.Era+1, true
		c.Secrets = append(c.Secrets, client.Secret{ID: "s", Digest: []byte{1}, CreatedAt: e.Now})
		return e.event("client.update"), errRefused
	})
	if !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	e.wants(fault.NotFound, e.putDocument("nobody", `{}`, e.event("settings")))

	got, err := clients.Get(ctx, appID, taken.ID)
	e.must(err)
	e.same(got, before)
	e.same(e.actions(), events)
}

func testDocuments(e *Env) {
	ctx, clients := e.Context(), e.DB.Clients()
	e.founded()
	a, b := e.created("a"), e.created("b")
	e.must(e.putDocument(a.ID, `{"n": 1}`, e.event("settings")))
	e.must(clients.PutDocument(ctx, appID, a.ID, []byte(`{"n": 2}`), func(c *client.Client) (audit.Event, error) {
		c.Settings.Redirect.URIs = []string{"https://a.example/cb"}
		return e.event("settings"), nil
	}))
	of, err := clients.Documents(ctx, appID, a.ID, b.ID, "nobody")
	e.must(err)
	e.same(of, map[string][]byte{a.ID: []byte(`{"n": 2}`)})
	has, err := clients.HasOrigin(ctx, appID, "https://a.example")
	e.must(err)
	if !has {
		e.Error("the client did not change with its document")
	}
}

// putDocument replaces the settings document of a client, and nothing else of it.
func (e *Env) putDocument(id, document string, event audit.Event) error {
	return e.DB.Clients().PutDocument(e.Context(), appID, id, []byte(document), func(*client.Client) (audit.Event, error) { return event, nil })
}

// testOddIDs: what no database can have as an id is absent like any other.
func testOddIDs(e *Env) {
	ctx, clients := e.Context(), e.DB.Clients()
	e.founded()
	event := func(*client.Client) (audit.Event, error) { return e.event("x"), nil }
	for _, id := range []string{"\xff\xfe", "a\x00b", strings.Repeat("x", 100_000), "' OR 1=1 --", "%"} {
		_, err := e.DB.Applications().Get(ctx, id)
		e.wants(fault.NotFound, err)
		_, err = clients.Get(ctx, appID, id)
		e.wants(fault.NotFound, err)
		_, err = clients.Get(ctx, id, "x")
		e.wants(fault.NotFound, err)
		_, err = clients.Change(ctx, appID, id, client.NameAndVersion, event)
		e.wants(fault.NotFound, err)
		e.wants(fault.NotFound, clients.Delete(ctx, appID, id, event))
		e.wants(fault.NotFound, e.putDocument(id, `{}`, e.event("settings")))
	}
}
