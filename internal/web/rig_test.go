package web_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/web"
)

// named is a surface whose answers say which route was found, and whose errors
// say that they are its own.
func named(name string, routes ...string) *web.Surface {
	var list []web.Route
	for _, r := range routes {
		method, path, _ := strings.Cut(r, " ")
		list = append(list, web.Route{Method: method, Path: path, Handle: func(w http.ResponseWriter, r *http.Request) error {
			_, err := fmt.Fprintf(w, "%s %s app=%s id=%s", name, path, r.PathValue("app"), r.PathValue("id"))
			return err
		}})
	}
	return web.NewSurface(name, errorsOf(name), list...)
}

// errorsOf writes errors in a form that names the surface.
func errorsOf(name string) web.ErrorWriter {
	return func(w http.ResponseWriter, _ *http.Request, err error) {
		status := http.StatusInternalServerError
		switch {
		case errors.Is(err, web.ErrNotFound):
			status = http.StatusNotFound
		case errors.Is(err, web.ErrTooLarge):
			status = http.StatusRequestEntityTooLarge
		case errors.Is(err, web.ErrHeaders):
			status = http.StatusRequestHeaderFieldsTooLarge
		}
		if _, ok := errors.AsType[*web.MethodError](err); ok {
			status = http.StatusMethodNotAllowed
		}
		body := name + ": " + err.Error()
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// front has a reserved segment that is served, one that is not, and
// applications.
func front() *web.Front {
	return &web.Front{
		Reserved: func(s string) bool { return s == "config" || s == "api" },
		Surfaces: map[string]http.Handler{"config": named(
			"config",
			"GET /config/{app}/clients", "POST /config/{app}/clients", "GET /config/{app}/clients/all", "GET /config/{app}/clients/{id}", "DELETE /config/{app}/clients/{id}",
		)},
		Applications: named("app", "POST /{app}/oauth2/token", "GET /{app}/oauth2/jwks", "HEAD /{app}/oauth2/jwks", " /{app}/check", " /{app}/check/{id...}"),
		Elsewhere:    web.NewSurface("none", errorsOf("none")),
		NewID:        func() string { return "the-servers-own1" },
		Now:          func() time.Time { return time.Time{} },
	}
}

// listen serves a handler as the server does, and gives its address.
func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.DisableGeneralOptionsHandler = true
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// raw sends bytes as they are and reads one answer.
func raw(t *testing.T, address, request string) (*http.Response, string) {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	answer, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}
