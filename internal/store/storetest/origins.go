package storetest

import (
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
)

func testClientOrigins(e *Env) {
	ctx, clients := e.Context(), e.DB.Clients()
	wants := func(want ...bool) {
		e.Helper()
		for i, origin := range []string{"https://one.example", "https://two.example", "capacitor://localhost"} {
			got, err := clients.HasOrigin(ctx, appID, origin)
			e.must(err)
			if got != want[i] {
				e.Errorf("%s: %v", origin, got)
			}
		}
	}
	wants(false, false, false)
	first := e.client("first")
	first.Settings.Redirect.URIs = []string{"https://one.example/cb", "https://one.example/other", "com.example.app:/cb"}
	e.must(clients.Create(ctx, first, client.NameAndVersion, e.event("client.create")))
	second := e.client("second")
	second.Settings.Redirect.URIs = []string{"https://one.example:443/"}
	second.Settings.Redirect.Origins = []string{"capacitor://localhost"}
	refused, err := clients.CreateMany(ctx, []*client.Client{second}, []audit.Event{e.event("client.create")}, false)
	e.must(err)
	e.must(refused[0])
	wants(true, false, true)
	found, err := clients.HasOrigin(ctx, "other", "https://one.example")
	e.must(err)
	if found {
		e.Error("an application knows an origin of another")
	}
	_, err = clients.Change(ctx, appID, second.ID, client.NameAndVersion, func(c *client.Client) (audit.Event, error) {
		c.Settings.Redirect.URIs, c.Settings.Redirect.Origins = []string{"https://two.example/"}, nil
		return e.event("client.update"), nil
	})
	e.must(err)
	wants(true, true, false)
	for _, c := range []*client.Client{first, second} {
		e.must(clients.Delete(ctx, appID, c.ID, func(*client.Client) (audit.Event, error) { return e.event("client.delete"), nil }))
	}
	wants(false, false, false)
}
