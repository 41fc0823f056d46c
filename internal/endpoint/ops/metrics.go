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
}

// NewMetrics makes the counters.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ostiary_http_requests_total", Help: "Requests answered.",
		}, []string{"surface", "route", "method", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ostiary_http_request_duration_seconds", Help: "Time from the request's headers to the end of the answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"surface", "route", "method"}),
	}
	m.series.Store(&map[request]*counted{})
	m.registry.MustRegister(m.requests, m.durations,
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
}

func (m *Metrics) add(k request) *counted {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &counted{
		requests: m.requests.WithLabelValues(k.surface, k.route, k.method, strconv.Itoa(k.status)),
		seconds:  m.durations.WithLabelValues(k.surface, k.route, k.method),
	}
	series := maps.Clone(*m.series.Load())
	series[k] = c
	m.series.Store(&series)
	return c
}

// Gauge shows a number that somebody else keeps; it is read when asked for.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Counter shows a count that somebody else keeps; it is read when asked for.
func (m *Metrics) Counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}

// Counters shows counts that somebody else keeps, told apart by labels; they are
// read when asked for. read calls add once for each set of values of the labels,
// of which there must be few.
func (m *Metrics) Counters(name, help string, labels []string, read func(add func(n float64, values ...string))) {
	m.registry.MustRegister(&counters{prometheus.NewDesc(name, help, labels, nil), read})
}

// counters are a prometheus.Collector.
type counters struct {
	desc *prometheus.Desc
	read func(add func(n float64, values ...string))
}

// Describe implements prometheus.Collector.
func (c *counters) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect implements prometheus.Collector.
func (c *counters) Collect(to chan<- prometheus.Metric) {
	c.read(func(n float64, values ...string) {
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, n, values...)
	})
}
