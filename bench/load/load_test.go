//go:build linux

package load_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary/bench/load"
)

func TestPercentiles(t *testing.T) {
	var h load.Histogram
	for i := range 1000 {
		h.Record(time.Duration(i+1) * time.Microsecond)
	}
	for _, c := range []struct {
		p    float64
		want time.Duration
	}{{0, 1 * time.Microsecond}, {50, 500 * time.Microsecond}, {99, 990 * time.Microsecond}, {100, 1000 * time.Microsecond}} {
		got := h.Percentile(c.p)
		if got < c.want || float64(got) > 1.017*float64(c.want) {
			t.Errorf("percentile %v: %v, want %v or at most 1.6 %% more", c.p, got, c.want)
		}
	}
}

func TestPercentileOfFew(t *testing.T) {
	var h load.Histogram
	if got := h.Percentile(50); got != 0 {
		t.Errorf("of none: %v", got)
	}
	h.Record(7)
	h.Record(3 * time.Hour)
	if got := h.Percentile(50); got != 7 {
		t.Errorf("lower of two: %v", got)
	}
	if got := h.Percentile(99); got != 3*time.Hour {
		t.Errorf("upper of two: %v", got)
	}
}

// TestRun drives a real server: each request is sent once, in order of the
// list, and each body is handed on.
func TestRun(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		body, _ := io.ReadAll(r.Body)
		if len(body) == 5 {
			w.(http.Flusher).Flush() // now net/http sends chunks
		}
		_, _ = fmt.Fprintf(w, "got %s", body)
	}))
	defer server.Close()
	var requests [][]byte
	for i := range 1000 {
		body := strings.Repeat("x", i%10)
		requests = append(requests, fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	}
	bodies := 0
	outcome := drive(t, server, load.Work{
		Requests: requests, Once: true, Status: http.StatusOK, Contains: "got ",
		Then: func(int, load.Answer) []byte { bodies++; return nil },
	})
	if served.Load() != 1000 || outcome.Requests != 1000 || bodies != 1000 || outcome.Sent != 1000 {
		t.Errorf("served %d, counted %d, handed on %d, sent %d; want 1000 each", served.Load(), outcome.Requests, bodies, outcome.Sent)
	}
}

// TestRunOfPieces: a piece of work of two requests is one, and may leave another
// request for the next time.
func TestRunOfPieces(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		if r.URL.Path == "/first" {
			w.Header().Set("Location", "/second?"+r.URL.RawQuery)
			w.WriteHeader(http.StatusSeeOther)
			return
		}
		_, _ = fmt.Fprint(w, r.URL.String())
	}))
	defer server.Close()
	get := func(path string) []byte { return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path) }
	var requests [][]byte
	for i := range 100 {
		requests = append(requests, get(fmt.Sprintf("/first?%d", i)))
	}
	outcome := drive(t, server, load.Work{
		Requests: requests, Once: true, Status: http.StatusOK, Contains: "/second",
		Then: func(begun int, a load.Answer) []byte {
			_, to, found := strings.Cut(string(a.Head), "Location: ")
			if !found {
				requests[begun] = slices.Clone(a.Body)
				return nil
			}
			to, _, _ = strings.Cut(to, "\r\n")
			return get(to)
		},
	})
	if served.Load() != 200 || outcome.Requests != 100 || outcome.Sent != 100 {
		t.Errorf("served %d, counted %d, sent %d; want 200, 100, 100", served.Load(), outcome.Requests, outcome.Sent)
	}
	for i, left := range requests {
		if want := fmt.Sprintf("/second?%d", i); string(left) != want {
			t.Fatalf("piece %d left %q; want %q", i, left, want)
		}
	}
}

func TestRunEndsInTime(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	outcome := drive(t, server, load.Work{
		Requests: [][]byte{[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")}, Duration: 50 * time.Millisecond, Status: http.StatusOK,
	})
	if outcome.Requests < 2 || outcome.Elapsed < 50*time.Millisecond {
		t.Errorf("%d requests in %v", outcome.Requests, outcome.Elapsed)
	}
}

func TestRunRefusesWrongAnswers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()
	connections := dial(t, server)
	_, err := connections.Run(load.Work{
		Requests: [][]byte{[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")}, Duration: time.Minute, Status: http.StatusOK,
	})
	if err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("got %v, want an error that names 418", err)
	}
}

func dial(t *testing.T, server *httptest.Server) *load.Connections {
	t.Helper()
	address, err := netip.ParseAddrPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	connections, err := load.Dial(address, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connections.Close)
	return connections
}

func drive(t *testing.T, server *httptest.Server, work load.Work) *load.Outcome {
	t.Helper()
	outcome, err := dial(t, server).Run(work)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}
