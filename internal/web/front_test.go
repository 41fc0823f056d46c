package web_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/web"
)

// only serves one handler at GET and POST /x.
func only(h web.Handler) *web.Front {
	f := front()
	f.Applications = web.NewSurface("app", errorsOf("app"), web.Route{Method: "GET", Path: "/x", Handle: h}, web.Route{Method: "POST", Path: "/x", Handle: h})
	return f
}

// logged gives what is logged while do runs.
func logged(t *testing.T, do func()) string {
	t.Helper()
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	do()
	return log.String()
}

func TestAPanicIsTheSurfacesError(t *testing.T) {
	h := only(func(http.ResponseWriter, *http.Request) error { panic("oh") })
	w := httptest.NewRecorder()
	log := logged(t, func() { h.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil)) })
	if w.Code != 500 || w.Body.String() != "app: panic: oh" || w.Header().Get("X-Request-Id") == "" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if !strings.Contains(log, "request_id=the-servers-own1") || !strings.Contains(log, "front_test.go") {
		t.Errorf("the log has no request id or no stack: %s", log)
	}
}

// TestHalfAnAnswerIsCut: a caller must not take the half for the whole.
func TestHalfAnAnswerIsCut(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("oh") },
		"panic": func() error { panic("oh") },
	} {
		address := listen(t, only(func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			return fail()
		}))
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err == nil || string(body) != "half" {
			t.Errorf("%s: got %q, %v; want the connection cut after half", name, body, err)
		}
	}
}

// TestTheLogHasNoSecrets: of a request it holds the route, never what callers
// put into query, headers or body, or into a path that is no route.
func TestTheLogHasNoSecrets(t *testing.T) {
	f := only(func(http.ResponseWriter, *http.Request) error { return nil })
	log := logged(t, func() {
		for _, target := range []string{"/x?secret=hunter2", "/hunter2/x", "/config/hunter2/clients?access_token=hunter2"} {
			r := httptest.NewRequest("POST", target, strings.NewReader("password=hunter2"))
			r.SetBasicAuth("client", "hunter2")
			r.Header.Set("X-Token", "hunter2")
			f.ServeHTTP(httptest.NewRecorder(), r)
		}
	})
	if strings.Contains(log, "hunter2") || strings.Count(log, "request_id=") != 3 {
		t.Errorf("the log is\n%s", log)
	}
	if !strings.Contains(log, "route=/config/{app}/clients") {
		t.Errorf("the log names no route:\n%s", log)
	}
}

func TestObserved(t *testing.T) {
	type seen struct {
		surface, route, method string
		status                 int
	}
	var got []seen
	f := only(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusAccepted)
		return nil
	})
	f.Observe = func(surface, route, method string, status int, _ time.Duration) {
		got = append(got, seen{surface, route, method, status})
	}
	for _, target := range []string{"/x", "/y", "/config/a/clients", "/"} {
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
	}
	want := []seen{{"app", "/x", "GET", 202}, {"app", "", "GET", 404}, {"config", "/config/{app}/clients", "GET", 200}, {"none", "", "GET", 404}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
}

func TestGate(t *testing.T) {
	ran := false
	f := only(func(http.ResponseWriter, *http.Request) error { ran = true; return nil })
	f.Gate = func() error { return errors.New("not now") }
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
	if ran || w.Body.String() != "app: not now" {
		t.Errorf("ran: %v; got %q", ran, w.Body)
	}
}

func TestHeaderLimit(t *testing.T) {
	f := only(func(http.ResponseWriter, *http.Request) error { return nil })
	for name, c := range map[string]struct {
		query, header int
		want          int
	}{
		"much":            {30_000, 30_000, 200},
		"a long query":    {33_000, 0, 431},
		"a large header":  {0, 33_000, 431},
		"both just small": {32_000, 32_000, 200},
	} {
		r := httptest.NewRequest("GET", "/x?"+strings.Repeat("q", c.query), nil)
		r.Header.Set("X", strings.Repeat("h", c.header))
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if w.Code != c.want || w.Code == 431 && !strings.HasPrefix(w.Body.String(), "app: ") {
			t.Errorf("%s: got %d %.40q, want %d", name, w.Code, w.Body, c.want)
		}
	}
}

func TestReadBody(t *testing.T) {
	address := listen(t, only(func(w http.ResponseWriter, r *http.Request) error {
		body, err := web.ReadBody(w, r, 10)
		if err != nil {
			return err
		}
		_, err = w.Write(body)
		return err
	}))
	for name, c := range map[string]struct {
		headers, body string
		status        int
		want          string
	}{
		"none":                   {"Content-Length: 0\r\n", "", 200, ""},
		"at the limit":           {"Content-Length: 10\r\n", "0123456789", 200, "0123456789"},
		"over it, and said so":   {"Content-Length: 11\r\n", "", 413, "app: request body too large"},
		"chunked":                {"Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", 200, "abc"},
		"chunked, over it":       {"Transfer-Encoding: chunked\r\n", "b\r\n0123456789a\r\n0\r\n\r\n", 413, "app: request body too large"},
		"chunked, and malformed": {"Transfer-Encoding: chunked\r\n", "x\r\n", 500, "app: "},
	} {
		answer, body := raw(t, address, "POST /x HTTP/1.1\r\nHost: a\r\n"+c.headers+"\r\n"+c.body)
		if c.status == 413 && !answer.Close {
			t.Errorf("%s: the connection goes on", name)
		}
		if answer.StatusCode != c.status || !strings.HasPrefix(body, c.want) {
			t.Errorf("%s: got %d %q, want %d %q", name, answer.StatusCode, body, c.status, c.want)
		}
	}
}

// TestARefusalReachesWhoSendsFirst: callers that read only once they have sent
// everything get their answer, rather than a connection that was reset.
func TestARefusalReachesWhoSendsFirst(t *testing.T) {
	const size = 12 << 20 // more than the buffers of a connection hold
	for name, c := range map[string]struct {
		handle web.Handler
		want   string
	}{
		"too large": {func(w http.ResponseWriter, r *http.Request) error {
			_, err := web.ReadBody(w, r, 10)
			return err
		}, "app: request body too large"},
		"refused for another reason": {func(http.ResponseWriter, *http.Request) error { return web.ErrNotFound }, "app: no such route"},
	} {
		address := listen(t, only(c.handle))
		_, body := raw(t, address, fmt.Sprintf("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size)))
		if body != c.want {
			t.Errorf("%s: got %q", name, body)
		}
	}
}
