package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/client"
)

// entry is one record that a file declares.
type entry struct {
	noun        *noun
	application string // that it is in; "": the one that the command line says
	line        int
	fields      map[string]json.RawMessage
	secret      *secretReference // of a client that is to be made
}

// secretReference says where a secret is kept: it never stands in the file.
type secretReference struct {
	file, variable string
}

// text gives a field that is a string, "" where it is none.
func (e *entry) text(name string) string {
	var text string
	if json.Unmarshal(e.fields[name], &text) != nil {
		return ""
	}
	return text
}

// place is the line of an entry; one of a record that no file names has none.
func (e *entry) place() string {
	if e.line == 0 {
		return ""
	}
	return ":" + strconv.Itoa(e.line)
}

type declaration struct {
	key  string
	noun *noun
}

// declared are the keys under which records stand in a file, in the order in
// which they are made: each may name those before it.
var declared = []declaration{{"applications", &applications}, {"scopes", &scopes}, {"clients", &clients}, {"resources", &resources}}

// inApplication names the application that the records of a document are in.
const inApplication = "application"

// extent is a list of a file: all the records of a kind that an application is
// to have, for who prunes the others.
type extent struct {
	noun        *noun
	application string // as of an entry
}

// reading collects what is wrong with a file, each with its line.
type reading struct {
	name    string
	entries []entry
	extents []extent
	wrong   []error
}

func (r *reading) refuse(at *yaml.Node, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf("%s:%d: %s", r.name, at.Line, fmt.Sprintf(format, args...)))
}

// readFile reads one or more YAML documents. Its errors are of type
// *config.Error and have a line each.
func readFile(name string, text []byte) ([]entry, []extent, error) {
	r := &reading{name: name}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document yaml.Node
		err := d.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, &config.Error{Err: fmt.Errorf("%s is not YAML: %w", name, err)}
		}
		if len(document.Content) == 1 && document.Content[0].Tag != "!!null" {
			r.document(document.Content[0])
		}
	}
	if len(r.wrong) > 0 {
		return nil, nil, &config.Error{Err: errors.Join(r.wrong...)}
	}
	return r.entries, r.extents, nil
}

// document reads one mapping of the keys that there are.
func (r *reading) document(node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		r.refuse(node, "a document is a mapping of applications, scopes, clients and resources to a list each")
		return
	}
	known := []string{inApplication}
	for _, d := range declared {
		known = append(known, d.key)
	}
	app := ""
	r.eachMember(node, known, func(key, value *yaml.Node) {
		if key.Value == inApplication {
			app = value.Value
			if value.Kind != yaml.ScalarNode || app == "" {
				r.refuse(value, "application is the id of the one that what follows is in")
			}
		}
	})
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := slices.IndexFunc(declared, func(d declaration) bool { return d.key == key.Value })
		if at >= 0 {
			r.list(declared[at].noun, app, value)
		}
	}
}

// eachMember goes through a mapping, and refuses what is unknown or there twice.
func (r *reading) eachMember(node *yaml.Node, known []string, do func(key, value *yaml.Node)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case seen[key.Value]:
			r.refuse(key, "%s is there twice", key.Value)
		case !slices.Contains(known, key.Value):
			r.refuse(key, "there is no field %s; did you mean %s?", key.Value, config.Nearest(key.Value, known))
		default:
			do(key, value)
		}
		seen[key.Value] = true
	}
}

func (r *reading) list(n *noun, app string, node *yaml.Node) {
	node = resolved(node)
	if node.Kind != yaml.SequenceNode {
		if node.Tag != "!!null" {
			r.refuse(node, "%ss are a list: begin each with a hyphen", n.name)
		}
		return
	}
	r.extents = append(r.extents, extent{n, app})
	for _, item := range node.Content {
		item = resolved(item)
		if item.Kind != yaml.MappingNode {
			r.refuse(item, "%s is a mapping of its fields", article(n.name))
			continue
		}
		r.entry(n, app, item)
	}
}

// entry reads one record. What is read only is taken and ignored, so that what
// show prints can stand here.
func (r *reading) entry(n *noun, app string, node *yaml.Node) {
	e := entry{noun: n, application: app, line: node.Line, fields: map[string]json.RawMessage{}}
	known := make([]string, 0, len(n.fields))
	for _, f := range n.fields {
		known = append(known, f.Name)
	}
	if n == &applications {
		known = append(known, "issuer", "branding")
	}
	r.eachMember(node, known, func(key, value *yaml.Node) {
		i := slices.IndexFunc(n.fields, func(f client.Field) bool { return f.Name == key.Value })
		switch {
		case i >= 0 && n.fields[i].ReadOnly || key.Value == "issuer":
		case i >= 0 && n.fields[i].WriteOnly:
			e.secret = r.reference(value)
		default:
			raw, err := asJSON(value, maxDepth)
			if err != nil {
				r.refuse(value, "%s: %s", key.Value, err)
				return
			}
			e.fields[key.Value] = raw
		}
	})
	for _, name := range n.identity() {
		if e.text(name) == "" {
			r.refuse(node, "%s has %s here, by which it is known", article(n.name), article(name))
		}
	}
	r.entries = append(r.entries, e)
}

// identity gives the fields that an entry must have.
func (n *noun) identity() []string {
	if n.global {
		return []string{n.key}
	}
	return []string{n.created}
}

// reference reads where a secret is kept.
func (r *reading) reference(node *yaml.Node) *secretReference {
	const form = "a secret never stands in the file: write {file: PATH} or {environment: VARIABLE}"
	node = resolved(node)
	if node.Tag == "!!null" {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		r.refuse(node, form)
		return nil
	}
	var ref secretReference
	r.eachMember(node, []string{"file", "environment"}, func(key, value *yaml.Node) {
		if key.Value == "file" {
			ref.file = value.Value
		} else {
			ref.variable = value.Value
		}
	})
	if (ref.file == "") == (ref.variable == "") {
		r.refuse(node, form)
	}
	return &ref
}

func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// maxDepth bounds what an alias may unfold into.
const maxDepth = 4

// asJSON gives the JSON of a value.
func asJSON(node *yaml.Node, depth int) (json.RawMessage, error) {
	if depth == 0 {
		return nil, errors.New("no field is nested as deeply")
	}
	node = resolved(node)
	switch node.Kind {
	case yaml.SequenceNode:
		elements := make([]json.RawMessage, len(node.Content))
		for i, n := range node.Content {
			var err error
			if elements[i], err = asJSON(n, depth-1); err != nil {
				return nil, err
			}
		}
		return json.Marshal(elements)
	case yaml.MappingNode:
		members := map[string]json.RawMessage{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			raw, err := asJSON(node.Content[i+1], depth-1)
			if err != nil {
				return nil, err
			}
			if _, twice := members[node.Content[i].Value]; twice {
				return nil, fmt.Errorf("%s is there twice", node.Content[i].Value)
			}
			members[node.Content[i].Value] = raw
		}
		return json.Marshal(members)
	case yaml.ScalarNode:
		return scalarJSON(node)
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return nil, errors.New("write a plain value, a list or a mapping")
}

func scalarJSON(node *yaml.Node) (json.RawMessage, error) {
	switch node.Tag {
	case "!!null":
		return json.RawMessage("null"), nil
	case "!!bool":
		truth, err := strconv.ParseBool(strings.ToLower(node.Value))
		if err != nil {
			return nil, errors.New("write true or false")
		}
		return strconv.AppendBool(nil, truth), nil
	case "!!int":
		n, err := strconv.ParseInt(node.Value, 0, 64)
		if err != nil {
			return nil, errors.New("write a whole number")
		}
		return strconv.AppendInt(nil, n, 10), nil
	case "!!str", "!!timestamp":
		return json.Marshal(node.Value)
	default:
		return nil, fmt.Errorf("%s is neither text, a whole number, true nor false; put quotation marks around text", node.Value)
	}
}
