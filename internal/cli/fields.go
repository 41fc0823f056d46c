package cli

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/client"
)

// Fields of every record are described as those of a client are, in the table
// of package client; each field that can be written is a flag, by its name with
// hyphens. A new field of a client needs no change here.

// shape is how the value of a field is written on a command line.
type shape uint8

const (
	word    shape = iota // text as it stands
	number               // a whole number, or a word that stands for none
	boolean              // true or false; the flag alone is true
	list                 // several words
	pairs                // NAME=NUMBER, with commas between
	tree                 // NAME=TEXT, again and again, or a JSON object
)

func shapeOf(f *client.Field) shape {
	switch {
	case strings.HasPrefix(f.Type, "an array"):
		return list
	case strings.HasPrefix(f.Type, "an object"):
		return pairs
	case strings.HasPrefix(f.Type, "a JSON object"):
		return tree
	case strings.HasPrefix(f.Type, "a whole number"):
		return number
	case f.Type == "true or false":
		return boolean
	default:
		return word
	}
}

// nextURI matches the comma between two URIs.
var nextURI = regexp.MustCompile(`,\s*[A-Za-z][A-Za-z0-9+.-]*:/`)

// urlPattern matches one of several with commas between: GET,POST /orders has one
// of its own.
var urlPattern = regexp.MustCompile(`(?:[A-Z]+,\s*)*[^,]+`)

// fieldFlag is the flag of one field.
type fieldFlag struct {
	field client.Field
	given []string
}

// Set takes a value as it stands on the command line.
func (v *fieldFlag) Set(text string) error {
	switch {
	case shapeOf(&v.field) == tree:
		v.given = append(v.given, text)
	case shapeOf(&v.field) != list:
		v.given = []string{text}
	case text == "":
	case v.field.Name == "url_patterns":
		for _, pattern := range urlPattern.FindAllString(text, -1) {
			v.given = append(v.given, strings.TrimSpace(pattern))
		}
	case strings.Contains(text, "://"): // a comma may be part of a URI, save one that the next follows
		for at := nextURI.FindStringIndex(text); at != nil; at = nextURI.FindStringIndex(text) {
			v.given = append(v.given, strings.TrimSpace(text[:at[0]]))
			text = strings.TrimSpace(text[at[0]+1:])
		}
		v.given = append(v.given, text)
	default:
		for part := range strings.SplitSeq(text, ",") {
			v.given = append(v.given, strings.TrimSpace(part))
		}
	}
	return nil
}

// String gives no default: the usage tells it.
func (*fieldFlag) String() string { return "" }

// Type names the value in the usage.
func (v *fieldFlag) Type() string {
	switch shapeOf(&v.field) {
	case number:
		return "number"
	case boolean:
		return "bool"
	case list:
		return "list"
	case pairs:
		return "name=number"
	case tree:
		return "name=text"
	case word:
	}
	return "text"
}

// value gives what the API is sent. What is no number or no boolean is sent as
// it was written: the server says which words it takes.
func (v *fieldFlag) value() (json.RawMessage, error) {
	if shapeOf(&v.field) == list {
		if v.given == nil {
			v.given = []string{}
		}
		return json.Marshal(v.given)
	}
	text := v.given[0]
	switch shapeOf(&v.field) {
	case number:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return strconv.AppendInt(nil, n, 10), nil
		}
	case boolean:
		if truth, err := strconv.ParseBool(text); err == nil {
			return strconv.AppendBool(nil, truth), nil
		}
	case pairs:
		return parsePairs(text)
	case tree:
		return parseTree(v.given)
	case word, list:
	}
	return json.Marshal(text)
}

// parsePairs reads NAME=NUMBER pairs; where there are none it is null.
func parsePairs(text string) (json.RawMessage, error) {
	if text == "" {
		return json.RawMessage("null"), nil
	}
	found := map[string]json.RawMessage{}
	for pair := range strings.SplitSeq(text, ",") {
		name, number, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if ok && number == "none" {
			found[name] = json.RawMessage("null")
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("write NAME=NUMBER or NAME=none, with commas between them, rather than %q", pair)
		}
		found[name] = strconv.AppendInt(nil, n, 10)
	}
	return json.Marshal(found)
}

func flagName(field string) string { return strings.ReplaceAll(field, "_", "-") }

// bindFields makes a flag of each field. A secret never stands on a command
// line, where every process can read it: its flag names a file.
func bindFields(flags *pflag.FlagSet, fields []client.Field, creating bool) {
	flags.SortFlags = false
	for _, f := range fields {
		if f.WriteOnly {
			flags.String(flagName(f.Name)+"-file", "", "Read from this `file`. "+f.Doc)
			continue
		}
		made := flags.VarPF(&fieldFlag{field: f}, flagName(f.Name), "", usageOf(&f, creating))
		if shapeOf(&f) == boolean {
			made.NoOptDefVal = "true"
		}
	}
}

func usageOf(f *client.Field, creating bool) string {
	text := f.Doc
	if len(f.Values) > 0 && len(strings.Join(f.Values, "")) < 80 && !strings.Contains(text, f.Values[0]) {
		word := " One of "
		if shapeOf(f) == list {
			word = " Of "
		}
		text += word + strings.Join(f.Values, ", ") + "."
	}
	switch {
	case !creating:
	case f.Required:
		text += " Required."
	case f.Derived != "":
		text += " (default: " + f.Derived + ")"
	case f.Default == "null" || f.Default == "[]" || f.Default == `""`:
		text += " (default: none)"
	case f.Default != "":
		text += " (default: " + strings.Trim(f.Default, `"`) + ")"
	}
	return text
}

// completeFields completes the values of fields that have few.
func completeFields(c *cobra.Command, fields []client.Field) {
	for _, f := range fields {
		if values := f.Values; len(values) > 0 && !f.WriteOnly {
			_ = c.RegisterFlagCompletionFunc(flagName(f.Name), cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
		}
	}
}

// fieldsGiven gives the document that the flags describe.
func fieldsGiven(flags *pflag.FlagSet, fields []client.Field) (map[string]json.RawMessage, error) {
	document := map[string]json.RawMessage{}
	var refused error
	flags.Visit(func(f *pflag.Flag) {
		v, ok := f.Value.(*fieldFlag)
		if !ok || refused != nil {
			return
		}
		raw, err := v.value()
		if err != nil {
			refused = fmt.Errorf("--%s: %w", f.Name, err)
			return
		}
		document[v.field.Name] = raw
	})
	if refused != nil {
		return nil, &config.Error{Err: refused}
	}
	for _, f := range fields {
		if !f.WriteOnly || !flags.Changed(flagName(f.Name)+"-file") {
			continue
		}
		path, err := flags.GetString(flagName(f.Name) + "-file")
		if err != nil {
			return nil, err
		}
		secret, err := config.SecretFromFile(path)
		if err != nil {
			return nil, &config.Error{Err: fmt.Errorf("--%s-file: %w", flagName(f.Name), err)}
		}
		if document[f.Name], err = json.Marshal(secret); err != nil {
			return nil, err
		}
	}
	return document, nil
}

// unsetFields sets the fields that were named to null, which is their default.
func unsetFields(document map[string]json.RawMessage, fields []client.Field, names []string) error {
	for _, name := range names {
		name = strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_")
		i := slices.IndexFunc(fields, func(f client.Field) bool { return f.Name == name && !f.WriteOnly })
		if i < 0 {
			return &config.Error{Err: fmt.Errorf("--unset: there is no field %s that can be changed", name)}
		}
		if _, both := document[name]; both {
			return &config.Error{Err: fmt.Errorf("--unset: the field %s is set as well", name)}
		}
		document[name] = json.RawMessage("null")
	}
	return nil
}

// writable gives the fields that a command may write: all but those that are
// read only, at creation; later neither those that are fixed or write only.
func writable(fields []client.Field, creating bool, argument string) []client.Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f client.Field) bool {
		return f.ReadOnly || f.Name == argument || !creating && (f.Fixed || f.WriteOnly)
	})
}
