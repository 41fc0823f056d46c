package cli

import (
	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/core/client"
)

var resources = noun{
	name: "resource", short: "Resources: the APIs that tokens are for",
	key: "identifier", created: "identifier", title: "name",
	fields: []client.Field{
		{Name: "identifier", Type: aString, Doc: "The URI of the API, as clients name it in the parameter resource.", Required: true, Fixed: true},
		{Name: "name", Type: aString, Doc: "Up to 255 characters.", Default: `""`},
		{Name: "scopes", Type: anArray, Doc: "The scopes that a token for it may carry; none: any.", Default: "[]"},
		{Name: "introspecting_clients", Type: anArray, Doc: "The ids of the clients that may introspect tokens for it.", Default: "[]"},
		{Name: "access_token_format", Type: aString, Doc: "jwt or opaque, whatever the client's format is.", Values: []string{"jwt", "opaque"}, Derived: "that of each client"},
	},
	columns: []string{"identifier", "name", "scopes", "introspecting_clients", "access_token_format"},
	calls: calls{
		list:   listing((*apiclient.API).ListResources),
		create: creating((*apiclient.API).CreateResourceWithBody),
		get:    getting((*apiclient.API).GetResource),
		edit:   editing((*apiclient.API).EditResourceWithBody),
		remove: removing((*apiclient.API).DeleteResource),
	},
	danger:  func(*record) string { return "No token can be asked for it any more; those that are out live on." },
	example: `  ostiary resource create https://api.example.com/orders --name Orders --scopes orders.read,orders.write`,
}

func resourceCommand() *cobra.Command { return resources.command() }
