// Package ops owns the surface for machines that run the server: whether it
// lives, whether it is ready, and its metrics. It is meant for a listener of
// its own, since it asks nobody who they are; it holds no state of its own but
// the counters.
package ops

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ostiary/ostiary/internal/web"
)

// Deps is what the surface asks.
type Deps struct {
	// Ready says why the server should be sent no requests now; nil: it should.
	Ready   func(ctx context.Context) error
	Metrics *Metrics
}

// readyTimeout bounds the question to the database; orchestrators give up after
// a second by default.
const readyTimeout = 900 * time.Millisecond

// New makes the surface.
func New(d Deps) *web.Surface {
	metrics := promhttp.HandlerFor(d.Metrics.registry, promhttp.HandlerOpts{})
	live := func(w http.ResponseWriter, _ *http.Request) error {
		return write(w, http.StatusOK, `{"status":"live"}`)
	}
	ready := func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := d.Ready(ctx); err != nil {
			return &unreadyError{err}
		}
		return write(w, http.StatusOK, `{"status":"ready"}`)
	}
	show := func(w http.ResponseWriter, r *http.Request) error {
		metrics.ServeHTTP(w, r)
		return nil
	}
	return web.NewSurface("ops", writeError,
		web.Route{Method: http.MethodGet, Path: "/livez", Handle: live},
		web.Route{Method: http.MethodHead, Path: "/livez", Handle: live},
		web.Route{Method: http.MethodGet, Path: "/readyz", Handle: ready},
		web.Route{Method: http.MethodHead, Path: "/readyz", Handle: ready},
		web.Route{Method: http.MethodGet, Path: "/metrics", Handle: show},
	)
}

// unreadyError is why the server is not ready. The caller is told no more than
// that; the log has the cause.
type unreadyError struct{ cause error }

func (e *unreadyError) Error() string { return "not ready: " + e.cause.Error() }
func (e *unreadyError) Unwrap() error { return e.cause }

func write(w http.ResponseWriter, status int, body string) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body + "\n")) // who has gone needs no answer
	return nil
}

func writeError(w http.ResponseWriter, _ *http.Request, err error) {
	status, body := http.StatusInternalServerError, `{"status":"failed"}`
	if _, ok := errors.AsType[*unreadyError](err); ok {
		status, body = http.StatusServiceUnavailable, `{"status":"not ready"}`
	}
	if _, ok := errors.AsType[*web.MethodError](err); ok {
		status, body = http.StatusMethodNotAllowed, `{"status":"method not allowed"}`
	}
	switch {
	case errors.Is(err, web.ErrNotFound):
		status, body = http.StatusNotFound, `{"status":"not found"}`
	case errors.Is(err, web.ErrHeaders):
		status, body = http.StatusRequestHeaderFieldsTooLarge, `{"status":"headers too large"}`
	}
	_ = write(w, status, body)
}
