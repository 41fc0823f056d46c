package storetest

import (
	"fmt"
	"slices"
	"sync"

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
	found, err := clients.Named(ctx, appID, "tWO", "")
	e.must(err)
	if found.ID != made[2].ID {
		e.Fatalf("found %s", found.ID)
	}
	for _, nobody := range [][2]string{{"Two", "1"}, {"Three", ""}, {"a\x00b", ""}} {
		_, err = clients.Named(ctx, appID, nobody[0], nobody[1])
		e.wants(fault.NotFound, err)
	}
}

// testExisting asks which of some ids are taken: lines of an import may bring
// none at all.
func testExisting(e *Env) {
	there := e.created("There")
	for _, ids := range [][]string{nil, {}, {"a\x00b"}, {"nobody"}, {"nobody", there.ID}} {
		found, err := e.DB.Clients().Existing(e.Context(), appID, ids)
		e.must(err)
		if want := slices.Contains(ids, there.ID); len(found) > 1 || slices.Contains(found, there.ID) != want {
			e.Fatalf("of %q: found %q", ids, found)
		}
	}
}

// testImportContended imports the same clients several times at once: each is
// made once.
func testImportContended(e *Env) {
	const times, size = 6, 20
	var wait sync.WaitGroup
	var mu sync.Mutex
	made, conflicts := 0, 0
	for n := range times {
		wait.Go(func() {
			list, events := make([]*client.Client, size), make([]audit.Event, size)
			for i := range list {
				// In another order each time.
				list[i], events[i] = e.client(fmt.Sprintf("Client %d", (i*7+n)%size)), e.event("client.create")
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
