// Package web is the HTTP kit: routing by the first path segment, surfaces with
// their own error writer, request ids, the client's address behind proxies,
// limits. It has no knowledge of what is served.
package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
)

// Handler answers a request, or gives back an error for its surface's writer.
// It must not give back an error after it has begun to answer.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Route is one method of one path. Path has segments that stand for themselves
// and {names}, which match one non-empty segment each and are read with
// Request.PathValue. A last segment {name...} matches all that is left of the
// path, nothing too; it is read as it was sent, still escaped.
type Route struct {
	Method string // "": any
	Path   string
	Handle Handler
}

// Errors of the kit itself; surfaces give them their form.
var (
	ErrNotFound = errors.New("no such route")
	ErrTooLarge = errors.New("request body too large")
	ErrHeaders  = errors.New("request headers too large")
)

// MethodError says that the path exists, but not with this method.
type MethodError struct{ Allow string }

// Error names the methods that exist.
func (e *MethodError) Error() string { return "method not allowed; allowed: " + e.Allow }

// PanicError is a handler's panic, caught.
type PanicError struct {
	Value any
	Stack []byte
}

// Error gives the value that was panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// ErrorWriter gives an error the form of its surface. There is one a surface;
// no handler writes an error by hand.
type ErrorWriter func(w http.ResponseWriter, r *http.Request, err error)

// Surface is one way in which the outside talks to the server: its routes and
// its error form.
type Surface struct {
	name   string
	errors ErrorWriter
	routes []compiled
}

type compiled struct {
	Route
	segments []string
	rest     string // the name of the last segment, where that matches all that is left
}

// NewSurface makes a surface; it panics on a route that is declared twice.
func NewSurface(name string, errors ErrorWriter, routes ...Route) *Surface {
	s := &Surface{name: name, errors: errors}
	for _, r := range routes {
		c := compiled{Route: r, segments: strings.Split(strings.TrimPrefix(r.Path, "/"), "/")}
		last := len(c.segments) - 1
		if name, ok := strings.CutSuffix(c.segments[last], "...}"); ok {
			c.segments, c.rest = c.segments[:last], name[1:]
		}
		if slices.ContainsFunc(s.routes, func(o compiled) bool { return o.Method == r.Method && o.Path == r.Path }) {
			panic("web: route declared twice: " + r.Method + " " + r.Path)
		}
		s.routes = append(s.routes, c)
	}
	return s
}

// maxSegments is more than any route has; longer paths match only a route that
// takes all that is left.
const maxSegments = 12

// ServeHTTP finds the route and runs it. Paths are neither cleaned nor
// redirected; they are split before they are unescaped, so %2F is no separator.
func (s *Surface) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	info := InfoOf(r)
	info.surface = s.name
	var buf [maxSegments]string
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	segments, whole, ok := split(path, buf[:0])
	if !ok {
		s.fail(w, r, ErrNotFound)
		return
	}
	var allow []string
	for i := range s.routes {
		route := &s.routes[i]
		if !route.matches(segments, whole) {
			continue
		}
		if route.Method != "" && route.Method != r.Method {
			if !slices.Contains(allow, route.Method) {
				allow = append(allow, route.Method)
			}
			continue
		}
		for j, name := range route.segments {
			if name[0] == '{' {
				r.SetPathValue(name[1:len(name)-1], segments[j])
			}
		}
		if route.rest != "" {
			r.SetPathValue(route.rest, strings.SplitN(path, "/", len(route.segments)+1)[len(route.segments)])
		}
		info.route = route.Path
		s.run(w, r, route.Handle)
		return
	}
	if allow != nil {
		s.fail(w, r, &MethodError{Allow: strings.Join(allow, ", ")})
		return
	}
	s.fail(w, r, ErrNotFound)
}

func (s *Surface) run(w http.ResponseWriter, r *http.Request, h Handler) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler { //nolint:errorlint // compared as net/http does
				panic(v)
			}
			s.fail(w, r, &PanicError{v, debug.Stack()})
		}
	}()
	if max(headerBytes(r.Header), len(r.URL.RawQuery)+len(r.URL.Path)) > maxHeaderBytes {
		s.fail(w, r, ErrHeaders)
		return
	}
	if gate := InfoOf(r).gate; gate != nil {
		if err := gate(); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	if err := h(w, r); err != nil {
		s.fail(w, r, err)
	}
}

// fail notes the error for the log and has the surface write it. Where an
// answer has begun there is no room for one: the connection is cut, so that the
// caller does not take the half for the whole.
func (s *Surface) fail(w http.ResponseWriter, r *http.Request, err error) {
	info := InfoOf(r)
	info.err = err
	if r.ContentLength < 0 || r.ContentLength > readAnyway {
		info.unread = true // what was read already costs nothing to read again
	}
	if m, ok := errors.AsType[*MethodError](err); ok {
		w.Header().Set("Allow", m.Allow)
	}
	if p, ok := errors.AsType[*PanicError](err); ok {
		slog.ErrorContext(r.Context(), "panic in a handler", "request_id", info.ID, "panic", fmt.Sprint(p.Value), "stack", string(p.Stack))
	}
	if rec, ok := w.(*recorder); ok && rec.status != 0 {
		panic(http.ErrAbortHandler)
	}
	s.errors(w, r, err)
	if info.unread {
		linger(w, r)
	}
}

// Note notes an error for the log, for a handler that answers it by itself
// because the answer is no error's form: a page, or a redirect.
func Note(r *http.Request, err error) { InfoOf(r).err = err }

// split gives the segments of an escaped path, unescaped; whole is false where
// there are more than any route names.
func split(path string, segments []string) (_ []string, whole, ok bool) {
	for part := range strings.SplitSeq(path, "/") {
		if len(segments) == maxSegments {
			return segments, false, true
		}
		if strings.IndexByte(part, '%') >= 0 {
			plain, err := url.PathUnescape(part)
			if err != nil {
				return nil, false, false
			}
			part = plain
		}
		segments = append(segments, part)
	}
	return segments, true, true
}

func (c *compiled) matches(segments []string, whole bool) bool {
	if c.rest == "" && (!whole || len(segments) != len(c.segments)) || c.rest != "" && len(segments) <= len(c.segments) {
		return false
	}
	for i, p := range c.segments {
		if segments[i] == "" || (p[0] != '{' && p != segments[i]) {
			return false
		}
	}
	return true
}
