package cli

import (
	"context"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/core/client"
)

// Types of fields, as in the table of a client's.
const (
	aString  = "a string"
	aNumber  = "a whole number"
	aBoolean = "true or false"
	anArray  = "an array of strings"
)

// applications are created with a name, id and preset; their settings are
// changed afterwards.
var applications = noun{
	name: "application", short: "Applications: the boundaries around clients, scopes and tokens", global: true,
	key: "id", created: "name", title: "name",
	fields:  applicationFields,
	first:   []string{"id", "preset"},
	columns: []string{"id", "name", "security_profile", "scope_policy", "secret_policy", "issuer"},
	calls: calls{
		list: func(ctx context.Context, api *apiclient.API, _ string, with ...editor) (*http.Response, error) {
			return api.ListApplications(ctx, nil, with...)
		},
		create: func(ctx context.Context, api *apiclient.API, _ string, document io.Reader, with ...editor) (*http.Response, error) {
			return api.CreateApplicationWithBody(ctx, plainJSON, document, with...)
		},
		get: func(ctx context.Context, api *apiclient.API, _, id string, with ...editor) (*http.Response, error) {
			return api.GetApplication(ctx, id, with...)
		},
		edit: func(ctx context.Context, api *apiclient.API, _, id string, document io.Reader, with ...editor) (*http.Response, error) {
			return api.EditApplicationWithBody(ctx, id, nil, mergePatch, document, with...)
		},
		remove: func(ctx context.Context, api *apiclient.API, _, id string, with ...editor) (*http.Response, error) {
			return api.DeleteApplication(ctx, id, nil, with...)
		},
	},
	danger: func(*record) string {
		return "Its clients, scopes, resources, keys and tokens die with it, at once and for good."
	},
	example: `  ostiary application create Shop --id shop --preset appdirect`,
}

// applicationFields: id and preset are of the creation only.
var applicationFields = []client.Field{
	{Name: "id", Type: aString, Doc: "The id, a part of every URL of the application: 3 to 40 characters of a-z, 0-9 and -.", Derived: "made, 26 characters", Fixed: true},
	{Name: "preset", Type: aString, Doc: "Settings as those expect who come from another product: akamai, appdirect or webmethods.", Values: []string{"akamai", "appdirect", "webmethods"}, Default: "null", Fixed: true},
	{Name: "name", Type: aString, Doc: "1 to 255 characters.", Required: true},
	{Name: "security_profile", Type: aString, Doc: "oauth2.1, or oauth2: then the grants password and implicit may be allowed.", Values: []string{"oauth2.1", "oauth2"}},
	{Name: "scope_policy", Type: aString, Doc: "enforced: a request must name its scopes; optional: a client may be let off that.", Values: []string{"enforced", "optional"}},
	{Name: "secret_policy", Type: aString, Doc: "once: a secret is shown when it is made and never again; revealable: it can be seen again.", Values: []string{"once", "revealable"}},
	{Name: "signing_algorithm", Type: aString, Doc: "What tokens are signed with: ES256, RS256 or EdDSA.", Values: []string{"ES256", "RS256", "EdDSA"}},
	{Name: "refresh_retry_window", Type: aNumber, Doc: "Seconds in which a refresh whose answer was lost may be repeated, 0 to 3,600."},
	{Name: "code_lifetime", Type: aNumber, Doc: "Seconds that an authorization code lives, 1 to 600."},
	{Name: "session_lifetime", Type: aNumber, Doc: "Seconds that a user stays signed in, 1 to 31,536,000."},
	{Name: "registration", Type: aBoolean, Doc: "Whether users may register."},
	{Name: "capture_api", Type: aBoolean, Doc: "Whether the user-record API is served."},
	{Name: "legacy_paths", Type: aBoolean, Doc: "Whether the default application is served at the paths of other products too."},
	{Name: "legacy_token_query", Type: aBoolean, Doc: "Whether tokens are taken from query strings."},
	{Name: "claims_in_id_token", Type: aBoolean, Doc: "Whether the claims of the granted scopes stand in the id_token."},
	{Name: "vendor_name", Type: aString, Doc: "The name that the texts of the Configuration API bear."},
}

func applicationCommand() *cobra.Command { return applications.command() }
