package configapi_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/endpoint/configapi"
	"github.com/ostiary/ostiary/internal/web"
)

// Whatever is below /config, the answer is JSON: send checks it.
func TestEveryRouteAnswersJSON(t *testing.T) {
	r := newRig(t)
	paths := []string{
		"/config", "/config/", "/config//", "/config/x", r.path(""), r.path("/"), r.path("/clients/"), r.path("//clients"),
		r.path("/clients/a/b"), r.path("/clients/a/secret/"), r.path("/settings/options/x"), r.path("/entityTypes"),
		"/config/../config", "/config/%2e%2e/x", "/config/" + strings.Repeat("a/", 50), r.path("/Clients"), r.path("%2Fclients"),
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} {
			if a := r.do(method, path, "{}", r.owner); a.status != 404 || a.text != `{"errors":"Not found."}` {
				t.Errorf("%s %s: %d %s", method, path, a.status, a.text)
			}
		}
	}
}

func TestWrongMethods(t *testing.T) {
	r := newRig(t)
	for path, allow := range map[string]string{
		r.path("/clients"):              "GET, POST",
		r.path("/clients/x"):            "GET, PUT, PATCH, DELETE",
		r.path("/clients/x/secret"):     "PUT",
		r.path("/clients/x/settings"):   "GET, PUT",
		r.path("/settings"):             "GET, PUT",
		r.path("/settings/options"):     "GET",
		"/config/nowhere/clients":       "GET, POST",
		r.path("/clients?has_feature="): "GET, POST",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"} {
			if strings.Contains(", "+allow+",", ", "+method+",") {
				continue
			}
			a := r.do(method, path, "", r.owner)
			if a.status != 405 || a.header.Get("Allow") != allow {
				t.Errorf("%s %s: %d, Allow %q, want %q", method, path, a.status, a.header.Get("Allow"), allow)
			}
			if want := `{"errors":"Method not allowed."}`; method == "HEAD" && a.text != "" || method != "HEAD" && a.text != want {
				t.Errorf("%s %s: %q", method, path, a.text)
			}
		}
	}
}

func TestOverLargeHeaders(t *testing.T) {
	r := newRig(t)
	request := r.request("GET", r.path("/clients"), "", r.owner)
	request.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	if a := r.send(request); a.status != 431 || a.text != `{"errors":"Request headers too large."}` {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// A panic is row 20, and JSON; its text stays inside.
func TestPanic(t *testing.T) {
	r := newRig(t)
	broken := configapi.New(configapi.Deps{
		Applications: r.apps, Clients: r.clients, Operations: r.ops, Throttle: web.NewThrottle(0, 0, r.clock.Now),
		Lease: func() error { panic("a secret of the house") },
	})
	r.handler.(*web.Front).Surfaces["config"] = broken
	r.refused(t, r.request("GET", r.path("/clients"), "", r.owner), 500, "Internal server error.")
}

// raw sends what a client could over a real socket, and gives the answer.
func (r *rig) raw(t *testing.T, request string) *http.Response {
	t.Helper()
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	a, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Body.Close() })
	return a
}

func (r *rig) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(r.owner.id+":"+r.owner.secret))
}

// Through a proxy, the target has a scheme and a host that are not the server's.
func TestAbsoluteFormTarget(t *testing.T) {
	r := newRig(t)
	body := `{"name":"Through a proxy"}`
	a := r.raw(t, fmt.Sprintf("POST https://config.elsewhere.example%s HTTP/1.1\r\nHost: config.elsewhere.example\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n%s",
		r.path("/clients"), r.basic(), len(body), body))
	if a.StatusCode != http.StatusCreated || !strings.HasPrefix(a.Header.Get("Location"), r.path("/clients/")) {
		t.Errorf("%d, Location %q", a.StatusCode, a.Header.Get("Location"))
	}
}

func TestPostWithoutBodyOrContentType(t *testing.T) {
	r := newRig(t)
	for _, length := range []string{"", "Content-Length: 0\r\n"} {
		a := r.raw(t, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n%s\r\n", r.path("/clients"), r.basic(), length))
		if a.StatusCode != http.StatusBadRequest || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%d %s", a.StatusCode, a.Header.Get("Content-Type"))
		}
	}
}

// HEAD over a real connection: no body, whatever the status.
func TestHeadHasNoBody(t *testing.T) {
	r := newRig(t)
	a := r.raw(t, fmt.Sprintf("HEAD %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n", r.path("/clients"), r.basic()))
	if a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, POST" {
		t.Errorf("%d, Allow %q", a.StatusCode, a.Header.Get("Allow"))
	}
}

// A chunked body has no length that could be looked at before.
func TestChunkedBodyThatIsTooLarge(t *testing.T) {
	r := newRig(t)
	request := r.request("POST", r.path("/clients"), strings.Repeat("x", tooLong), r.owner)
	request.ContentLength = -1
	r.refused(t, request, 413, "Request body too large.")

	request = r.request("POST", r.path("/clients"), `{"name":"`+strings.Repeat(" ", 1<<20-20)+`Large"}`, r.owner)
	request.ContentLength = -1
	if a := r.send(request); a.status != 201 {
		t.Errorf("just below the limit: %d %s", a.status, a.text)
	}
}

func TestAnswersAreNotKept(t *testing.T) {
	r := newRig(t)
	for _, a := range []answer{r.ask("GET", r.path("/clients"), ""), r.ask("GET", r.clientPath(r.owner.id), ""), r.ask("GET", r.clientPath("none"), "")} {
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("Cache-Control %q", a.header.Get("Cache-Control"))
		}
	}
}
