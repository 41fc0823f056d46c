package client

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// OptionType is what values a setting takes.
type OptionType string

// The types.
const (
	StringOption  OptionType = "string"
	IntegerOption OptionType = "integer"
	BooleanOption OptionType = "boolean"
	ArrayOption   OptionType = "array" // of strings
)

// Option is a setting that the server knows, as the Configuration API lists it.
type Option struct {
	Name       string     `json:"name"`
	Type       OptionType `json:"type"`
	Group      string     `json:"group"`
	GlobalOnly bool       `json:"globalOnly"` // of applications only; ignored on a client
	Values     []any      `json:"values"`     // those there are; empty: any of the type
}

// vendorName is kept as the application's own setting, not in its document.
const vendorName = "vendor_name"

// Groups of settings, by the names that the Akamai Identity Cloud gives them.
const (
	general = "General Settings"
	emails  = "Transactional Emails"
	portal  = "Customer Care Portal"
)

var options = []Option{
	{"login_attempts", IntegerOption, general, false, []any{}},
	{"login_attempts_threshold", IntegerOption, general, false, []any{}},
	{"recover_code_lifetime", IntegerOption, general, false, []any{}},
	{"default_flow_name", StringOption, general, false, []any{}},
	{"default_flow_version", StringOption, general, false, []any{}},
	{"password_recover_url", StringOption, general, false, []any{}},
	{"verify_email_url", StringOption, general, false, []any{}},
	{"email_sponsor_name", StringOption, emails, false, []any{}},
	{"email_site_name", StringOption, emails, false, []any{}},
	{"redirect_uris", ArrayOption, general, false, []any{}},
	{"invitation_search_allow_empty", BooleanOption, portal, true, []any{true, false}},
	{vendorName, StringOption, general, true, []any{}},
}

// Options gives the settings that the server knows.
func Options() []Option { return slices.Clone(options) }

// check holds a value, which is valid JSON, to the option's type.
func (o *Option) check(value json.RawMessage) error {
	switch o.Type {
	case StringOption:
		if value[0] == '"' {
			return nil
		}
	case IntegerOption:
		if _, err := strconv.ParseInt(string(value), 10, 64); err == nil && IsInteger(value) {
			return nil
		}
	case BooleanOption:
		if value[0] == 't' || value[0] == 'f' {
			return nil
		}
	case ArrayOption:
		var entries []json.RawMessage
		if value[0] == '[' && json.Unmarshal(value, &entries) == nil {
			if slices.ContainsFunc(entries, func(e json.RawMessage) bool { return e[0] != '"' }) {
				return mistyped(o.Name, StringOption)
			}
			return nil
		}
	}
	return mistyped(o.Name, o.Type)
}

func mistyped(name string, t OptionType) error {
	return fault.Invalidf(name, "Not a valid %s.", t)
}

// IsInteger reports whether a JSON value is an integer as JSON writes one:
// neither 5.0 nor 1e1.
func IsInteger(value json.RawMessage) bool {
	digits := bytes.TrimPrefix(value, []byte("-"))
	return len(digits) > 0 && !slices.ContainsFunc(digits, func(c byte) bool { return c < '0' || c > '9' })
}

// Document is a settings document of one level, a client's or an application's.
type Document struct {
	Values map[string]json.RawMessage // of settings that the server knows
	Custom map[string]json.RawMessage // of all others
}

// ParseDocument reads the members of a document as they were sent: names that
// begin with `_` are ignored, unknown ones go under Custom, and on a client
// those that are for applications only are ignored too. A value of the wrong
// type is a fault Invalid whose Message is the Configuration API's.
func ParseDocument(members map[string]json.RawMessage, global bool) (Document, error) {
	d := Document{Values: map[string]json.RawMessage{}, Custom: map[string]json.RawMessage{}}
	if custom, ok := members["custom"]; ok {
		if custom[0] != '{' || json.Unmarshal(custom, &d.Custom) != nil {
			return Document{}, fault.Invalidf("custom", "Not a valid object.")
		}
		for name, value := range d.Custom {
			d.Custom[name] = compact(value)
		}
	}
	for i := range options {
		o := &options[i]
		value, ok := members[o.Name]
		if !ok || o.GlobalOnly && !global {
			continue
		}
		if err := o.check(value); err != nil {
			return Document{}, err
		}
		d.Values[o.Name] = compact(value)
	}
	for name, value := range members {
		known := slices.ContainsFunc(options, func(o Option) bool { return o.Name == name })
		if !known && name != "custom" && !strings.HasPrefix(name, "_") {
			d.Custom[name] = compact(value)
		}
	}
	return d, nil
}

// compact takes the white space out of a value and makes it the only owner of
// its bytes.
func compact(value json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	_ = json.Compact(&b, value) // it was parsed before
	return b.Bytes()
}

// AppendMembers writes the document's members, `custom` last and always: known
// ones in the order of Options, others by name. It writes no braces, so that a
// caller can put members of its own around them.
func (d Document) AppendMembers(dst []byte) []byte {
	for i := range options {
		if value, ok := d.Values[options[i].Name]; ok {
			dst = append(appendMember(dst, options[i].Name, value), ',')
		}
	}
	dst = append(dst, `"custom":{`...)
	for i, name := range slices.Sorted(maps.Keys(d.Custom)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendMember(dst, name, d.Custom[name])
	}
	return append(dst, '}')
}

func appendMember(dst []byte, name string, value json.RawMessage) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(name) //nolint:errchkjson // a string cannot fail
	dst = append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
	return append(append(dst, ':'), value...)
}

// encode gives the document as it is stored.
func (d Document) encode() []byte {
	return append(d.AppendMembers([]byte{'{'}), '}')
}

// decode reads what encode gave; nothing is an empty document.
func decode(stored []byte) (Document, error) {
	d := Document{Values: map[string]json.RawMessage{}, Custom: map[string]json.RawMessage{}}
	if len(stored) == 0 {
		return d, nil
	}
	if err := json.Unmarshal(stored, &d.Values); err != nil {
		return Document{}, err
	}
	err := json.Unmarshal(d.Values["custom"], &d.Custom)
	delete(d.Values, "custom")
	return d, err
}

// record is the document as audit events show it. Of custom settings only the
// names are: nobody knows what people keep in them.
func (d Document) record() json.RawMessage {
	return mustJSON(struct {
		Values map[string]json.RawMessage `json:"values"`
		Custom []string                   `json:"custom,omitempty"`
	}{d.Values, slices.Sorted(maps.Keys(d.Custom))})
}
