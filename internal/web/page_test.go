package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/web"
)

func TestStaticFiles(t *testing.T) {
	files := fstest.MapFS{"a.css": {Data: []byte("body{}")}, "b.js": {Data: []byte("x")}}
	static, err := web.NewStatic("/static/", files)
	if err != nil {
		t.Fatal(err)
	}
	path, err := static.Path("a.css")
	if err != nil || !strings.HasPrefix(path, "/static/a.") || !strings.HasSuffix(path, ".css") || len(path) != len("/static/a.css")+13 {
		t.Fatalf("path %q, %v", path, err)
	}
	if _, err := static.Path("c.css"); err == nil {
		t.Error("a file that is not there has a path")
	}
	surface := web.NewSurface("static", errorsOf("static"), static.Routes()...)
	get := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		surface.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
		return w
	}
	w := get(http.MethodGet, path)
	h := w.Header()
	if w.Code != http.StatusOK || w.Body.String() != "body{}" || h.Get("Content-Type") != "text/css; charset=utf-8" ||
		!strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %q %v", w.Code, w.Body, h)
	}
	for _, other := range []string{"/static/a.css", "/static/a.000000000000.css", "/static/", "/static/../a.css"} {
		if w := get(http.MethodGet, other); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", other, w.Code)
		}
	}
	if w := get(http.MethodPost, path); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	files["a.css"] = &fstest.MapFile{Data: []byte("body{color:red}")}
	if static, err = web.NewStatic("/static/", files); err != nil {
		t.Fatal(err)
	}
	if again, _ := static.Path("a.css"); again == path {
		t.Error("other content has the same path")
	}
}

func TestPagesAreNotKeptFramedOrLeaked(t *testing.T) {
	w := httptest.NewRecorder()
	web.WriteHTML(w, http.StatusForbidden, []byte("<p>"))
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Content-Length": "3",
		"Content-Security-Policy": "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if w.Code != http.StatusForbidden {
		t.Errorf("status %d", w.Code)
	}
}

// Chromium holds form-action against where a client's own redirects lead, too.
func TestAFormMayLeadToAClient(t *testing.T) {
	w := httptest.NewRecorder()
	web.WriteLeavingHTML(w, http.StatusOK, []byte("<p>"))
	if got, want := w.Header().Get("Content-Security-Policy"), "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestReadForm(t *testing.T) {
	for _, c := range []struct {
		name, contentType, body string
		want                    error
	}{
		{"a form", "application/x-www-form-urlencoded", "a=1&b=%C3%A4", nil},
		{"with a charset", "application/x-www-form-urlencoded; charset=UTF-8", "a=1", nil},
		{"no type", "", "a=1", web.ErrForm},
		{"JSON", "application/json", "{}", web.ErrForm},
		{"too large", "application/x-www-form-urlencoded", "a=" + strings.Repeat("x", 1000), web.ErrTooLarge},
		{"not well encoded", "application/x-www-form-urlencoded", "a=%zz", web.ErrForm},
		{"no UTF-8", "application/x-www-form-urlencoded", "a=%ff", web.ErrForm},
		{"NUL", "application/x-www-form-urlencoded", "a%00=1", web.ErrForm},
		{"too many", "application/x-www-form-urlencoded", strings.Repeat("a&", 300), web.ErrForm},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		if _, err := web.ReadForm(httptest.NewRecorder(), r, 900); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func FuzzParseForm(f *testing.F) {
	for _, body := range []string{"", "a=b", "a=b&a=c", "%", "a=%00", ";", "=&=", "a=%C3%A4+%ff"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := web.ParseForm(body)
		if err != nil {
			return
		}
		again, err := url.ParseQuery(form.Encode())
		if err != nil || again.Encode() != form.Encode() {
			t.Errorf("%q: does not come through encoding", body)
		}
		if decoded, err := url.QueryUnescape(form.Encode()); err != nil || !utf8.ValidString(decoded) {
			t.Errorf("%q: no text", body)
		}
	})
}
