package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// walk makes requests from random parts, as bytes on a connection: no client
// library stands between that would mend them. Some of what it makes is no HTTP
// at all.
type walk struct {
	random  *rand.Rand
	address string
	app     string
	owner   *caller.Caller
	others  []string // ids of clients
	seen    map[int]int
}

func (w *walk) one(of ...string) string { return of[w.random.IntN(len(of))] }

func (w *walk) method() string {
	if w.random.IntN(3) > 0 {
		return w.one("GET", "POST", "POST", "PUT", "PATCH", "DELETE")
	}
	return w.one("HEAD", "OPTIONS", "TRACE", "PURGE", "get", "M-SEARCH")
}

// path is mostly a route that there is, for something that there is.
func (w *walk) path() string {
	if w.random.IntN(3) > 0 {
		id := w.one(append([]string{w.owner.ID}, w.others...)...)
		return "/config/" + w.app + w.one("/clients", "/clients", "/clients/"+id, "/clients/"+id, "/clients/"+id+"/secret", "/clients/"+id+"/settings", "/settings", "/settings/options")
	}
	return w.oddPath()
}

func (w *walk) oddPath() string {
	app := w.one(w.app, w.app, w.app, w.app, "nobody", "", "%2e%2e", "a%2Fb", strings.Repeat("a", 200), "%00", "%ff")
	id := w.one(w.one(w.others...), w.owner.ID, "nobody", "", "..", "%2f", "a%20b", "'--", "%C3%A4", strings.Repeat("9", 5000))
	path := w.one(
		"/config/"+app+"/clients", "/config/"+app+"/clients/"+id, "/config/"+app+"/clients/"+id+"/secret",
		"/config/"+app+"/clients/"+id+"/settings", "/config/"+app+"/settings", "/config/"+app+"/settings/options",
		"/config", "/config/", "/config//", "/config/"+app, "/config/"+app+"/", "/config//"+app+"/clients", "/config/"+app+"/clients/",
		"/config/"+app+"/../"+app+"/clients", "/config/./"+app+"/clients", "/config/"+app+"/clients/"+id+"/x/y/z/1/2/3/4/5/6/7/8/9",
		"/config/"+app+"/clients;x=y", "/config/"+app+"/Clients", "/config/"+app+"/clients/"+id+"/secret/",
		"/config/"+app+"/clients/%zz",
	)
	return path + w.one("", "", "", "?has_feature=owner", "?has_feature=owner&has_feature=%zz", "?include_clients=true", "?a;b", "?"+strings.Repeat("q", 3000), "?")
}

// target is the path, or an absolute form of it, as proxies pass on.
func (w *walk) target() string {
	return w.one("", "", "", "", "http://"+w.address, "https://v1.api.us.janraincapture.com", "http://[::1]:1") + w.path()
}

// Bodies that are large, or deep.
var (
	tooLarge = `{"name":"` + strings.Repeat("y", 1<<20) + `"}`
	lists    = strings.Repeat("[", 20_000)
	objects  = strings.Repeat(`{"a":`, 20_000)
	nested   = `{"custom":{"` + strings.Repeat("k", 2000) + `":[[[[{}]]]]}}`
)

func (w *walk) body() string {
	id := w.random.IntN(1_000_000)
	if w.random.IntN(3) == 0 {
		return fmt.Sprintf(`{"name":"Walk %d","features":["direct_access"]}`, id%12)
	}
	return w.one(
		"", "", "{}", "[]", "null", "7", `"text"`, "{", `{"name":}`, "<html>", "\xff\xfe", `{"name":"a"} {"name":"b"}`, "\ufeff{}",
		fmt.Sprintf(`{"name":"Walk %d"}`, id), fmt.Sprintf(`{"name":"Walk %d","features":["direct_access","direct_access"]}`, id),
		`{"name":""}`, `{"name":"  "}`, `{"name":null}`, `{"name":{"a":1}}`, `{"name":"\u0000"}`, `{"name":"\ud800"}`, `{"name":"a","name":"b"}`,
		`{"name":"`+strings.Repeat("x", 300)+`"}`, `{"name":"W","ipWhitelist":null}`, `{"name":"W","ipWhitelist":["10.0.0.0/8","x"]}`,
		`{"name":"W","features":["login_client","owner"]}`, `{"name":"W","features":["metadata"]}`, `{"name":"W","features":[[]]}`,
		`{"hoursToLive":0}`, `{"hoursToLive":1e2}`, `{"hoursToLive":99999999999999999999}`, `{"hoursToLive":true}`,
		`{"login_attempts":"x","custom":7}`, nested, lists, objects, tooLarge,
	)
}

// headers are what a caller may send beside; each line ends itself.
func (w *walk) headers() string {
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(w.owner.ID+":"+w.owner.Secret)) + "\r\n"
	if w.random.IntN(4) > 0 {
		return basic + w.one("", "Content-Type: application/json\r\n")
	}
	authorization := w.one(basic, basic, basic, basic, "", strings.ToLower(basic), basic+basic,
		"Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(w.owner.ID+":wrong"))+"\r\n",
		"Authorization: Basic ????\r\n", "Authorization: Basic\r\n", "Authorization: Bearer x\r\n", "Authorization: \xff\r\n", "Authorization:\r\n")
	return authorization + w.one("", "", "Content-Type: application/json\r\n", "Content-Type: text/html\r\n", "Content-Type: \x80\r\n") +
		w.one("", "", "Accept: text/html\r\n", "Accept-Encoding: gzip, br\r\n", "X-Request-Id: mine\r\n", "If-Match: *\r\n",
			"X-HTTP-Method-Override: DELETE\r\n", "Range: bytes=0-1\r\n", "Upgrade: websocket\r\nConnection: upgrade\r\n",
			"X-Big: "+strings.Repeat("b", 40<<10)+"\r\n", "Cookie: "+strings.Repeat("c=1; ", 500)+"\r\n")
}

// request puts a request together; its body is sent whole or in chunks.
func (w *walk) request() (method string, text []byte) {
	method = w.method()
	body := w.body()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s", method, w.target(), w.one(w.address, "elsewhere.example"), w.headers())
	switch {
	case body == "" && w.random.IntN(2) == 0:
		b.WriteString("\r\n")
	case w.random.IntN(3) == 0:
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n")
		if body != "" {
			fmt.Fprintf(&b, "%x\r\n%s\r\n", len(body), body)
		}
		b.WriteString("0\r\n\r\n")
	default:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	return method, b.Bytes()
}

// send gives the answer to the bytes of one request.
func send(ctx context.Context, address, method string, text []byte) (*caller.Answer, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	// A server may answer, and close, before it has read a body that is too
	// large: an error of writing alone says nothing.
	go func() { _, _ = conn.Write(text) }()
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return &caller.Answer{Status: response.StatusCode, Header: response.Header, Body: body}, err
}

// remember notes the id of a client that was made.
func (w *walk) remember(answer *caller.Answer) {
	var made caller.Client
	if answer.Into(http.StatusCreated, &made) == nil {
		w.others = append(w.others, made.ID)
		w.others = w.others[max(0, len(w.others)-8):]
	}
}

// judge says what is wrong with an answer below /config.
func judge(method string, answer *caller.Answer) error {
	switch {
	case answer.Status >= 500:
		return errors.New("a fault of the server's own")
	case len(answer.Header.Get("X-Request-Id")) != 16 || answer.Header.Get("X-Request-Id") == "mine":
		return errors.New("no request id of its own")
	case method == http.MethodHead && len(answer.Body) > 0:
		return errors.New("HEAD has a body")
	case len(answer.Body) == 0 && answer.Status >= 400 && method != http.MethodHead:
		return errors.New("an error says nothing")
	case len(answer.Body) > 0 && !answer.IsJSON():
		return fmt.Errorf("the body is %s rather than JSON", answer.Header.Get("Content-Type"))
	}
	if answer.Status < 400 || len(answer.Body) == 0 {
		return nil
	}
	var document map[string]any
	if err := json.Unmarshal(answer.Body, &document); err != nil {
		return err
	}
	if message, ok := document["errors"].(string); !ok || message == "" || len(document) != 1 {
		return errors.New("the error is not one text under `errors`, and nothing else")
	}
	return nil
}

// TestConfigurationAPIAlwaysAnswersJSON sends thousands of requests that are
// put together at random: every body that is not empty is JSON, whatever the
// route, the method or the mistake.
func TestConfigurationAPIAlwaysAnswersJSON(t *testing.T) {
	server := process.Found(t, "")
	server.Flags = []string{"--failed-authentications-burst", "1000000000"}
	server.Start()
	owner := server.Owner()
	w := &walk{address: strings.TrimPrefix(server.PublicURL, "http://"), app: server.ApplicationID, owner: owner, seen: map[int]int{}}
	for n := range 3 {
		w.others = append(w.others, newClient(t, owner, fmt.Sprintf("Other %d", n)).ID)
	}
	plain := newClient(t, owner, "No owner")
	seed := uint64(time.Now().UnixNano())
	w.random = rand.New(rand.NewPCG(seed, 0))
	for n := range 5000 {
		w.owner = owner
		if w.random.IntN(20) == 0 {
			w.owner = plain
		}
		method, text := w.request()
		answer, err := send(t.Context(), w.address, method, text)
		if err == nil {
			w.seen[answer.Status]++
			w.remember(answer)
			err = judge(method, answer)
		}
		if err != nil {
			t.Fatalf("seed %d, request %d: %v\n%.600q\n%+v", seed, n, err, text, answer)
		}
	}
	for _, status := range []int{200, 201, 204, 400, 401, 403, 404, 405, 409, 413} {
		if w.seen[status] == 0 {
			t.Errorf("no request was answered %d: the walk is too narrow", status)
		}
	}
	t.Logf("answers by status: %v", w.seen)
}
