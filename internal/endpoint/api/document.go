package api

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
)

const description = `Applications, API clients, scopes, resources, users, consents, tokens, keys and audit events.

Callers: HTTP Basic of a client with the feature owner in the application, or a bearer token of that application with the
scope ostiary:admin, or the cookie of a session in the console, with the administrator's role; writes are then taken from
pages of this host only. An application that is not there, and credentials of another one, are both 401.

Errors are problem documents (RFC 9457) with the place of each value that was refused. Lists are pages: send next_cursor
back as cursor until it is null. A record has an entity tag; a write that sends it as If-Match is refused (412) where the
record was changed in between. null, or a field that is left out, always means the default.`

// newDocument begins the OpenAPI document.
func newDocument() *huma.OpenAPI {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[client.Lifetime](), reflect.TypeFor[lifetimeSchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[client.Limit](), reflect.TypeFor[limitSchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[token.Left](), reflect.TypeFor[leftSchema]())
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "Ostiary management API", Version: "1", Description: description},
		Servers: []*huma.Server{{URL: "/"}},
		Tags: []*huma.Tag{
			{Name: "applications", Description: "The boundaries around clients, scopes and tokens, and their settings."},
			{Name: "clients", Description: "API clients and their secrets."},
			{Name: "scopes", Description: "What a client may be allowed and a token may carry."},
			{Name: "resources", Description: "The APIs that tokens are for."},
			{Name: "users", Description: "The people who sign in."},
			{Name: "consents", Description: "What users granted to clients."},
			{Name: "tokens", Description: "Token families: one authorization, and all that was issued from it."},
			{Name: "keys", Description: "The keys that tokens are signed with."},
			{Name: "audit", Description: "Who changed what, when and from where."},
		},
		Components: &huma.Components{
			Schemas: registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"basic":  {Type: "http", Scheme: "basic", Description: "A client with the feature owner, and its secret."},
				"bearer": {Type: "http", Scheme: "bearer", Description: "An access token with the scope ostiary:admin."},
				"session": {
					Type: "apiKey", In: "cookie", Name: "__Host-ostiary-console",
					Description: "A session of the console, for pages of this host; where the console is not under https the name has no prefix. The administrator's role in the application says what may be done.",
				},
			},
		},
	}
}

// names of the schemas, where the Go type's own would not do.
var names = map[reflect.Type]string{
	reflect.TypeFor[application.View]():         "Application",
	reflect.TypeFor[application.BrandingView](): "Branding",
	reflect.TypeFor[madeApplication]():          "NewApplication",
	reflect.TypeFor[client.View]():              "Client",
	reflect.TypeFor[client.SecretView]():        "Secret",
	reflect.TypeFor[client.RateLimit]():         "RateLimit",
	reflect.TypeFor[scope.Fields]():             "Scope",
	reflect.TypeFor[resource.Fields]():          "Resource",
	reflect.TypeFor[token.View]():               "TokenFamily",
	reflect.TypeFor[user.View]():                "User",
	reflect.TypeFor[audit.View]():               "AuditEvent",
}

// lists are the schemas of pages.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := names[t]; ok {
		return name
	}
	if t.Kind() == reflect.Struct && t.NumField() == 2 && t.Field(0).Name == "Items" && t.Field(1).Name == "NextCursor" {
		return schemaName(t.Field(0).Type.Elem(), hint) + "List"
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// lifetimeSchema and limitSchema stand in for types of the core that are a
// number or a word.
type (
	lifetimeSchema struct{}
	limitSchema    struct{}
	leftSchema     struct{}
)

// Schema implements huma.SchemaProvider.
func (lifetimeSchema) Schema(huma.Registry) *huma.Schema { return numberOr("never", 1) }

// Schema implements huma.SchemaProvider.
func (limitSchema) Schema(huma.Registry) *huma.Schema { return numberOr("unlimited", 0) }

// Schema implements huma.SchemaProvider.
func (leftSchema) Schema(huma.Registry) *huma.Schema {
	s := numberOr("unlimited", 0)
	s.OneOf = append(s.OneOf, &huma.Schema{Type: "null"})
	return s
}

func numberOr(word string, least float64) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeInteger, Format: "int64", Minimum: &least},
		{Type: huma.TypeString, Enum: []any{word}},
	}}
}

// schema gives the schema of a type as a reference to the one component.
func schemaOf[T any](b *builder) *huma.Schema {
	return b.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// everyRefusal is what any operation may answer.
var everyRefusal = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests,
	http.StatusInternalServerError, http.StatusServiceUnavailable,
}

// responses declares the refusals; huma adds the success.
func (b *builder) responses(op *operation) map[string]*huma.Response {
	codes := append([]int{}, everyRefusal...)
	codes = append(codes, http.StatusRequestHeaderFieldsTooLarge)
	codes = append(codes, op.refuses...)
	if op.method != http.MethodGet && op.method != http.MethodDelete {
		codes = append(codes, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	}
	out := map[string]*huma.Response{}
	for _, code := range codes {
		r := &huma.Response{
			Description: http.StatusText(code),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schemaOf[Problem](b)}},
		}
		switch code {
		case http.StatusUnauthorized:
			r.Headers = textHeader("WWW-Authenticate")
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			r.Headers = textHeader("Retry-After")
		}
		out[strconv.Itoa(code)] = r
	}
	return out
}

func textHeader(name string) map[string]*huma.Param {
	return map[string]*huma.Param{name: {Schema: &huma.Schema{Type: huma.TypeString}}}
}

// describeBody adds the body to an operation that is declared already: huma
// would want to read it.
func (b *builder) describeBody(op *operation) {
	if op.body == nil {
		return
	}
	contentType := "application/json"
	if op.method == http.MethodPatch {
		contentType = "application/merge-patch+json"
	}
	item := b.huma.OpenAPI().Paths[base+op.path]
	for _, declared := range []*huma.Operation{item.Post, item.Put, item.Patch} {
		if declared != nil && declared.OperationID == op.id {
			declared.RequestBody = &huma.RequestBody{Required: !op.loose, Content: map[string]*huma.MediaType{contentType: {Schema: op.body}}}
		}
	}
}

// finish mends what huma says of every type: a list is never null in an answer
// (where it is written, null is the default),
// what is JSON is an object, and its own errors are never written.
func (b *builder) finish() {
	schemas := b.huma.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	for name, s := range schemas {
		if !strings.HasSuffix(name, "Fields") {
			denull(s)
		}
	}
	for _, p := range []*huma.Schema{schemas["AuditEvent"].Properties["before"], schemas["AuditEvent"].Properties["after"]} {
		p.Type, p.Nullable, p.AdditionalProperties = huma.TypeObject, true, true
	}
	jwk := schemas["Key"].Properties["jwk"]
	jwk.Type, jwk.AdditionalProperties = huma.TypeObject, true
}

func denull(s *huma.Schema) {
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	for _, p := range s.Properties {
		denull(p)
	}
	if s.Items != nil {
		denull(s.Items)
	}
}
