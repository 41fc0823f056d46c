package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// record is a JSON object that keeps the order in which its members came, so
// that a field which the server has and this program does not know is shown in
// its place.
type record struct {
	members []member
	raw     json.RawMessage
	etag    string
}

type member struct {
	name string
	raw  json.RawMessage
}

var errNoObject = errors.New("it is not a JSON object")

func parseRecord(raw []byte) (*record, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errNoObject
	}
	r := &record{raw: bytes.TrimSpace(raw)}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read JSON: %w", err)
		}
		m := member{}
		m.name, _ = name.(string)
		if err := d.Decode(&m.raw); err != nil {
			return nil, fmt.Errorf("read JSON: %w", err)
		}
		r.members = append(r.members, m)
	}
	return r, nil
}

// get gives a member, nil where there is none.
func (r *record) get(name string) json.RawMessage {
	i := slices.IndexFunc(r.members, func(m member) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return r.members[i].raw
}

// text gives a member for people.
func (r *record) text(name string) string { return readable(r.get(name)) }

// items gives the objects of a member that is a list of them.
func (r *record) items(name string) ([]*record, error) {
	var raws []json.RawMessage
	if err := json.Unmarshal(r.get(name), &raws); err != nil {
		return nil, fmt.Errorf("the answer has no list %s: %w", name, err)
	}
	items := make([]*record, len(raws))
	for i, raw := range raws {
		var err error
		if items[i], err = parseRecord(raw); err != nil {
			return nil, fmt.Errorf("the answer has a list %s of other things than objects: %w", name, err)
		}
	}
	return items, nil
}

// nothing stands where there is no value.
const nothing = "-"

// readable writes a JSON value for people, on one line.
func readable(raw json.RawMessage) string {
	var value any
	if len(raw) == 0 || json.Unmarshal(raw, &value) != nil || value == nil {
		return nothing
	}
	switch v := value.(type) {
	case string:
		return oneLine(v)
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case []any:
		words := make([]string, len(v))
		for i, element := range v {
			text, err := json.Marshal(element)
			if err != nil {
				return nothing
			}
			words[i] = readable(text)
		}
		if len(words) == 0 {
			return nothing
		}
		return strings.Join(words, ", ")
	default:
		return oneLine(string(raw))
	}
}

// oneLine keeps what others wrote from steering the terminal, and shortens
// times to the second.
func oneLine(text string) string {
	if text == "" {
		return nothing
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC().Format(time.RFC3339)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
}

// asRecord gives a document of ours as the API would write it.
func asRecord(view any) (*record, error) {
	text, err := json.Marshal(view)
	if err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return parseRecord(text)
}
