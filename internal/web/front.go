package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// maxHeaderBytes bounds header fields and, apart from them, the target. The
// server's own limit is higher, since what it answers then has no form of ours.
const maxHeaderBytes = 32 << 10

// Info is what the kit knows of a request.
type Info struct {
	ID      string     // the server's own request id, X-Request-Id of the answer
	Address netip.Addr // the client's address, unmapped, behind trusted proxies
	Proxied bool       // whether the peer is a trusted proxy, whose word is believed

	gate    func() error
	unread  bool // the body was refused before its end
	surface string
	route   string
	err     error
}

type infoKey struct{}

// InfoOf gives what the kit knows of a request that came through a Front.
func InfoOf(r *http.Request) *Info {
	if info, ok := r.Context().Value(infoKey{}).(*Info); ok {
		return info
	}
	return &Info{}
}

// Observer is told of each request that was answered.
type Observer func(surface, route, method string, status int, took time.Duration)

// Front is the outermost handler: it gives each request its id and address,
// splits on the first path segment, and logs and counts what was answered.
type Front struct {
	Reserved     func(segment string) bool // which segments belong to the server
	Surfaces     map[string]http.Handler   // of reserved segments
	Applications http.Handler              // of all other segments
	Elsewhere    http.Handler              // reserved, but not served
	Proxies      Proxies
	NewID        func() string
	Now          func() time.Time
	Observe      Observer
	Gate         func() error // why nothing may be answered at this moment; nil: no reason
	Draining     func() bool  // whether clients are asked to leave their connections; nil: no
}

// kept is what is made for each request, in one piece.
type kept struct {
	info     Info
	recorder recorder
	id       [1]string
}

// ServeHTTP routes by path, never by host: absolute-form targets are fine.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := f.Now()
	k := &kept{info: Info{ID: f.NewID(), gate: f.Gate}, recorder: recorder{ResponseWriter: w, leaving: f.Draining}}
	info, rec := &k.info, &k.recorder
	info.Address, info.Proxied = f.Proxies.ClientAddress(r)
	k.id[0] = info.ID
	w.Header()["X-Request-Id"] = k.id[:]
	defer func() { // also where the connection is aborted by a panic
		took := f.Now().Sub(start)
		if f.Observe != nil {
			f.Observe(info.surface, info.route, r.Method, rec.code(), took)
		}
		f.log(r, info, rec.code(), took)
	}()
	f.handler(r).ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), infoKey{}, info)))
}

func (f *Front) handler(r *http.Request) http.Handler {
	segment, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if h, ok := f.Surfaces[segment]; ok {
		return h
	}
	if segment == "" || f.Reserved(segment) {
		return f.Elsewhere
	}
	return f.Applications
}

// log writes what went wrong: the server's faults as errors, the caller's as
// information, the rest only when asked for. Query strings are never logged.
func (f *Front) log(r *http.Request, info *Info, status int, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	case status >= http.StatusBadRequest:
		level = slog.LevelInfo
	}
	if !slog.Default().Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", info.ID), slog.String("surface", info.surface),
		slog.String("method", r.Method), slog.String("route", info.route),
		slog.Int("status", status), slog.String("address", info.Address.String()), slog.Duration("took", took),
	}
	if info.err != nil {
		attrs = append(attrs, slog.String("error", info.err.Error()))
	}
	slog.LogAttrs(r.Context(), level, "request", attrs...)
}

// recorder remembers the status, and asks the client to leave where the server
// is stopping as the answer begins. Unwrap lets http.ResponseController through.
type recorder struct {
	http.ResponseWriter
	status  int
	leaving func() bool
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.begin(status)
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.begin(http.StatusOK)
	}
	return r.ResponseWriter.Write(b)
}

func (r *recorder) begin(status int) {
	r.status = status
	if r.leaving != nil && r.leaving() {
		r.Header()["Connection"] = []string{"close"}
	}
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

func headerBytes(h http.Header) int {
	n := 0
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n
}
