package torture_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// connections are kept open and busy while the server is told to stop.
const connections = 32

// raw is one connection on which requests follow one another. It does nothing
// by itself: no second try, no second connection.
type raw struct {
	conn   net.Conn
	reader *bufio.Reader
}

func dial(address string) (*raw, error) {
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, err
	}
	return &raw{conn, bufio.NewReader(conn)}, nil
}

// ask sends a request and reads the whole answer.
func (c *raw) ask(request *http.Request) (status int, last bool, err error) {
	if err := request.Write(c.conn); err != nil {
		return 0, false, fmt.Errorf("sending: %w", err)
	}
	response, err := http.ReadResponse(c.reader, request)
	if err != nil {
		return 0, false, fmt.Errorf("no answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := bufio.NewReader(response.Body).WriteTo(discard{}); err != nil {
		return 0, false, fmt.Errorf("an answer was cut: %w", err)
	}
	return response.StatusCode, response.Close, nil
}

type discard struct{}

// Write takes everything.
func (discard) Write(p []byte) (int, error) { return len(p), nil }

// traffic gives one of the requests that a connection sends in turn.
func traffic(owner *caller.Caller, n int, token string) (*http.Request, error) {
	method, path := http.MethodPost, "/"+owner.Application+"/oauth2/token"
	form := url.Values{"grant_type": {"client_credentials"}}
	switch n % 4 {
	case 1:
		path, form = "/"+owner.Application+"/oauth2/introspect", url.Values{"token": {token}}
	case 2:
		method, path, form = http.MethodGet, "/config/"+owner.Application+"/clients/"+owner.ID, nil
	case 3:
		method, path, form = http.MethodGet, "/"+owner.Application+"/.well-known/openid-configuration", nil
	}
	request, err := http.NewRequestWithContext(context.Background(), method, owner.Base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(owner.ID, owner.Secret)
	return request, nil
}

// busy is the state of all the connections together.
type busy struct {
	answered atomic.Int64
	leaving  atomic.Int64 // connections that the server asked to leave
	wrong    complaints
}

func (b *busy) run(owner *caller.Caller, address, token string) {
	c, err := dial(address)
	if err != nil {
		b.wrong.add("%v", err)
		return
	}
	defer func() { _ = c.conn.Close() }()
	for n := 0; ; n++ {
		request, err := traffic(owner, n, token)
		if err != nil {
			b.wrong.add("%v", err)
			return
		}
		status, last, err := c.ask(request)
		if err != nil || status != http.StatusOK {
			b.wrong.add("request %d of a connection (%s): status %d, %v", n+1, request.URL.Path, status, err)
			return
		}
		b.answered.Add(1)
		if last {
			b.leaving.Add(1)
			return
		}
	}
}

func stopGracefully(t *testing.T, database string) {
	t.Helper()
	server := process.Found(t, database)
	server.Start()
	owner := server.Owner()
	token := issueOne(t, owner)
	address := strings.TrimPrefix(server.PublicURL, "http://")
	var b busy
	var group sync.WaitGroup
	for range connections {
		group.Go(func() { b.run(owner, address, token) })
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for b.answered.Load() < 2000 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.wrong.report(t)
			t.Fatal("too slow")
		}
	}
	before := b.answered.Load()
	server.Signal(syscall.SIGTERM)
	if err := server.AwaitReady(http.StatusServiceUnavailable); err != nil {
		t.Errorf("the server stopped before readyz said so: %v", err)
	}
	group.Wait()
	if status := server.Await(); status != 0 {
		t.Errorf("exit status %d after SIGTERM; want 0", status)
	}
	b.wrong.report(t)
	if n := b.leaving.Load(); n != connections {
		t.Errorf("%d of %d connections were asked to leave", n, connections)
	}
	t.Logf("%d connections: %d requests answered, %d of them after SIGTERM; none failed, none cut", connections, b.answered.Load(), b.answered.Load()-before)
}

func issueOne(t *testing.T, c *caller.Caller) string {
	t.Helper()
	answer, err := c.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var token caller.Token
	if err := answer.Into(http.StatusOK, &token); err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

func TestStopUnderTrafficOnSQLite(t *testing.T) { stopGracefully(t, "") }

func TestStopUnderTrafficOnPostgreSQL(t *testing.T) {
	stopGracefully(t, process.NewCluster(t).Database())
}
