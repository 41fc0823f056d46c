package configapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"
)

// object is a JSON object as it was sent. Names are compared exactly; of a
// repeated one the last counts.
type object map[string]json.RawMessage

// parseObject reads a body strictly: UTF-8, one object, nothing after it. An
// empty body counts as an empty object.
func parseObject(body []byte) (object, bool) {
	if len(body) == 0 {
		return object{}, true
	}
	var o object
	if !utf8.Valid(body) || json.Unmarshal(body, &o) != nil || o == nil {
		return nil, false
	}
	return o, true
}

// parseString reads a JSON string. One with half a surrogate pair is refused:
// it is no text, and would come back as another.
func parseString(value json.RawMessage) (string, bool) {
	var s string
	if value[0] != '"' || json.Unmarshal(value, &s) != nil {
		return "", false
	}
	replaced := strings.Count(s, "\ufffd")
	if replaced > 0 && replaced != bytes.Count(value, []byte("\ufffd"))+bytes.Count(bytes.ToLower(value), []byte(`\ufffd`)) {
		return "", false
	}
	return s, true
}

// parseStrings reads a JSON array of strings.
func parseStrings(value json.RawMessage) ([]string, bool) {
	var values []json.RawMessage
	if value[0] != '[' || json.Unmarshal(value, &values) != nil {
		return nil, false
	}
	out := make([]string, len(values))
	for i, v := range values {
		s, ok := parseString(v)
		if !ok {
			return nil, false
		}
		out[i] = s
	}
	return out, true
}

// encode writes a value of this package's own types as JSON, with <, > and & as
// they are.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// begin writes the head of an answer. All of this API is about secrets: nothing
// of it is to be kept by anyone between.
func begin(w http.ResponseWriter, status int) {
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Cache-Control"] = []string{"no-store"}
	w.WriteHeader(status)
}

// write answers; the answer to HEAD has no body (RFC 9110 §9.3.2).
func write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	begin(w, status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
