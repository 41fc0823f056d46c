package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/web"
)

func TestCookies(t *testing.T) {
	for _, c := range []struct{ base, want string }{
		{"https://id.example.com/shop", "__Secure-ostiary=value; Path=/shop/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"},
		{"https://id.example.com", "__Secure-ostiary=value; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"},
		{"http://127.0.0.1:8080/shop", "ostiary=value; Path=/shop/; Max-Age=3600; HttpOnly; SameSite=Lax"},
	} {
		w := httptest.NewRecorder()
		cookie := web.NewCookie("ostiary", c.base)
		cookie.Write(w, "value", time.Hour)
		if got := w.Header().Get("Set-Cookie"); got != c.want {
			t.Errorf("%s: %s, want %s", c.base, got, c.want)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.base, http.NoBody)
		if got := cookie.Read(r); got != "" {
			t.Errorf("%s: read %q where none was sent", c.base, got)
		}
		r.Header.Set("Cookie", cookie.Name()+"=nearer; "+cookie.Name()+"=farther")
		if got := cookie.Read(r); got != "nearer" {
			t.Errorf("%s: read %q, want the first", c.base, got)
		}
		w = httptest.NewRecorder()
		cookie.Clear(w)
		if got := w.Result().Cookies()[0]; got.MaxAge >= 0 || got.Value != "" {
			t.Errorf("%s: cleared by %v", c.base, got)
		}
	}
}

func TestACookieOfASession(t *testing.T) {
	w := httptest.NewRecorder()
	web.NewCookie("step", "https://id.example.com/shop").Write(w, "value", 0)
	if got, want := w.Header().Get("Set-Cookie"), "__Secure-step=value; Path=/shop/; HttpOnly; Secure; SameSite=Lax"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
