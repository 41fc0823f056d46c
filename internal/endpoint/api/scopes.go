package api

import (
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
)

type recordPage struct {
	InApplication
	Paging
}

// InScope is the path of one scope.
type InScope struct {
	InApplication
	Name string `path:"name" doc:"The name of the scope, percent-encoded."`
}

type writeScope struct {
	InScope
	IfMatch
}

var writesRecord = []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}

func (a *api) scopes(b *builder) {
	const all, one = "/applications/{app}/scopes", "/applications/{app}/scopes/{name}"
	fields := writable[scope.Fields](b, "ScopeFields", map[string]string{
		"name":          "Up to 128 printable ASCII characters without space, quotation mark and backslash; unique without regard to case; fixed.",
		"description":   "Up to 2,000 characters.",
		"kind":          "Whom it is for: user, system, or any of these two. openid is that of the built-in ones.",
		"required_role": "The role that a user must have to be given it. It is kept and shown; there are no users yet.",
		"url_patterns":  "The paths that it opens, for gateways. It is kept and shown; there is no gateway check yet.",
	})
	handle(b, operation{
		method: http.MethodGet, path: all, id: "list-scopes", tag: "scopes", need: admin.Read,
		summary: "List scopes by name, the built-in ones too",
	}, a.listScopes)
	handle(b, operation{
		method: http.MethodPost, path: all, id: "create-scope", tag: "scopes", need: admin.EditScopes,
		summary: "Make a scope", status: http.StatusCreated, body: fields, refuses: []int{http.StatusConflict},
	}, a.createScope)
	handle(b, operation{
		method: http.MethodGet, path: one, id: "get-scope", tag: "scopes", need: admin.Read,
		summary: "Show a scope", refuses: []int{http.StatusNotFound},
	}, a.getScope)
	handle(b, operation{
		method: http.MethodPatch, path: one, id: "edit-scope", tag: "scopes", need: admin.EditScopes,
		summary: "Change a scope", body: fields, refuses: writesRecord,
	}, a.editScope)
	handle(b, operation{
		method: http.MethodDelete, path: one, id: "delete-scope", tag: "scopes", need: admin.EditScopes,
		summary: "Delete a scope that no client is allowed and no live token carries", status: http.StatusNoContent, refuses: writesRecord,
	}, a.deleteScope)
}

// writable describes the fields of a record, and gives the schema of them as
// they are written: none is required, and null is the default.
func writable[T any](b *builder, name string, docs map[string]string) *huma.Schema {
	read := schemaOf[T](b)
	registry := b.huma.OpenAPI().Components.Schemas
	body := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for field, s := range registry.SchemaFromRef(read.Ref).Properties {
		s.Description = docs[field]
		write := *s
		write.Nullable = true
		body.Properties[field] = &write
	}
	registry.Map()[name] = body
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

func (a *api) listScopes(c *call, in *recordPage) (*plainly[list[scope.Fields]], error) {
	after, err := in.place()
	if err != nil {
		return nil, err
	}
	found, next, err := a.Scopes.List(c.Context(), c.app.ID, after, in.Limit)
	if err != nil {
		return nil, err
	}
	items := make([]scope.Fields, len(found))
	for i, s := range found {
		items[i] = s.Fields()
	}
	return page(items, next), nil
}

func (a *api) createScope(c *call, _ *InApplication) (*made[scope.Fields], error) {
	document, err := c.document()
	if err != nil {
		return nil, err
	}
	var fields scope.Fields
	if err := fields.Patch(document); err != nil {
		return nil, err
	}
	s, err := a.Scopes.Create(c.Context(), c.source(), c.app.ID, fields)
	if err != nil {
		return nil, err
	}
	return &made[scope.Fields]{etag(s.Revision), base + "/applications/" + c.app.ID + "/scopes/" + url.PathEscape(s.Name), s.Fields()}, nil
}

func (a *api) getScope(c *call, in *InScope) (*tagged[scope.Fields], error) {
	s, err := a.Scopes.Get(c.Context(), c.app.ID, in.Name)
	if err != nil {
		return nil, err
	}
	return &tagged[scope.Fields]{etag(s.Revision), s.Fields()}, nil
}

func (a *api) editScope(c *call, in *writeScope) (*tagged[scope.Fields], error) {
	revision, patch, err := c.patch(&in.IfMatch)
	if err != nil {
		return nil, err
	}
	if _, err := a.Scopes.Get(c.Context(), c.app.ID, in.Name); err != nil {
		return nil, err
	}
	s, err := a.Scopes.Patch(c.Context(), c.source(), c.app.ID, in.Name, patch, revision)
	if err != nil {
		return nil, err
	}
	return &tagged[scope.Fields]{etag(s.Revision), s.Fields()}, nil
}

// patch reads what every PATCH has.
func (c *call) patch(m *IfMatch) (*int64, []byte, error) {
	revision, err := m.revision()
	if err != nil {
		return nil, nil, err
	}
	document, err := c.document()
	return revision, document, err
}

func (a *api) deleteScope(c *call, in *writeScope) (*nothing, error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	if _, err := a.Scopes.Get(c.Context(), c.app.ID, in.Name); err != nil {
		return nil, err
	}
	return &nothing{}, a.Scopes.Delete(c.Context(), c.source(), c.app.ID, in.Name, revision)
}

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
	const all, one = "/applications/{app}/resources", "/applications/{app}/resources/{identifier}"
	fields := writable[resource.Fields](b, "ResourceFields", map[string]string{ //nolint:gosec // prose (G101)
		"identifier":            "The URI of the API, as its clients name it (RFC 8707); fixed.",
		"name":                  "Up to 255 characters.",
		"scopes":                "The scopes that a token for it may carry; none: any.",
		"introspecting_clients": "The clients that may introspect tokens for it.",
		"access_token_format":   "jwt or opaque; left to the clients where it is empty or null.",
	})
	handle(b, operation{
		method: http.MethodGet, path: all, id: "list-resources", tag: "resources", need: admin.Read,
		summary: "List resources by identifier",
	}, a.listResources)
	handle(b, operation{
		method: http.MethodPost, path: all, id: "create-resource", tag: "resources", need: admin.EditScopes,
		summary: "Make a resource", status: http.StatusCreated, body: fields, refuses: []int{http.StatusConflict},
	}, a.createResource)
	handle(b, operation{
		method: http.MethodGet, path: one, id: "get-resource", tag: "resources", need: admin.Read,
		summary: "Show a resource", refuses: []int{http.StatusNotFound},
	}, a.getResource)
	handle(b, operation{
		method: http.MethodPatch, path: one, id: "edit-resource", tag: "resources", need: admin.EditScopes,
		summary: "Change a resource", body: fields, refuses: writesRecord,
	}, a.editResource)
	handle(b, operation{
		method: http.MethodDelete, path: one, id: "delete-resource", tag: "resources", need: admin.EditScopes,
		summary: "Delete a resource; tokens for it that are out live on", status: http.StatusNoContent, refuses: writesRecord,
	}, a.deleteResource)
}

func (a *api) listResources(c *call, in *recordPage) (*plainly[list[resource.Fields]], error) {
	after, err := in.place()
	if err != nil {
		return nil, err
	}
	found, next, err := a.Resources.List(c.Context(), c.app.ID, after, in.Limit)
	if err != nil {
		return nil, err
	}
	items := make([]resource.Fields, len(found))
	for i, r := range found {
		items[i] = r.Fields()
	}
	return page(items, next), nil
}

func (a *api) createResource(c *call, _ *InApplication) (*made[resource.Fields], error) {
	document, err := c.document()
	if err != nil {
		return nil, err
	}
	var fields resource.Fields
	if err := fields.Patch(document); err != nil {
		return nil, err
	}
	r, err := a.Resources.Create(c.Context(), c.source(), c.app.ID, fields)
	if err != nil {
		return nil, err
	}
	return &made[resource.Fields]{etag(r.Revision), base + "/applications/" + c.app.ID + "/resources/" + url.PathEscape(r.Identifier), r.Fields()}, nil
}

func (a *api) getResource(c *call, in *InResource) (*tagged[resource.Fields], error) {
	r, err := a.resource(c, in.Identifier)
	if err != nil {
		return nil, err
	}
	return &tagged[resource.Fields]{etag(r.Revision), r.Fields()}, nil
}

func (a *api) resource(c *call, identifier string) (*resource.Resource, error) {
	if !resource.ValidIdentifier(identifier) {
		return nil, errNoResource
	}
	return a.Resources.Get(c.Context(), c.app.ID, identifier)
}

var errNoResource = problem(http.StatusNotFound, "There is no such resource.")

func (a *api) editResource(c *call, in *writeResource) (*tagged[resource.Fields], error) {
	revision, patch, err := c.patch(&in.IfMatch)
	if err != nil {
		return nil, err
	}
	if _, err := a.resource(c, in.Identifier); err != nil {
		return nil, err
	}
	r, err := a.Resources.Patch(c.Context(), c.source(), c.app.ID, in.Identifier, patch, revision)
	if err != nil {
		return nil, err
	}
	return &tagged[resource.Fields]{etag(r.Revision), r.Fields()}, nil
}

func (a *api) deleteResource(c *call, in *writeResource) (*nothing, error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	if _, err := a.resource(c, in.Identifier); err != nil {
		return nil, err
	}
	return &nothing{}, a.Resources.Delete(c.Context(), c.source(), c.app.ID, in.Identifier, revision)
}
