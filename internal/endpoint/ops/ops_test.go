package ops_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/endpoint/ops"
)

func get(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestReadiness(t *testing.T) {
	var why error
	s := ops.New(ops.Deps{Metrics: ops.NewMetrics(), Ready: func(ctx context.Context) error {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the question to the database has no end")
		}
		return why
	}})
	for _, c := range []struct {
		why    error
		status int
	}{{nil, 200}, {errors.New("the database at postgres://user:hunter2@db is gone"), 503}, {nil, 200}} {
		why = c.why
		for _, method := range []string{"GET", "HEAD"} {
			w := get(s, method, "/readyz")
			if w.Code != c.status || strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("%s, %v: got %d %s", method, c.why, w.Code, w.Body)
			}
		}
		if w := get(s, "GET", "/livez"); w.Code != 200 {
			t.Errorf("%v: /livez is %d", c.why, w.Code)
		}
	}
	for path, want := range map[string]int{"/readyz/": 404, "/": 404, "/debug/pprof/": 404} {
		if w := get(s, "GET", path); w.Code != want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
	if w := get(s, "POST", "/readyz"); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: got %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestMetrics(t *testing.T) {
	m := ops.NewMetrics()
	s := ops.New(ops.Deps{Metrics: m, Ready: func(context.Context) error { return nil }})
	for _, status := range []int{200, 200, 400, 401, 503} {
		m.Observe("protocol", "/{app}/oauth2/token", "POST", status, 3*time.Millisecond)
	}
	m.Observe("protocol", "/{app}/oauth2/token", "OPTIONS", 204, time.Millisecond)
	m.Observe("config", "", "BREW", 405, time.Millisecond)
	m.Observe("config", "", "PROPFIND", 405, time.Millisecond)
	m.Gauge("ostiary_test", "A test.", func() float64 { return 7 })
	m.Counters("ostiary_tests_total", "Tests.", []string{"what"}, func(add func(float64, ...string)) {
		add(1, "one")
		add(2, "two")
	})
	text := get(s, "GET", "/metrics").Body.String()
	for _, line := range []string{
		`ostiary_http_requests_total{method="POST",route="/{app}/oauth2/token",status="200",surface="protocol"} 2`,
		`ostiary_http_requests_total{method="other",route="",status="405",surface="config"} 2`,
		`ostiary_http_request_duration_seconds_bucket{method="POST",route="/{app}/oauth2/token",surface="protocol",le="0.0025"} 0`,
		`ostiary_http_request_duration_seconds_bucket{method="POST",route="/{app}/oauth2/token",surface="protocol",le="0.005"} 5`,
		`ostiary_tests_total{what="one"} 1`,
		`ostiary_tests_total{what="two"} 2`,
		"ostiary_test 7",
		"go_goroutines ",
		"process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no line %s", line)
		}
	}
}

// BenchmarkObserve is part of each request.
func BenchmarkObserve(b *testing.B) {
	m := ops.NewMetrics()
	b.ReportAllocs()
	for b.Loop() {
		m.Observe("protocol", "/{app}/oauth2/token", "POST", 200, time.Millisecond)
	}
}
