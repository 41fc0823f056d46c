package e2e_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/loopback"
	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// behindNginx is an API behind the nginx of deploy/nginx, and a server.
type behindNginx struct {
	t      *testing.T
	server *process.Server
	url    string // of nginx
}

// startNginx runs Debian's nginx on the example, with addresses of the test.
func startNginx(t *testing.T, server *process.Server, api string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(process.Root(), "deploy", "nginx", "api-gateway.conf"))
	if err != nil {
		t.Fatal(err)
	}
	address := loopback.Free(t)
	example := string(text)
	for from, to := range map[string]string{
		"server 127.0.0.1:8080;": "server " + strings.TrimPrefix(server.PublicURL, "http://") + ";",
		"server 127.0.0.1:3000;": "server " + api + ";", "listen 80;": "listen " + address + ";", "/APPLICATION/": "/" + server.ApplicationID + "/",
	} {
		if strings.Count(example, from) != 1 {
			t.Fatalf("the example has %q %d times", from, strings.Count(example, from))
		}
		example = strings.Replace(example, from, to, 1)
	}
	dir := t.TempDir()
	temporary := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += kind + "_temp_path " + filepath.Join(dir, kind) + ";\n"
	}
	whole := "daemon off;\nmaster_process off;\npid " + filepath.Join(dir, "pid") + ";\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" + temporary + example + "}\n"
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("nginx")
	if err != nil { // Debian keeps it off the PATH of users
		program = "/usr/sbin/nginx"
	}
	cmd := exec.CommandContext(context.Background(), program, "-e", "stderr", "-p", dir, "-c", file)
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; tools/need.sh e2e installs what these tests need", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil || t.Failed() {
			t.Logf("nginx: %v\n%s", err, log.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address); err == nil {
			_ = c.Close()
			return "http://" + address
		}
		if time.Now().After(deadline) {
			t.Fatal("nginx does not listen")
		}
	}
}

func newBehindNginx(t *testing.T) *behindNginx {
	t.Helper()
	server := process.Found(t, "", "--set", "scope_policy=optional")
	server.Flags = []string{"--trusted-proxies", "127.0.0.1/32"}
	server.Start()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // says what came to it
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "uri": r.RequestURI, "header": r.Header, "body": string(body)})
	}))
	t.Cleanup(api.Close)
	return &behindNginx{t: t, server: server, url: startNginx(t, server, api.Listener.Addr().String())}
}

// managed asks the management API.
func (b *behindNginx) managed(method, path string, body any, want int, into any) {
	b.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	must(b.t, want, into)(b.server.Owner().Do(b.t.Context(), method, "/api/v1/applications/"+b.server.ApplicationID+path, "application/json", text))
}

// client makes a client that is allowed scopes.
func (b *behindNginx) client(name string, fields map[string]any) *caller.Caller {
	b.t.Helper()
	document := map[string]any{"name": name, "kind": "service"}
	maps.Copy(document, fields)
	var made struct{ ID, Secret string }
	b.managed(http.MethodPost, "/clients", document, http.StatusCreated, &made)
	return b.server.Owner().As(made.ID, made.Secret)
}

func (b *behindNginx) token(c *caller.Caller, scope string) string {
	b.t.Helper()
	var token caller.Token
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}.Encode()
	must(b.t, http.StatusOK, &token)(c.Do(b.t.Context(), http.MethodPost, "/"+b.server.ApplicationID+"/oauth2/token", "application/x-www-form-urlencoded", []byte(form)))
	return token.AccessToken
}

// reached is what the API saw of a request.
type reached struct {
	Method, URI, Body string
	Header            http.Header
}

// ask sends a request to the API; the target is sent as it is.
func (b *behindNginx) ask(method, target, token string, h http.Header) (*http.Response, reached) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.url, strings.NewReader("sent"))
	if err != nil {
		b.t.Fatal(err)
	}
	path, query, _ := strings.Cut(target, "?")
	request.URL.Opaque, request.URL.RawQuery = path, query
	maps.Copy(request.Header, h)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var seen reached
	if answer.StatusCode == http.StatusOK {
		if err := json.NewDecoder(answer.Body).Decode(&seen); err != nil {
			b.t.Fatal(err)
		}
	}
	return answer, seen
}

func TestBehindNginx(t *testing.T) {
	b := newBehindNginx(t)
	b.managed(http.MethodPost, "/scopes", map[string]any{"name": "orders.read", "url_patterns": []string{"GET /orders/*"}}, http.StatusCreated, nil)
	b.managed(http.MethodPost, "/scopes", map[string]any{"name": "orders.write", "url_patterns": []string{"/orders/*"}}, http.StatusCreated, nil)
	scopes := []string{"orders.read", "orders.write"}
	c := b.client("Behind nginx", map[string]any{"scopes": scopes, "access_token_format": "opaque"})
	elsewhere := b.client("From elsewhere", map[string]any{"scopes": scopes, "allowed_ips": "127.0.0.0/8"})
	read, write, bound := b.token(c, "orders.read"), b.token(c, "orders.write"), b.token(elsewhere, "orders.read")
	forged := http.Header{ // what a client makes up
		"X-Ostiary-Subject": {"admin"}, "X-Ostiary-User": {"admin"}, "X-Original-Uri": {"/public"}, "X-Original-Method": {"GET"},
		"X-Original-Url": {"https://x.example/public"}, "X-Forwarded-For": {"203.0.113.1"},
	}
	for _, made := range []http.Header{nil, forged} {
		answer, seen := b.ask(http.MethodGet, "/orders/caf%C3%A9?a=b%2f..", read, made)
		if answer.StatusCode != http.StatusOK || seen.Method != "GET" || seen.URI != "/orders/caf%C3%A9?a=b%2f.." || seen.Body != "sent" ||
			seen.Header.Get("X-Ostiary-Subject") != c.ID || seen.Header.Get("X-Ostiary-Client") != c.ID || seen.Header.Get("X-Ostiary-Scope") != "orders.read" ||
			seen.Header.Get("X-Ostiary-Token-Id") == "" || seen.Header["X-Ostiary-User"] != nil || seen.Header["Authorization"] != nil {
			t.Errorf("%d, the API saw %+v", answer.StatusCode, seen)
		}
	}
	for _, c := range []struct {
		name, method, target, token string
		status                      int
		challenge                   string // how it begins
	}{
		{"another method", "POST", "/orders/1", write, 200, ""},
		{"from where it may be used", "GET", "/orders/1", bound, 200, ""},
		{"a scope that lacks the method", "DELETE", "/orders/1", read, 403, `Bearer realm="ostiary", error="insufficient_scope"`},
		{"another path", "GET", "/invoices/1", write, 403, `Bearer realm="ostiary", error="insufficient_scope"`},
		{"no token", "GET", "/orders/1", "", 401, `Bearer realm="ostiary"`},
		{"no token of ours", "GET", "/orders/1", "x", 401, `Bearer realm="ostiary", error="invalid_token"`},
		{"an escaped slash", "GET", "/orders/%2f..%2fadmin", write, 403, ""},
		{"a dot segment", "GET", "/orders/../orders/1", write, 403, ""},
		{"an escaped dot segment", "GET", "/orders/%2e%2e/orders/1", write, 403, ""},
		{"an empty segment", "GET", "/orders//1", write, 403, ""},
		{"a path parameter", "GET", "/orders/1;x", write, 403, ""},
		{"the location of the check itself", "GET", "/ostiary-check", write, 404, ""},
	} {
		for _, made := range []http.Header{nil, forged} {
			answer, _ := b.ask(c.method, c.target, c.token, made)
			got := strings.Join(answer.Header.Values("WWW-Authenticate"), "|")
			if answer.StatusCode != c.status || !strings.HasPrefix(got, c.challenge) || c.challenge == "" && got != "" {
				t.Errorf("%s: %d, WWW-Authenticate %s", c.name, answer.StatusCode, got)
			}
		}
	}
	b.managed(http.MethodPatch, "/clients/"+elsewhere.ID, map[string]any{"allowed_ips": "203.0.113.1"}, http.StatusOK, nil)
	if answer, _ := b.ask(http.MethodGet, "/orders/1", bound, forged); answer.StatusCode != http.StatusForbidden {
		t.Errorf("from an address that the client made up: %d", answer.StatusCode)
	}
	b.managed(http.MethodPost, "/tokens/revoke", map[string]any{"client_id": c.ID}, http.StatusOK, nil)
	if answer, _ := b.ask(http.MethodGet, "/orders/1", read, nil); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token that was revoked: %d", answer.StatusCode)
	}
	b.server.Kill()
	if answer, _ := b.ask(http.MethodGet, "/orders/1", write, nil); answer.StatusCode != http.StatusInternalServerError {
		t.Errorf("without a server: %d", answer.StatusCode)
	}
}
