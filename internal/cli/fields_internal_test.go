package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/core/client"
)

// TestEveryFieldIsAFlag gives each field that can be written a value as it
// stands on a command line.
func TestEveryFieldIsAFlag(t *testing.T) {
	given := map[string][2]string{ // by the shape's type: as it is written, as it is sent
		"text":        {"x, y", `"x, y"`},
		"number":      {"5", "5"},
		"bool":        {"false", "false"},
		"list":        {"a, b", `["a","b"]`},
		"name=number": {"per_second=5,burst=9", `{"burst":9,"per_second":5}`},
	}
	for _, n := range []*noun{&clients, &scopes, &resources, &applications} {
		for _, f := range writable(n.fields, true, n.created) {
			flags := pflag.NewFlagSet(f.Name, pflag.ContinueOnError)
			bindFields(flags, []client.Field{f}, true)
			if f.WriteOnly {
				if flags.Lookup(flagName(f.Name)) != nil || flags.Lookup(flagName(f.Name)+"-file") == nil {
					t.Errorf("%s can stand on a command line", f.Name)
				}
				continue
			}
			flag := flags.Lookup(flagName(f.Name))
			value := given[flag.Value.Type()]
			if err := flags.Parse([]string{"--" + flag.Name + "=" + value[0]}); err != nil {
				t.Fatal(err)
			}
			document, err := fieldsGiven(flags, n.fields)
			if err != nil || string(document[f.Name]) != value[1] {
				t.Errorf("%s: %s, %v; want %s", f.Name, document[f.Name], err, value[1])
			}
			if f.Doc == "" {
				t.Errorf("%s has no help", f.Name)
			}
		}
	}
}

func TestFlagValues(t *testing.T) {
	field := func(name string) client.Field {
		for _, f := range slices.Concat(clients.fields, scopes.fields) {
			if f.Name == name {
				return f
			}
		}
		t.Fatalf("no field %s", name)
		return client.Field{}
	}
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"access_token_lifetime", []string{"never"}, `"never"`},
		{"access_token_lifetime", []string{"soon"}, `"soon"`}, // the server says what there is
		{"require_pkce", []string{"maybe"}, `"maybe"`},
		{"scopes", []string{""}, `[]`},
		{"scopes", []string{"a", "b,c"}, `["a","b","c"]`},
		{"redirect_uris", []string{"https://a.example.com/x?y=1,2"}, `["https://a.example.com/x?y=1,2"]`},
		{"redirect_uris", []string{"https://a.example.com/x?y=1,2, com.example.app:/b,http://localhost/"}, `["https://a.example.com/x?y=1,2","com.example.app:/b","http://localhost/"]`},
		{"url_patterns", []string{"GET,POST /orders/*, /x,GET https://a.example.com/y"}, `["GET,POST /orders/*","/x","GET https://a.example.com/y"]`},
		{"rate_limit", []string{""}, `null`},
		{"rate_limit", []string{"per_second=none,per_day=7"}, `{"per_day":7,"per_second":null}`},
		{"version", []string{"1", "2"}, `"2"`},
	} {
		v := &fieldFlag{field: field(test.name)}
		for _, arg := range test.args {
			if err := v.Set(arg); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := v.value(); err != nil || string(got) != test.want {
			t.Errorf("%s %q: %s, %v; want %s", test.name, test.args, got, err, test.want)
		}
	}
	v := &fieldFlag{field: field("rate_limit"), given: []string{"per_second"}}
	if _, err := v.value(); err == nil {
		t.Error("a pair without a number is taken")
	}
}

func TestParseMoment(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-01-31T12:00:00+02:00": "2026-01-31T10:00:00Z",
		"2026-01-31":                "2026-01-31T00:00:00Z",
		"90d":                       "2025-12-10T12:00:00Z",
		"24h":                       "2026-03-09T12:00:00Z",
		"15m":                       "2026-03-10T11:45:00Z",
		"-1h":                       "",
		"yesterday":                 "",
		"d":                         "",
	} {
		if got, err := parseMoment(text, now); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestReadable(t *testing.T) {
	for raw, want := range map[string]string{
		`null`: "-", `""`: "-", `[]`: "-", ``: "-", `true`: "yes", `["a","b"]`: "a, b", `5`: "5", `{"a":1}`: `{"a":1}`,
		`"2026-01-31T12:00:00.123456Z"`: "2026-01-31T12:00:00Z",
		`"a\u001b[31mb\nc\u202e"`:       "a [31mb c ",
	} {
		if got := readable([]byte(raw)); got != want {
			t.Errorf("%s is %q, want %q", raw, got, want)
		}
	}
}

// FuzzParseTree: whatever is given of an object is one, or is refused.
func FuzzParseTree(f *testing.F) {
	f.Add("a.b=c", `{"a":{"d":1e400}}`)
	f.Add("a=", "a.b=c")
	f.Add("=x", "{")
	f.Fuzz(func(t *testing.T, first, second string) {
		raw, err := parseTree([]string{first, second})
		if err == nil && (len(raw) == 0 || raw[0] != '{' || !json.Valid(raw)) {
			t.Errorf("%q and %q are %s", first, second, raw)
		}
	})
}

func TestParseTree(t *testing.T) {
	for given, want := range map[string]string{
		"a=b":                           `{"a":"b"}`,
		"a.b=c|a.d=|a.b=e=f":            `{"a":{"b":"e=f","d":null}}`,
		`{"n":12345678901234567890}|n=`: `{"n":null}`,
		`{"a":{"b":1}}|a.c=d`:           `{"a":{"b":1,"c":"d"}}`,
		`a=b|{"a":{"c":[]}}`:            `{"a":{"c":[]}}`,
		"a":                             "",
		"=a":                            "",
		`{"a":1} {}`:                    "",
		`{`:                             "",
	} {
		raw, err := parseTree(strings.Split(given, "|"))
		if string(raw) != want || (err != nil) != (want == "") {
			t.Errorf("%s is %s, %v", given, raw, err)
		}
	}
}
