package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestRouting sends request lines as strangers may write them, over a socket,
// since http.Request cannot hold them all.
func TestRouting(t *testing.T) {
	address := listen(t, front())
	for _, c := range []struct {
		line   string
		status int
		body   string // how it begins
	}{
		{"GET /config/a1/clients", 200, "config /config/{app}/clients app=a1"},
		{"POST /config/a1/clients", 200, "config /config/{app}/clients app=a1"},
		{"GET /config/a1/clients/c1", 200, "config /config/{app}/clients/{id} app=a1 id=c1"},
		{"GET /config/a1/clients/c%2F1", 200, "config /config/{app}/clients/{id} app=a1 id=c/1"},
		{"GET /config/a1/clients/%63", 200, "config /config/{app}/clients/{id} app=a1 id=c"},
		{"GET /config/a1/clients?x=/y", 200, "config /config/{app}/clients app=a1"},
		{"POST /a1/oauth2/token", 200, "app /{app}/oauth2/token app=a1"},
		{"HEAD /a1/oauth2/jwks", 200, ""},

		// Route by path, never by host.
		{"POST http://elsewhere.example/config/a1/clients", 200, "config /config/{app}/clients app=a1"},
		{"POST https://elsewhere.example:99/a1/oauth2/token?x=y", 200, "app /{app}/oauth2/token app=a1"},
		{"GET http://elsewhere.example", 404, "none: no such route"},

		// Each surface has its own 404 and 405.
		{"GET /config", 404, "config: no such route"},
		{"GET /config/", 404, "config: no such route"},
		{"GET /config/a1", 404, "config: no such route"},
		{"GET /config/a1/clients/", 404, "config: no such route"},
		{"GET /config/a1/clients/c1/", 404, "config: no such route"},
		{"GET /config//clients", 404, "config: no such route"},
		{"GET /config/a1//clients", 404, "config: no such route"},
		{"GET /config%2Fa1/clients", 404, "config: no such route"},
		{"GET /config/a1%2Fclients", 404, "config: no such route"},
		{"GET /config/../config/a1/clients", 404, "config: no such route"},
		{"GET /config/a1/./clients", 404, "config: no such route"},
		{"GET /config/a1/CLIENTS", 404, "config: no such route"},
		{"GET /config/" + strings.Repeat("a/", 20), 404, "config: no such route"},
		{"PUT /config/a1/clients", 405, "config: method not allowed; allowed: GET, POST"},
		{"PATCH /config/a1/clients/c1", 405, "config: method not allowed; allowed: GET, DELETE"},
		{"PUT /config/a1/clients/all", 405, "config: method not allowed; allowed: GET, DELETE"},
		{"HEAD /config/a1/clients", 405, ""},
		{"OPTIONS /config/a1/clients", 405, "config: method not allowed"},
		{"BREW /config/a1/clients", 405, "config: method not allowed"},
		{"GET /a1/oauth2/token", 405, "app: method not allowed; allowed: POST"},
		{"GET /a1", 404, "app: no such route"},
		{"GET /Config/a1/clients", 404, "app: no such route"},
		{"GET /", 404, "none: no such route"},
		{"GET //config/a1/clients", 404, "none: no such route"},
		{"GET //evil.example/%2e%2e", 404, "none: no such route"},
		{"GET /api/v1/applications", 404, "none: no such route"},
		{"OPTIONS *", 404, "app: no such route"},

		// A route for all methods, and for all that is below.
		{"GET /a1/check", 200, "app /{app}/check app=a1"},
		{"BREW /a1/check", 200, "app /{app}/check app=a1"},
		{"GET /a1/check/", 200, "app /{app}/check/{id...} app=a1 id="},
		{"PUT /a1/check/b%2Fc//../d;e", 200, "app /{app}/check/{id...} app=a1 id=b%2Fc//../d;e"},
		{"GET /a1/check/" + strings.Repeat("a/", 20) + "?b=c", 200, "app /{app}/check/{id...} app=a1 id=" + strings.Repeat("a/", 20)},
		{"GET //check/a", 404, "none: no such route"},
		{"GET /a1/checks", 404, "app: no such route"},
	} {
		answer, body := raw(t, address, c.line+" HTTP/1.1\r\nHost: ours.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		if answer.StatusCode != c.status || !strings.HasPrefix(body, c.body) || c.body == "" && body != "" {
			t.Errorf("%s: got %d %q, want %d %q", c.line, answer.StatusCode, body, c.status, c.body)
		}
		if answer.Header.Get("X-Request-Id") != "the-servers-own1" {
			t.Errorf("%s: X-Request-Id is %q", c.line, answer.Header.Get("X-Request-Id"))
		}
		if answer.StatusCode == http.StatusMethodNotAllowed && answer.Header.Get("Allow") == "" {
			t.Errorf("%s: 405 without Allow", c.line)
		}
		if answer.Header.Get("Location") != "" {
			t.Errorf("%s: redirected", c.line)
		}
	}
}

// TestRequestIDIsNotTakenOver: one that a caller sends could be forged to hide
// in another's log lines.
func TestRequestIDIsNotTakenOver(t *testing.T) {
	address := listen(t, front())
	answer, _ := raw(t, address, "GET /config/a1/clients HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n")
	if got := answer.Header.Values("X-Request-Id"); len(got) != 1 || got[0] != "the-servers-own1" {
		t.Errorf("X-Request-Id is %q", got)
	}
}

func TestARouteIsDeclaredOnce(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a route declared twice did not panic")
		}
	}()
	named("x", "GET /a/{b}", "GET /a/{b}")
}

func FuzzRouting(f *testing.F) {
	for _, path := range []string{"/config/a1/clients", "//config", "/%2f", "/config/%", "*", "", "/config/a1/clients/%00", strings.Repeat("/", 40)} {
		f.Add("GET", path)
	}
	h := front()
	f.Fuzz(func(t *testing.T, method, target string) {
		r, err := http.NewRequestWithContext(t.Context(), method, target, nil)
		if err != nil {
			return
		}
		r.RemoteAddr = "192.0.2.1:1"
		w := &answered{header: http.Header{}}
		h.ServeHTTP(w, r)
		if w.status == 0 || w.status >= 500 {
			t.Errorf("%s %q: status %d", method, target, w.status)
		}
	})
}

// answered remembers a status.
type answered struct {
	header http.Header
	status int
}

func (a *answered) Header() http.Header { return a.header }

func (a *answered) WriteHeader(status int) { a.status = status }

func (a *answered) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return len(b), nil
}
