package ops

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics are the server's counters, in a registry of their own. Every label
// has few values, whatever strangers send: routes are patterns, methods the
// known ones.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	tokens    *prometheus.CounterVec

	tokenRoute string // of the token endpoint

	mu     sync.Mutex // of changes to series
	series atomic.Pointer[map[request]*counted]
}

// request is what requests are counted by.
type request struct {
	surface, route, method string
	status                 int
}

// counted are the counters of one request, looked up once: by labels it costs
// about a microsecond and several allocations each time.
type counted struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
	tokens   prometheus.Counter // nil where it was no request for a token
}

// NewMetrics makes the counters; tokenRoute is the pattern of the token endpoint.
func NewMetrics(tokenRoute string) *Metrics {
	m := &Metrics{
		registry:   prometheus.NewRegistry(),
		tokenRoute: tokenRoute,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ostiary_http_requests_total", Help: "Requests answered.",
		}, []string{"surface", "route", "method", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ostiary_http_request_duration_seconds", Help: "Time from the request's headers to the end of the answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"surface", "route", "method"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ostiary_token_requests_total", Help: "Requests for tokens, by what came of them: issued, refused, or failed for the server's own reasons.",
		}, []string{"outcome"}),
	}
	m.series.Store(&map[request]*counted{})
	m.registry.MustRegister(m.requests, m.durations, m.tokens,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// methods that are counted by their name.
var methods = []string{
	http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions,
}

// Observe counts a request that was answered; it is a web.Observer.
func (m *Metrics) Observe(surface, route, method string, status int, took time.Duration) {
	if !slices.Contains(methods, method) {
		method = "other"
	}
	k := request{surface, route, method, status}
	c, ok := (*m.series.Load())[k]
	if !ok {
		c = m.add(k)
	}
	c.requests.Inc()
	c.seconds.Observe(took.Seconds())
	if c.tokens != nil {
		c.tokens.Inc()
	}
}

func (m *Metrics) add(k request) *counted {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &counted{
		requests: m.requests.WithLabelValues(k.surface, k.route, k.method, strconv.Itoa(k.status)),
		seconds:  m.durations.WithLabelValues(k.surface, k.route, k.method),
	}
	if k.route == m.tokenRoute && k.method == http.MethodPost {
		c.tokens = m.tokenOutcome(k.status)
	}
	series := maps.Clone(*m.series.Load())
	series[k] = c
	m.series.Store(&series)
	return c
}

// tokenOutcome gives the counter of what came of a request for a token.
func (m *Metrics) tokenOutcome(status int) prometheus.Counter {
	switch {
	case status < http.StatusBadRequest:
		return m.tokens.WithLabelValues("issued")
	case status < http.StatusInternalServerError:
		return m.tokens.WithLabelValues("refused")
	default:
		return m.tokens.WithLabelValues("failed")
	}
}

// Gauge shows a number that somebody else keeps; it is read when asked for.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Counter shows a count that somebody else keeps; it is read when asked for.
func (m *Metrics) Counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}
