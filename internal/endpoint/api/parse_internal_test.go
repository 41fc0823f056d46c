package api

import (
	"net/http/httptest"
	"testing"
	"unicode/utf8"
)

func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "eyJzIjo1fQ", "MS4y", "AAAA", "====", "e30", "eyJ1IjoxLCJzIjotMX0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		p := Paging{Cursor: cursor}
		text, err := p.place()
		if err == nil && cursor != "" && (text == "" || !utf8.ValidString(text)) {
			t.Errorf("a place that is no text: %q", text)
		}
		audit := auditPage{Paging: p}
		_, _ = audit.after()
		if err == nil && text != "" {
			again := Paging{Cursor: *page([]int{}, text).Body.NextCursor}
			if back, err := again.place(); err != nil || back != text {
				t.Errorf("%q comes back as %q, %v", text, back, err)
			}
		}
	})
}

func FuzzBody(f *testing.F) {
	for _, seed := range []string{"", "{}", "[]", `{"a":1}`, `{"a":`, "\xff", `{"label":"x","immediately":true,"hours":1e3}`, `{"a":null}{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := &call{Request: httptest.NewRequest("POST", "/", nil), body: body}
		r, err := c.reader()
		if err != nil {
			return
		}
		r.text("label")
		r.truth("immediately")
		r.integer("hours")
		r.instant("expires_at")
		if err := r.end(); err == nil && len(r.members) != 0 {
			t.Errorf("members that nobody knows were taken: %v", r.members)
		}
	})
}

func FuzzIfMatch(f *testing.F) {
	for _, seed := range []string{"", "*", `"1"`, `W/"1"`, `"1", "2"`, `"`, `""`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		m := IfMatch{Value: header}
		if revision, err := m.revision(); err == nil && revision != nil && header != "" && etag(*revision) == "" {
			t.Error("no tag")
		}
	})
}
