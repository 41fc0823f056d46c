package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/client"
)

// clientFields describes a client from the table of its fields, as it is
// answered, and gives the schema of what is written.
func (b *builder) clientFields() *huma.Schema {
	read := schemaOf[client.View](b)
	registry := b.huma.OpenAPI().Components.Schemas
	view := registry.SchemaFromRef(read.Ref)
	view.Properties["rate_limit"] = orNullSchema(view.Properties["rate_limit"])
	body := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for _, f := range client.FieldTable() {
		s := view.Properties[f.Name]
		s.Description = f.Doc
		for _, word := range f.Values {
			target := s
			if s.Items != nil {
				target = s.Items
			}
			target.Enum = append(target.Enum, word)
		}
		body.Properties[f.Name] = writtenField(&f, s)
	}
	registry.Map()["ClientFields"] = body
	return &huma.Schema{Ref: "#/components/schemas/ClientFields"}
}

// writtenField is a field as it is written: null is the default.
func writtenField(f *client.Field, read *huma.Schema) *huma.Schema {
	if f.ReadOnly {
		write := *read
		write.ReadOnly = true
		return &write
	}
	write := *read
	write.WriteOnly = f.WriteOnly
	if f.Default != "" && f.Default != "null" {
		write.Default = json.RawMessage(f.Default)
	}
	switch {
	case f.Name == "allowed_ips":
		array := &huma.Schema{Type: huma.TypeArray, Items: read.Items}
		return &huma.Schema{Description: f.Doc, OneOf: []*huma.Schema{array, {Type: huma.TypeString}, {Type: "null"}}}
	case len(write.OneOf) > 0:
		if f.Name != "rate_limit" {
			write.OneOf = append(append([]*huma.Schema{}, write.OneOf...), &huma.Schema{Type: "null"})
		}
	default:
		write.Nullable = true
		if write.Enum != nil {
			write.Enum = append(append([]any{}, write.Enum...), nil)
		}
	}
	return &write
}

// orNullSchema is a schema, or null.
func orNullSchema(s *huma.Schema) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{s, {Type: "null"}}}
}
