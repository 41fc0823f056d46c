package storetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// testImport stores many clients at once: each is refused alone.
func testImport(e *Env) {
	ctx, clients := e.Context(), e.DB.Clients()
	there := e.created("There")
	e.scopes("read")
	made := []*client.Client{e.client("One"), e.client("THERE"), e.client("Two"), e.client("Three"), e.client("one"), e.client("Four")}
	made[2].Settings.Scopes.Allowed = []string{"read"}
	made[3].Settings.Scopes.Allowed = []string{"read", "nowhere"}
	made[5].ID = there.ID
	events := make([]audit.Event, len(made))
	kinds := map[int]fault.Kind{1: fault.Conflict, 3: fault.Invalid, 4: fault.Conflict, 5: fault.Conflict}
	for _, dry := range []bool{true, false} {
		before := len(e.actions())
		for i := range events {
			events[i] = e.event("client.create")
		}
		refused, err := clients.CreateMany(ctx, made, events, dry)
		e.must(err)
		for i, err := range refused {
			if kind, ok := kinds[i]; ok {
				e.wants(kind, err)
			} else {
				e.must(err)
			}
		}
		want := 2
		if dry {
			want = 0
		}
		if n := len(e.actions()) - before; n != want {
			e.Fatalf("dry %v: %d events, want %d", dry, n, want)
		}
		_, err = clients.Get(ctx, appID, made[0].ID)
		if dry {
			e.wants(fault.NotFound, err)
		} else {
			e.must(err)
		}
	}
	if made[0].Sequence >= made[2].Sequence {
		e.Fatal("not in order")
	}
	e.existing(made, there)
}

// existing asks what is in the way of clients: there, and those of made that are
// stored by now.
func (e *Env) existing(made []*client.Client, there *client.Client) {
	e.Helper()
	asked, want := []*client.Client{}, []string{}
	ask := func(c *client.Client, id string) { asked, want = append(asked, c), append(want, id) }
	ask(e.client("tWO"), made[2].ID)
	ask(e.client("Nobody"), "")
	ask(e.client("Three"), "") // was refused
	version := e.client("Two")
	version.Version = "1"
	ask(version, "")
	other := e.client("Two")
	other.ApplicationID = "other"
	ask(other, "")
	ask(&client.Client{ApplicationID: appID, ID: there.ID, Name: "Two"}, there.ID) // its own id before its name
	found, err := e.DB.Clients().Existing(e.Context(), asked)
	e.must(err)
	e.same(found, want)
	found, err = e.DB.Clients().Existing(e.Context(), nil)
	e.must(err)
	if len(found) != 0 {
		e.Fatalf("of nobody: %q", found)
	}
}

// testImportAlike: many clients that are stored at once are refused, and kept,
// as if they were stored one after the other.
func testImportAlike(e *Env) {
	const other = "other"
	ctx, clients := e.Context(), e.DB.Clients()
	e.scopes("read", "write")
	for _, name := range []string{"read", "write"} {
		s := e.scope(name)
		s.ApplicationID = other
		e.must(e.DB.Scopes().Create(ctx, s, e.event("scope.create")))
	}
	var many, single []*client.Client
	add := func(id, name, version string, scopes ...string) {
		c := e.client(name)
		c.ID, c.Version, c.Settings.Scopes.Allowed = id, version, scopes
		c.Settings.Tags, c.Settings.Description = []string{"a", "b"}, `<it's> "ü" \u0000 & \`
		c.Settings.Redirect.URIs = []string{"https://" + id + ".example/cb", "https://shared.example/cb"}
		c.Settings.Features, c.Inactive, c.Public = client.Features{client.DirectAccess}, id == "3", id == "4"
		c.CreatedAt = e.Now.Add(-time.Hour)
		for n := range scopes {
			c.Secrets = append(c.Secrets, client.Secret{
				ID: fmt.Sprint("s", n), Label: "l", Hint: "abcd", Digest: []byte{0, 1, byte(n)}, DigestKey: int32(n), CreatedAt: e.Now, ExpiresAt: e.Now.Add(time.Hour),
			})
		}
		if len(scopes) > 1 {
			c.Secrets[0].Sealed = []byte{255, 0}
		}
		d := *c
		d.ApplicationID, d.Secrets = other, slices.Clone(c.Secrets)
		many, single = append(many, c), append(single, &d)
	}
	add("1", "One", "", "read", "write")
	add("2", "Two", "", "read", "nowhere", "READ", "openid") // refused for two scopes
	add("3", "TWO", "", "openid")                            // so the name is free
	add("4", "Two", "")
	add("4", "Two", "2")
	add("4", "Two", "2") // of the same id: that is what is wrong with it
	add("5", "two", "2") // of the same name
	add("1", "Four", "")
	add("6", "Four", "")
	add("7", "Straße", "", "write", "write")
	add("8", "STRASSE", "", "nowhere") // the name goes before the scope
	events := make([]audit.Event, len(many))
	for i := range events {
		events[i] = e.event("client.create")
	}
	refused, err := clients.CreateMany(ctx, many, events, false)
	e.must(err)
	for i, c := range single {
		err := clients.Create(ctx, c, client.NameAndVersion, e.event("client.create"))
		if got, want := fmt.Sprint(refused[i]), fmt.Sprint(err); got != want || fault.KindOf(refused[i]) != fault.KindOf(err) {
			e.Errorf("client %d: %s, alone: %s", i, got, want)
		}
		if err != nil {
			continue
		}
		kept, err := clients.Get(ctx, appID, c.ID)
		e.must(err)
		alone, err := clients.Get(ctx, other, c.ID)
		e.must(err)
		e.same(kept, many[i])
		kept.ApplicationID, kept.Sequence = alone.ApplicationID, alone.Sequence
		e.same(kept, alone)
		for _, id := range []string{appID, other} {
			found, err := clients.HasOrigin(ctx, id, "https://"+c.ID+".example")
			e.must(err)
			if !found {
				e.Errorf("%s: the origin of client %s is not there", id, c.ID)
			}
		}
	}
	e.wants(fault.Conflict, e.deleteScope("write"))
}

// testImportContended imports the same clients several times at once: each is
// made once, also where it is the ids alone that they have in common.
func testImportContended(e *Env) {
	e.importContended(func(*client.Client, int, int) {})
	e.importContended(func(c *client.Client, i, n int) {
		c.ID, c.Name = fmt.Sprint("id", i), fmt.Sprintf("Client %d of %d", i, n)
	})
}

func (e *Env) importContended(alter func(c *client.Client, i, n int)) {
	e.Helper()
	const times, size = 6, 20
	var wait sync.WaitGroup
	var mu sync.Mutex
	made, conflicts := 0, 0
	for n := range times {
		wait.Go(func() {
			list, events := make([]*client.Client, size), make([]audit.Event, size)
			for k := range list {
				i := (k*7 + n) % size // in another order each time
				list[k], events[k] = e.client(fmt.Sprintf("Client %d", i)), e.event("client.create")
				alter(list[k], i, n)
			}
			refused, err := e.DB.Clients().CreateMany(e.Context(), list, events, false)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				e.Errorf("import: %v", err)
				return
			}
			for _, err := range refused {
				if err == nil {
					made++
				} else if fault.KindOf(err) == fault.Conflict {
					conflicts++
				}
			}
		})
	}
	wait.Wait()
	if made != size || conflicts != (times-1)*size {
		e.Fatalf("%d made, %d in conflict", made, conflicts)
	}
}
