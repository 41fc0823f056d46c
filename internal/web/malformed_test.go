package web_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/web"
)

// What is no HTTP reaches no handler; the answer is JSON all the same, in the
// form of the surface that was meant, and repeats nothing that was sent.
func TestWhatIsNoHTTPIsAnsweredInJSON(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, err := web.NewDrain(l, func() string { return "made" })
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:        http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `"fine"`) }),
		MaxHeaderBytes: 4096, ReadHeaderTimeout: time.Minute,
	}
	go func() { _ = server.Serve(d.Listener()) }()
	t.Cleanup(func() { _ = server.Close() })
	for _, c := range []struct {
		name, sent string
		status     int
		member     string
	}{
		{"bad escape", "GET /config/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "errors"},
		{"bad escape elsewhere", "GET /app/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "error"},
		{"absolute form", "GET http://h/config/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "errors"},
		{"no host", "GET /config/a HTTP/1.1\r\n\r\n", 400, "errors"},
		{"two hosts", "GET /config/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "errors"},
		{"bad field", "GET /config/a HTTP/1.1\r\nHost: a\r\ns3cret s3cret: x\r\n\r\n", 400, "errors"},
		{"no version", "GET /config/a\r\n\r\n", 400, "errors"},
		{"transfer encoding", "POST /config/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: s3cret\r\n\r\n", 501, "errors"},
		{"header too large", "GET /config/a HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 20000) + "\r\n\r\n", 431, "errors"},
		{"HEAD", "HEAD /config/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
		{"after a good one", "GET /app/x HTTP/1.1\r\nHost: a\r\n\r\nGET /config/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "errors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := io.WriteString(conn, c.sent); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(conn)
			if strings.Contains(c.name, "after") {
				answer, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.member == "" {
				answer.Body = io.NopCloser(in) // whatever comes, where nothing must
			}
			defer func() { _ = answer.Body.Close() }()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			var members map[string]string
			if c.member == "" && len(body) > 0 {
				t.Errorf("HEAD has the body %s", body)
			}
			if err := json.Unmarshal(body, &members); c.member != "" && (err != nil || members[c.member] == "") {
				t.Errorf("body %s: want the member %s", body, c.member)
			}
			if answer.StatusCode != c.status || answer.Header.Get("Content-Type") != "application/json" || answer.Header.Get("X-Request-Id") != "made" {
				t.Errorf("%d %v, want %d", answer.StatusCode, answer.Header, c.status)
			}
			if strings.Contains(string(body), "s3cret") {
				t.Errorf("the answer repeats what was sent: %s", body)
			}
		})
	}
}
