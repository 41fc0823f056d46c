package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// objects gives the clients in a JSON text, one in memory at a time: the elements
// of an array at the top, those of the array that is a member of one of the
// names of an object at the top, or the object itself. There may be several
// values, one after another.
func objects(r io.Reader, members []string, visit func(json.RawMessage) error) error {
	d := json.NewDecoder(unmarked(r))
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the file: %w", syntax(err))
		case t == json.Delim('['):
			err = elements(d, visit)
		case t == json.Delim('{'):
			err = object(d, members, visit)
		default:
			err = errNoClients
		}
		if err != nil {
			return err
		}
	}
}

var errNoClients = errors.New("the file is no JSON array of clients, and no object that has one")

// syntax hides what a JSON error repeats of the text.
func syntax(err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("this is no JSON from byte %d on", e.Offset)
	}
	return err
}

func elements(d *json.Decoder, visit func(json.RawMessage) error) error {
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("read the file: %w", syntax(err))
		}
		if err := visit(raw); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// object reads an object whose brace was read. What is long in an export and
// nothing to us, as the users of a realm, is passed over.
func object(d *json.Decoder, members []string, visit func(json.RawMessage) error) error {
	found, rest := false, map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("read the file: %w", syntax(err))
		}
		name, _ := t.(string)
		switch {
		case slices.Contains(members, name):
			if t, err = d.Token(); err == nil && t == json.Delim('[') {
				found = true
				if err := elements(d, visit); err != nil {
					return err
				}
			}
		case slices.Contains([]string{"users", "federatedUsers", "roles", "groups", "components"}, name):
			err = pass(d)
		default:
			var raw json.RawMessage
			err = d.Decode(&raw)
			rest[name] = raw
		}
		if err != nil {
			return fmt.Errorf("read the file: %w", syntax(err))
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("read the file: %w", syntax(err))
	}
	if found {
		return nil
	}
	whole, err := json.Marshal(rest)
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	return visit(whole)
}

// pass reads over a value.
func pass(d *json.Decoder) error {
	for depth := 0; ; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
