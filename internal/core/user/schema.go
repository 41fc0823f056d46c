package user

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Type is what an attribute holds.
type Type string

// The types.
const (
	String   Type = "string"
	Integer  Type = "integer"  // of 64 bits
	Decimal  Type = "decimal"  //
	Boolean  Type = "boolean"  //
	Date     Type = "date"     // 2006-01-02
	DateTime Type = "dateTime" // kept as RFC 3339, UTC, to the microsecond
	Object   Type = "object"   // of the attributes in AttrDefs
	Plural   Type = "plural"   // a list of objects of the attributes in AttrDefs
	JSON     Type = "json"     // anything
)

// Definition is one attribute of a Schema.
type Definition struct {
	Name     string       `json:"name"`
	Type     Type         `json:"type"`
	Length   int          `json:"length,omitempty"` // of a string, in characters; 0: only the record's own bound
	AttrDefs []Definition `json:"attr_defs,omitempty"`
}

// Schema says which attributes users have. It is data, in the form in which the
// user-record API shows it, so that an application can have its own.
type Schema []Definition

// Bounds of a record.
const (
	MaxAttributes = 64 << 10 // bytes of all attributes together, as JSON
	maxElements   = 1000     // of a plural, and of a list in a json attribute
	maxDepth      = 20       // of what a json attribute holds
	maxProblems   = 50       // that one document is answered with
)

//go:embed schema.json
var defaultSchema []byte

// DefaultSchema is the one that every application begins with.
var DefaultSchema = sync.OnceValue(func() Schema {
	schema, err := ParseSchema(defaultSchema)
	if err != nil {
		panic(err) // a defect of this package, that its tests find
	}
	return schema
})

// ParseSchema reads a schema.
func ParseSchema(document []byte) (Schema, error) {
	var schema Schema
	if err := json.Unmarshal(document, &schema); err != nil {
		return nil, fmt.Errorf("read the schema of users: %w", err)
	}
	return schema, check(schema, 0)
}

func check(definitions []Definition, depth int) error {
	seen := map[string]bool{}
	for i := range definitions {
		d := &definitions[i]
		_, known := readers[d.Type]
		container := d.Type == Object || d.Type == Plural
		switch {
		case d.Name == "" || strings.ContainsAny(d.Name, ".[]#\x00") || seen[d.Name]:
			return fmt.Errorf("the schema of users has an attribute that is named twice, or %q", d.Name)
		case !known && !container:
			return fmt.Errorf("the attribute %s is of an unknown type", d.Name)
		case container == (len(d.AttrDefs) == 0) || depth == maxDepth:
			return fmt.Errorf("the attribute %s of type %s must not have the attributes that it has, or has none", d.Name, d.Type)
		}
		seen[d.Name] = true
		if err := check(d.AttrDefs, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Clean gives attributes in the form in which they are kept: values of their
// types, nothing that is null or empty. What is refused is told by its place,
// which begins with "attributes".
func (s Schema) Clean(attributes map[string]any) (Attributes, fault.Problems) {
	c := cleaner{}
	clean := c.object("attributes", s, attributes)
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	document, err := json.Marshal(clean)
	if err != nil || len(document) > MaxAttributes {
		c.problems.Add("attributes", "The attributes of a user are larger than 64 KiB; keep less.")
		return nil, c.problems
	}
	if len(clean) == 0 {
		return nil, nil
	}
	return clean, nil
}

// cleaner reads one document.
type cleaner struct{ problems fault.Problems }

func (c *cleaner) refuse(place, message string) {
	if len(c.problems) < maxProblems {
		c.problems.Add(place, "%s", message)
	}
}

func (c *cleaner) object(place string, definitions []Definition, members map[string]any) map[string]any {
	clean := make(map[string]any, len(members))
	for _, name := range sortedNames(members) {
		i := slices.IndexFunc(definitions, func(d Definition) bool { return d.Name == name })
		if i < 0 {
			c.refuse(place+"."+short(name), "There is no such attribute.")
			continue
		}
		if v := c.value(place+"."+name, &definitions[i], members[name]); v != nil {
			clean[name] = v
		}
	}
	return clean
}

// value gives a value as it is kept; nil: there is none.
func (c *cleaner) value(place string, d *Definition, v any) any {
	switch {
	case v == nil:
		return nil
	case d.Type == Object:
		members, ok := v.(map[string]any)
		if !ok {
			c.refuse(place, "Write an object.")
			return nil
		}
		if clean := c.object(place, d.AttrDefs, members); len(clean) > 0 {
			return clean
		}
		return nil
	case d.Type == Plural:
		return c.plural(place, d, v)
	}
	clean, message := readers[d.Type](v, d.Length)
	if message != "" {
		c.refuse(place, message)
		return nil
	}
	return clean
}

func (c *cleaner) plural(place string, d *Definition, v any) any {
	elements, ok := v.([]any)
	if !ok || len(elements) > maxElements {
		c.refuse(place, fmt.Sprintf("Write an array of at most %d objects.", maxElements))
		return nil
	}
	clean := make([]any, 0, len(elements))
	for i, element := range elements {
		at := fmt.Sprintf("%s[%d]", place, i)
		members, ok := element.(map[string]any)
		if !ok {
			c.refuse(at, "Write an object.")
			continue
		}
		clean = append(clean, c.object(at, d.AttrDefs, members))
	}
	if len(clean) == 0 {
		return nil
	}
	return clean
}
