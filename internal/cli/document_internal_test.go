package cli

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client"
)

// TestFieldsAreThoseOfTheAPI holds the tables of fields to the document of the
// API: each property that can be written is in them, and its words.
func TestFieldsAreThoseOfTheAPI(t *testing.T) {
	text, err := os.ReadFile("../../apiclient/openapi-3.0.json")
	if err != nil {
		t.Fatal(err)
	}
	type property struct {
		ReadOnly bool  `json:"readOnly"`
		Enum     []any `json:"enum"`
	}
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]property `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]*noun{
		"ClientFields": &clients, "ScopeFields": &scopes, "ResourceFields": &resources, "ApplicationPatch": &applications,
	} {
		properties := document.Components.Schemas[name].Properties
		if len(properties) == 0 {
			t.Errorf("the document has no %s", name)
		}
		for field, p := range properties {
			if p.ReadOnly || field == "branding" { // which only a file says
				continue
			}
			i := slices.IndexFunc(n.fields, func(f client.Field) bool { return f.Name == field })
			if i < 0 {
				t.Errorf("%s: the field %s is no flag", name, field)
				continue
			}
			for _, word := range p.Enum {
				if text, ok := word.(string); ok && !slices.Contains(n.fields[i].Values, text) {
					t.Errorf("%s: %s may be %s, which is not told", name, field, text)
				}
			}
		}
	}
}
