package api

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/resource"
)

// InResource is the path of one resource.
type InResource struct {
	InApplication
	Identifier string `path:"identifier" doc:"The identifier of the resource, percent-encoded."`
}

type writeResource struct {
	InResource
	IfMatch
}

func (a *api) resources(b *builder) {
	declare[InResource, writeResource](b, &records[resource.Resource, resource.Fields, resource.Fields]{
		noun: "resource", plural: "resources", parameter: "identifier", need: admin.EditScopes,
		body: writable[resource.Fields](b, "ResourceFields", map[string]string{ //nolint:gosec // prose (G101)
			"identifier":            "The URI of the API, as its clients name it (RFC 8707); fixed.",
			"name":                  "Up to 255 characters.",
			"scopes":                "The scopes that a token for it may carry; none: any.",
			"introspecting_clients": "The clients that may introspect tokens for it.",
			"access_token_format":   "jwt or opaque; left to the clients where it is empty or null.",
		}),
		summaries: summaries{
			list:   "List resources by identifier",
			create: "Make a resource",
			get:    "Show a resource",
			edit:   "Change a resource",
			remove: "Delete a resource; tokens for it that are out live on",
		},
		core: func(*call) editor[resource.Resource, resource.Fields] { return a.Resources },
		all: func(ctx context.Context, applicationID, after string, limit int) ([]*resource.Resource, string, error) {
			return a.Resources.List(ctx, applicationID, after, limit)
		},
		read: (*resource.Fields).Patch,
		show: func(r *resource.Resource) (string, int64, resource.Fields) {
			return r.Identifier, r.Revision, r.Fields()
		},
	})
}
