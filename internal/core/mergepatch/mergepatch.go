// Package mergepatch reads JSON Merge Patch (RFC 7396) onto small records whose
// members are texts and lists of texts. It knows the form of a document; what a
// value may be is for the owner of the record to say.
package mergepatch

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Member is one member of a document: Text or List points to where it goes.
type Member struct {
	Name string
	Text *string
	List *[]string
}

// Apply sets the members that are in the document: null is back to the zero
// value, which the records take for the default. A member that the record has
// not is refused. All refusals are given at once, as fault.Problems, and then
// some members may be set.
func Apply(document []byte, members ...Member) error {
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(document, &sent); err != nil || sent == nil {
		return fault.Problems{fault.Invalidf("", "Send a JSON object.")}
	}
	var problems fault.Problems
	for _, m := range members {
		if raw, ok := sent[m.Name]; ok {
			m.read(bytes.TrimSpace(raw), &problems)
		}
		delete(sent, m.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		problems.Add(short(name), "There is no such field.")
	}
	return problems.OrNil()
}

func (m *Member) read(raw []byte, problems *fault.Problems) {
	null := string(raw) == "null"
	if m.Text != nil {
		*m.Text = ""
		if !null && json.Unmarshal(raw, m.Text) != nil {
			problems.Add(m.Name, "Write a string.")
		}
		return
	}
	*m.List = nil
	if null {
		return
	}
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		problems.Add(m.Name, "Write an array of strings.")
		return
	}
	list := make([]string, len(elements))
	for i, element := range elements {
		if len(element) == 0 || element[0] != '"' || json.Unmarshal(element, &list[i]) != nil {
			problems.Add(m.Name+"["+strconv.Itoa(i)+"]", "Write a string.")
		}
	}
	*m.List = list
}

// short bounds a name that a stranger made up before it is answered.
func short(name string) string {
	const longest = 64
	if utf8.RuneCountInString(name) > longest {
		return string([]rune(name)[:longest]) + "…"
	}
	return name
}
