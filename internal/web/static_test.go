package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ostiary/ostiary/internal/web"
)

// What gets smaller by it is sent compressed to whoever takes that.
func TestStaticFilesAreCompressed(t *testing.T) {
	long := strings.Repeat("body{color:red}\n", 1000)
	static, err := web.NewStatic("/static/", fstest.MapFS{"long.css": {Data: []byte(long)}, "short.css": {Data: []byte("x")}})
	if err != nil {
		t.Fatal(err)
	}
	surface := web.NewSurface("static", errorsOf("static"), static.Routes()...)
	get := func(name string, accepts ...string) *httptest.ResponseRecorder {
		path, err := static.Path(name)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		r.Header["Accept-Encoding"] = accepts
		w := httptest.NewRecorder()
		surface.ServeHTTP(w, r)
		return w
	}
	for accepts, want := range map[string]bool{
		"gzip": true, "br, GZIP;q=0.5": true, "deflate,gzip; q=1.0": true, "gzip;q": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "x-gzip": false, "*": false, "gzipped": false,
	} {
		w := get("long.css", accepts)
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: Vary %q", accepts, w.Header().Get("Vary"))
		}
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: compressed %t, want %t", accepts, got, want)
		}
		if !want && w.Body.String() != long {
			t.Errorf("%q: %d bytes", accepts, w.Body.Len())
		}
	}
	packed := get("long.css", "br", "gzip")
	r, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != long {
		t.Errorf("unpacked: %d bytes, %v", len(text), err)
	}
	if h := get("short.css", "gzip").Header(); h.Get("Content-Encoding") != "" || h.Get("Vary") != "" {
		t.Errorf("what would not get smaller: %v", h)
	}
}
