package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Paging is what every list takes.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items at most; a page may have fewer, and there are more as long as next_cursor is not null."`
	Cursor string `query:"cursor" doc:"next_cursor of the page before; left out: the first page."`
}

// list is a page of a list.
type list[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor" doc:"Where the next page begins; null: there is none."`
}

func page[T any](items []T, next string) *plainly[list[T]] {
	if items == nil {
		items = []T{}
	}
	l := list[T]{Items: items}
	if next != "" {
		cursor := base64.RawURLEncoding.EncodeToString([]byte(next))
		l.NextCursor = &cursor
	}
	return &plainly[list[T]]{l}
}

var errCursor = inQuery("cursor", "Send next_cursor of the page before, as it was given, or leave it out.")

// maxCursor bounds a cursor, in bytes.
const maxCursor = 1024

// place opens a cursor: the text that page was given.
func (p *Paging) place() (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(p.Cursor)
	if err != nil || len(p.Cursor) > maxCursor || len(text) == 0 || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return "", errCursor
	}
	return string(text), nil
}

// pageOf gives the page of a list that is at hand as a whole; key tells its items
// apart, and the last one's is the cursor.
func pageOf[T any](p *Paging, items []T, key func(T) string) (*plainly[list[T]], error) {
	after, err := p.place()
	if err != nil {
		return nil, err
	}
	if after != "" {
		i := slices.IndexFunc(items, func(item T) bool { return key(item) == after })
		if i < 0 {
			return nil, errCursor
		}
		items = items[i+1:]
	}
	next := ""
	if len(items) > p.Limit {
		items = items[:p.Limit]
		next = key(items[p.Limit-1])
	}
	return page(items, next), nil
}

// IfMatch is what every write of a record takes.
type IfMatch struct {
	Value string `header:"If-Match" doc:"The entity tag of the record as it was read: where it changed since, nothing is done (412). It may be left out."`
}

var errStale = problem(http.StatusPreconditionFailed, "If-Match is not the entity tag of the record as it is now; read it again.")

// revision is the one that the record must have, nil where any will do. A tag
// that this server never gives can't match (RFC 9110 §13.1.1).
func (m *IfMatch) revision() (*int64, error) {
	switch tag := strings.TrimSpace(m.Value); {
	case tag == "" || tag == "*":
		return nil, nil // no precondition
	case len(tag) > 2 && tag[0] == '"' && tag[len(tag)-1] == '"':
		n, err := strconv.ParseInt(tag[1:len(tag)-1], 10, 64)
		if err != nil || etag(n) != tag { // compared as text: "01" and "+1" are not "1"
			return nil, errStale
		}
		return &n, nil
	default:
		return nil, errStale
	}
}

// ifMatch is what the request says of the record that it writes.
func (c *call) ifMatch() *IfMatch { return &IfMatch{c.Header.Get("If-Match")} }

// document gives a body that is one JSON object in UTF-8; nil is no body.
func (c *call) document() ([]byte, error) {
	body := bytes.TrimSpace(c.body)
	if len(body) == 0 {
		body = []byte("{}")
	}
	if body[0] != '{' || !utf8.Valid(body) || !json.Valid(body) {
		return nil, errJSON
	}
	return body, nil
}

// members gives the members of a body, by name.
func (c *call) members() (map[string]json.RawMessage, error) {
	body, err := c.document()
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, errJSON
	}
	return members, nil
}

// reader takes members of a body one by one, and refuses what is left.
type reader struct {
	members  map[string]json.RawMessage
	problems fault.Problems
}

func (c *call) reader() (*reader, error) {
	members, err := c.members()
	return &reader{members: members}, err
}

// take gives a member that is there and not null.
func (r *reader) take(name string) (json.RawMessage, bool) {
	raw, ok := r.members[name]
	delete(r.members, name)
	return raw, ok && string(raw) != "null"
}

// text reads a string.
func (r *reader) text(name string) string {
	raw, ok := r.take(name)
	var text string
	if ok && (raw[0] != '"' || json.Unmarshal(raw, &text) != nil) {
		r.problems.Add(name, "Write a string.")
	}
	return text
}

// named reads a string that names something, and may be left out. What a script
// left empty is refused: it would stand for any.
func (r *reader) named(name string) string {
	empty := string(r.members[name]) == `""`
	text := r.text(name)
	if empty {
		r.problems.Add(name, "This is empty; write what is meant, or leave it out.")
	}
	return text
}

// integer reads a whole number; nil where there is none.
func (r *reader) integer(name string) *int64 {
	raw, ok := r.take(name)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		r.problems.Add(name, "Write a whole number.")
	}
	return &n
}

// truth reads true or false.
func (r *reader) truth(name string) bool {
	raw, ok := r.take(name)
	if ok && string(raw) != "true" && string(raw) != "false" {
		r.problems.Add(name, "Write true or false.")
	}
	return string(raw) == "true"
}

// end refuses the members that nobody took.
func (r *reader) end() error {
	for name := range r.members {
		r.problems.Add(shorten(name), "There is no such field.")
	}
	return r.problems.OrNil()
}
