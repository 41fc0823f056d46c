package web_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/web"
)

// draining is a server with a drain whose requests wait for leave.
type draining struct {
	drain   *web.Drain
	server  *http.Server
	address string
	entered chan struct{} // one for each request that its handler has
	leave   chan struct{}
}

func startDraining(t *testing.T) *draining {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &draining{address: l.Addr().String(), entered: make(chan struct{}, 9), leave: make(chan struct{})}
	if d.drain, err = web.NewDrain(l, func() string { return "made" }); err != nil {
		t.Fatal(err)
	}
	f := only(func(w http.ResponseWriter, _ *http.Request) error {
		d.entered <- struct{}{}
		<-d.leave
		_, err := io.WriteString(w, "answered")
		return err
	})
	f.Draining = d.drain.Begun
	d.server = &http.Server{Handler: f, ConnState: d.drain.ConnState, ReadHeaderTimeout: time.Minute}
	go func() { _ = d.server.Serve(d.drain.Listener()) }()
	t.Cleanup(func() { _ = d.server.Close() })
	return d
}

// send opens a connection and sends part of a request.
func (d *draining) send(t *testing.T, text string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// receive reads an answer.
func receive(t *testing.T, c net.Conn) *http.Response {
	t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil || string(body) != "answered" {
		t.Fatalf("got %q, %v", body, err)
	}
	return answer
}

const request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

// TestDrainEndsWhatIsUnderWay has, when the server stops: a request in its
// handler, one whose header is half sent, a connection that rests, and one on
// which nothing was sent yet. All that send are answered.
func TestDrainEndsWhatIsUnderWay(t *testing.T) {
	d := startDraining(t)
	rested := d.send(t, request)
	<-d.entered
	d.leave <- struct{}{}
	if receive(t, rested).Close {
		t.Error("the connection ends although nothing was said of stopping")
	}
	inHandler := d.send(t, request)
	<-d.entered
	half := d.send(t, request[:20])
	silent := d.send(t, "")

	finished := make(chan error, 1)
	go func() { finished <- d.drain.Finish(t.Context(), d.server) }()
	refused(t, d.address)
	for _, c := range []struct {
		conn net.Conn
		rest string
	}{{half, request[20:]}, {silent, request}, {rested, request}} {
		if _, err := io.WriteString(c.conn, c.rest); err != nil {
			t.Fatal(err)
		}
		<-d.entered
	}
	close(d.leave)
	for _, c := range []net.Conn{inHandler, half, silent, rested} {
		if !receive(t, c).Close {
			t.Error("an answer does not end its connection")
		}
	}
	if err := <-finished; err != nil {
		t.Error(err)
	}
}

// refused waits until nobody listens any more.
func refused(t *testing.T, address string) {
	t.Helper()
	for {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

// TestNewConnectionsAreTakenWhileClientsLeave: between the signal and the end
// there is time for load balancers to notice.
func TestNewConnectionsAreTakenWhileClientsLeave(t *testing.T) {
	d := startDraining(t)
	close(d.leave)
	d.drain.Begin()
	if !receive(t, d.send(t, request)).Close {
		t.Error("an answer does not end its connection")
	}
}

// TestDrainCutsWhatTakesTooLong: a stop comes to an end.
func TestDrainCutsWhatTakesTooLong(t *testing.T) {
	d := startDraining(t)
	stuck := d.send(t, request)
	<-d.entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := d.drain.Finish(ctx, d.server)
	if err == nil || !strings.Contains(err.Error(), "did not end in time") {
		t.Errorf("got %v", err)
	}
	if _, err := http.ReadResponse(bufio.NewReader(stuck), nil); err == nil {
		t.Error("the request that hangs was answered")
	}
	close(d.leave)
}

// lingering gives Serve the end of the listener only when the server closes it.
type lingering struct {
	net.Listener
	closed chan struct{}
}

func (l *lingering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.closed
	}
	return c, err
}

func (l *lingering) Close() error {
	defer close(l.closed)
	return l.Listener.Close()
}

// A listener that closed before Serve returned is no fault of the requests.
func TestFinishBeforeServeReturns(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, err := web.NewDrain(l, func() string { return "made" })
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ConnState: d.ConnState, ReadHeaderTimeout: time.Minute}
	inner, served := &lingering{d.Listener(), make(chan struct{})}, make(chan error, 1)
	go func() { served <- server.Serve(inner) }()
	if err := d.Finish(t.Context(), server); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
