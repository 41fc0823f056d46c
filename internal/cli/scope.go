package cli

import (
	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/core/client"
)

var scopes = noun{
	name: "scope", short: "Scopes: what a client may be allowed and a token may carry",
	key: "name", created: "name", title: "name",
	fields: []client.Field{
		{Name: "name", Type: aString, Doc: "1 to 128 printable characters without spaces, quotation marks and backslashes.", Required: true, Fixed: true},
		{Name: "description", Type: aString, Doc: "What a token with it permits; up to 2,000 characters.", Default: `""`},
		{Name: "kind", Type: aString, Doc: "system: for client_credentials; user: for the grants of users; any: for both.", Values: []string{"user", "system", "any"}, Default: `"any"`},
		{Name: "required_role", Type: aString, Doc: "The role that a user must have to be given it.", Default: `""`},
		{Name: "url_patterns", Type: anArray, Doc: "The paths or URLs that it stands for.", Default: "[]"},
	},
	columns: []string{"name", "kind", "required_role", "description"},
	calls: calls{
		list:   listing((*apiclient.API).ListScopes),
		create: creating((*apiclient.API).CreateScopeWithBody),
		get:    getting((*apiclient.API).GetScope),
		edit:   editing((*apiclient.API).EditScopeWithBody),
		remove: removing((*apiclient.API).DeleteScope),
	},
	danger:  func(*record) string { return "It is refused while a client is allowed it or a live token carries it." },
	example: `  ostiary scope create orders.read --kind system --description "Read orders"`,
}

func scopeCommand() *cobra.Command { return scopes.command() }
