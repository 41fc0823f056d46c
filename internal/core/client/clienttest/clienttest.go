// Package clienttest holds, for tests, what each field of a client takes, what
// it refuses and what it is where nothing is said: one list of cases for every
// surface on which clients are written. It runs nothing itself.
package clienttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// Scopes must exist in an application in which the cases are tried.
var Scopes = map[string]scope.Kind{"read": scope.Any, "machine": scope.System, "person": scope.User}

// Case is a value of one field in the document of a client to be made.
type Case struct {
	Field       string
	With        string // other members of the document, as JSON without braces; a kind among them takes the place of web
	JSON        string // the value; "": the field is absent
	Want        string // the value answered, as JSON; where Refused is "" alone
	Refused     string // the field that the refusal stands beside
	OAuth2      bool   // the application has the security profile oauth2
	Optional    bool   // the application has the scope policy optional
	ImportTakes bool   // an import takes it all the same, and answers the value as it is written
}

// Name says what the case is about, for the names of subtests.
func (c Case) Name() string {
	value := c.JSON
	if value == "" {
		value = "absent"
	}
	if len(value) > 40 {
		value = fmt.Sprintf("%.40s… (%d)", value, len(value))
	}
	if c.With != "" {
		value += " with " + fmt.Sprintf("%.60s", c.With)
	}
	return c.Field + " " + value
}

// Document is the whole document: a name, the kind web, and what the case says.
func (c Case) Document(name string) []byte {
	members := map[string]json.RawMessage{"name": mustJSON(name), "kind": mustJSON("web")}
	var with map[string]json.RawMessage
	must(json.Unmarshal([]byte("{"+c.With+"}"), &with))
	maps.Copy(members, with)
	if c.JSON != "" {
		members[c.Field] = json.RawMessage(c.JSON)
	} else {
		delete(members, c.Field)
	}
	return mustJSON(members)
}

// Settings are those of the application that the case is for.
func (c Case) Settings() application.Settings {
	var s application.Settings
	if c.OAuth2 {
		s.SecurityProfile = application.OAuth2
	}
	if c.Optional {
		s.ScopePolicy = application.Optional
	}
	return s
}

// Cases gives all of them: the defaults, from the table of fields, values of a
// wrong type, from the types in it, and those that were written down.
func Cases() []Case {
	var cases []Case
	for _, f := range client.FieldTable() {
		if f.ReadOnly {
			continue
		}
		if f.Default != "" {
			cases = append(cases, Case{Field: f.Name, Want: f.Default}, Case{Field: f.Name, JSON: "null", Want: f.Default})
		}
		if f.Required {
			cases = append(cases, Case{Field: f.Name, Refused: f.Name}, Case{Field: f.Name, JSON: "null", Refused: f.Name})
		}
		for _, value := range []string{`1.5`, `{"a":1}`, `[[1]]`} {
			refused := f.Name
			if strings.Contains(f.Type, "array of strings") && !strings.Contains(f.Type, "or one string") && value[0] == '[' {
				refused += "[0]"
			}
			cases = append(cases, Case{Field: f.Name, JSON: value, Refused: refused})
		}
	}
	return append(cases, written...)
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	must(err)
	return b
}

// must stops a test whose cases are written wrongly.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// repeat gives a JSON array of n texts, each with its number for %d.
func repeat(n int, format string) string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf(format, i)
	}
	return string(mustJSON(values))
}

// text gives a JSON string of n characters.
func text(n int) string { return `"` + strings.Repeat("é", n) + `"` }
