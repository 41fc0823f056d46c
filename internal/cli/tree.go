package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// parseTree reads what was given of an object: NAME=TEXT, where a name with full
// stops in it is one within another, or JSON objects for all else. NAME= without
// text stands for none. Later ones are laid over earlier ones.
func parseTree(given []string) (json.RawMessage, error) {
	tree := map[string]any{}
	for _, text := range given {
		if strings.HasPrefix(strings.TrimSpace(text), "{") {
			var members map[string]any
			if err := decodeExactly(text, &members); err != nil {
				return nil, errors.New("it is not a JSON object")
			}
			overlay(tree, members)
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("write NAME=TEXT or a JSON object rather than %q", text)
		}
		var leaf any
		if value != "" {
			leaf = value
		}
		path := strings.Split(name, ".")
		for _, part := range slices.Backward(path) {
			leaf = map[string]any{part: leaf}
		}
		members, _ := leaf.(map[string]any)
		overlay(tree, members)
	}
	return json.Marshal(tree)
}

// decodeExactly reads JSON with its numbers as they were written.
func decodeExactly(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errNoObject
	}
	return nil
}

// overlay lays members over those of a tree.
func overlay(tree, members map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		inner, isObject := members[name].(map[string]any)
		below, there := tree[name].(map[string]any)
		if isObject && there {
			overlay(below, inner)
			continue
		}
		tree[name] = members[name]
	}
}
