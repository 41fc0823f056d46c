package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/core/client"
)

var clients = noun{
	name: "client", short: "API clients, and their secrets",
	key: "id", created: "name", title: "name",
	fields:  client.FieldTable(),
	columns: []string{"id", "name", "version", "kind", "type", "active", "grant_types", "last_used_at"},
	filters: []filter{
		{name: "q", usage: "only those with this `text` in name, id or description; one or two characters: that the name begins with"},
		{name: "kind", usage: "only those of this `kind`", values: []string{"web", "spa", "native", "service", "other"}},
		{name: "type", usage: "only those of this `type`", values: []string{client.Confidential, client.PublicType}},
		{name: "feature", usage: "only those with this `feature`"},
		{name: "tag", usage: "only those with this `tag`"},
		{name: "active", usage: "only those that are active; --active=false: only those that are not", truth: true},
		{name: "unused-since", usage: "only those that were not used since this `time`, or for this long: 90d", moment: true},
	},
	calls: calls{
		list:   listing((*apiclient.API).ListClients),
		create: creating((*apiclient.API).CreateClientWithBody),
		get:    getting((*apiclient.API).GetClient),
		edit:   editing((*apiclient.API).EditClientWithBody),
		remove: removing((*apiclient.API).DeleteClient),
	},
	danger: func(r *record) string { return secretsOf(r) + "all its tokens die with it, at once and for good." },
	example: `  ostiary client create Billing --kind service --scopes orders.read
  ostiary client create Shop --kind web --redirect-uris https://shop.example.com/callback
  ostiary client create App --kind native --redirect-uris com.example.app:/callback --access-token-lifetime 600`,
}

// secretsOf begins a sentence about what dies with a client.
func secretsOf(r *record) string {
	switch items, err := r.items("secrets"); {
	case err != nil || len(items) == 0:
		return "" // it is public
	case len(items) == 1:
		return "Its secret and "
	default:
		return fmt.Sprintf("Its %d secrets and ", len(items))
	}
}

func clientCommand() *cobra.Command {
	return clients.command(
		clients.activationCommand("activate", "Let a client be used again; nothing that it was given before is alive", ""),
		clients.activationCommand("deactivate", "Stop a client; all that it was given dies at once, for good",
			"All its codes and tokens die at once; activating it again revives none."),
		secretCommand(), importCommand(), exportCommand(),
	)
}
