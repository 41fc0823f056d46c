package mergepatch_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/mergepatch"
)

type record struct {
	name string
	tags []string
}

func apply(document string) (record, error) {
	r := record{"before", []string{"a", "b"}}
	err := mergepatch.Apply([]byte(document), mergepatch.Member{Name: "name", Text: &r.name}, mergepatch.Member{Name: "tags", List: &r.tags})
	return r, err
}

func TestApply(t *testing.T) {
	for _, c := range []struct {
		document, name string
		tags           []string
	}{
		{`{}`, "before", []string{"a", "b"}},
		{` { "name" : "after" } `, "after", []string{"a", "b"}},
		{`{"name": null, "tags": null}`, "", nil},
		{`{"tags": []}`, "before", nil},
		{`{"tags": ["c"]}`, "before", []string{"c"}},
		{`{"name": "\u00e9"}`, "é", []string{"a", "b"}},
	} {
		got, err := apply(c.document)
		if err != nil || got.name != c.name || !slices.Equal(got.tags, c.tags) {
			t.Errorf("%s: %+v, %v", c.document, got, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for document, fields := range map[string][]string{
		``:                            {""},
		`null`:                        {""},
		`[]`:                          {""},
		`{"name": 1}`:                 {"name"},
		`{"name": ["x"], "tags": {}}`: {"name", "tags"},
		`{"tags": "a"}`:               {"tags"},
		`{"tags": ["a", 1, null]}`:    {"tags[1]", "tags[2]"},
		`{"Name": "x", "other": 1}`:   {"Name", "other"},
		`{"` + strings.Repeat("x", 100) + `": 1}`: {strings.Repeat("x", 64) + "…"},
	} {
		_, err := apply(document)
		problems, _ := errors.AsType[fault.Problems](err)
		var got []string
		for _, p := range problems {
			got = append(got, p.Field)
		}
		if !slices.Equal(got, fields) {
			t.Errorf("%s: refused are %q, want %q", document, got, fields)
		}
	}
}

func FuzzApply(f *testing.F) {
	for _, seed := range []string{`{}`, `{"name":"x"}`, `{"tags":["a",null]}`, `{"name":null}`, `{"a":{"b":[]}}`, `[`, "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		got, err := apply(document)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q: %v", document, err)
			}
			return
		}
		var plain struct {
			Name *string   `json:"name"`
			Tags *[]string `json:"tags"`
		}
		if err := json.Unmarshal([]byte(document), &plain); err != nil {
			t.Fatalf("%q was read, by encoding/json: %v", document, err)
		}
		if plain.Name != nil && got.name != *plain.Name || plain.Tags != nil && !slices.Equal(got.tags, *plain.Tags) {
			t.Fatalf("%q: %+v", document, got)
		}
	})
}
