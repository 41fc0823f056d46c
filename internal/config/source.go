package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// values holds what one source gives, by the name of the setting.
type values map[string][]string

// flagValue collects what a flag was given; it is parsed with the rest in Load.
type flagValue struct {
	setting *setting
	given   []string
}

// Set is called for each time that the flag stands on the command line.
func (v *flagValue) Set(s string) error {
	if !v.setting.repeat {
		v.given = nil // the last one counts
	}
	v.given = append(v.given, v.setting.listed(s)...)
	return nil
}

// String gives the default for the help text.
func (v *flagValue) String() string { return v.setting.initial }

// Type is shown where the usage names no value; it always does.
func (*flagValue) Type() string { return "value" }

// Bind makes the flags of a command.
func Bind(flags *pflag.FlagSet, command Command) {
	flags.SortFlags = false
	for i := range table {
		if s := &table[i]; s.commands&command != 0 {
			flags.Var(&flagValue{setting: s}, s.name, s.usage)
		}
	}
}

// NearestFlag gives the flag that a mistyped one may be meant for, "" where it is
// like none.
func NearestFlag(flags *pflag.FlagSet, typed string) string {
	var known []string
	flags.VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if found := nearest(typed, known); near(typed, found) || strings.HasPrefix(found, typed) {
		return found
	}
	return ""
}

func flagValues(flags *pflag.FlagSet) values {
	found := values{}
	flags.Visit(func(f *pflag.Flag) {
		if v, ok := f.Value.(*flagValue); ok {
			found[f.Name] = v.given
		}
	})
	return found
}

// listed splits a value where the setting is a list.
func (s *setting) listed(value string) []string {
	if !s.split {
		return []string{value}
	}
	parts := strings.Split(value, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// orchestrated matches the variables that Kubernetes puts into every container
// beside a Service whose name is ostiary; they are not meant for the program.
var orchestrated = regexp.MustCompile(`^OSTIARY_(SERVICE_(HOST|PORT(_.+)?)|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$`)

// environmentValues takes what begins with OSTIARY_. A variable that is empty
// counts as not given, since that is how compose files leave one out. An unknown
// one is an error where it may be a slip of the keyboard; any other may be meant
// for what starts the program, and is given back as a stranger.
func environmentValues(environ []string) (found values, strangers []string, err error) {
	found = values{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, "OSTIARY_") || orchestrated.MatchString(name) {
			continue
		}
		i := slices.IndexFunc(table, func(s setting) bool { return s.variable() == name })
		if i < 0 {
			known := nearest(name, names((*setting).variable, 0))
			if near(strings.TrimPrefix(name, "OSTIARY_"), strings.TrimPrefix(known, "OSTIARY_")) {
				return nil, nil, fmt.Errorf("unknown environment variable %s; did you mean %s?", name, known)
			}
			strangers = append(strangers, name)
			continue
		}
		s := &table[i]
		if value == "" {
			continue
		}
		if s.repeat && !s.split {
			found[s.name] = strings.Split(value, ",")
			continue
		}
		found[s.name] = s.listed(value)
	}
	return found, strangers, nil
}

// fileValues reads the configuration file: a mapping of keys to scalars, or to
// lists of scalars where a setting may be given several times.
func fileValues(path string) (values, error) {
	if path == "" {
		return values{}, nil
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	return parseFile(path, content)
}

func parseFile(path string, content []byte) (values, error) {
	var document, second yaml.Node
	documents := yaml.NewDecoder(bytes.NewReader(content))
	if err := documents.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is not YAML: %w", path, err)
	}
	if err := documents.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s has more than one YAML document: write all keys into the first", path)
	}
	found := values{}
	if len(document.Content) == 0 {
		return found, nil
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: the configuration is a mapping of keys to values, as in listen: 127.0.0.1:8080", path, root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if err := fileValue(found, key, value); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, key.Line, err)
		}
	}
	return found, nil
}

// fileValue takes one key. Keys are written with underscores; hyphens, as in
// the flag, are taken as well.
func fileValue(found values, key, value *yaml.Node) error {
	name := strings.ReplaceAll(key.Value, "_", "-")
	s := lookup(name)
	if s == nil || s.commands&store == 0 || s.name == "config" {
		known := slices.DeleteFunc(names((*setting).key, store), func(k string) bool { return k == "config" })
		return fmt.Errorf("unknown key %s; did you mean %s?", key.Value, nearest(strings.ReplaceAll(name, "-", "_"), known))
	}
	if _, twice := found[name]; twice {
		return fmt.Errorf("the key %s is there twice", key.Value)
	}
	switch {
	case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		return nil
	case value.Kind == yaml.ScalarNode:
		found[name] = s.listed(value.Value)
		return nil
	case value.Kind == yaml.SequenceNode && s.repeat:
		list := []string{}
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return fmt.Errorf("the key %s takes a list of plain values", key.Value)
			}
			list = append(list, item.Value)
		}
		found[name] = list
		return nil
	default:
		return fmt.Errorf("the key %s takes a plain value", key.Value)
	}
}
