//go:build linux

// Package load owns the load generator: a closed loop over keep-alive
// connections, one thread with epoll, so that on two cores it takes as little
// as it can from the server that is measured. It checks every answer. It does
// not know what is asked for, nor what the server spends.
package load

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"syscall"
	"time"
)

// Work is what a run asks for.
type Work struct {
	Requests [][]byte      // whole HTTP/1.1 requests, sent in turn
	Once     bool          // no request is sent twice: the run ends with the last one
	Duration time.Duration // how long new requests are sent; 0 with Once: until the last
	Status   int           // that every answer has
	Contains string        // that every body holds

	// Then is told of each answer, and which of Requests began the piece of work
	// that it belongs to. What it gives goes out next on the same connection, as a
	// part of that piece; nil says that the answer is the last one of it, which is
	// checked, counted and timed as a whole. It may replace the request for the
	// next time. Without Then every answer is a last one.
	Then func(begun int, a Answer) []byte
}

// Outcome is what a run saw.
type Outcome struct {
	Requests  int
	Sent      int // index into Work.Requests that comes next
	Elapsed   time.Duration
	Latencies Histogram
	BytesRead int64
}

// Connections are open connections to one server.
type Connections struct {
	epoll int
	conns []*conn
}

type conn struct {
	fd    int
	data  []byte // what of an answer has arrived
	begun int    // the place in Work.Requests of what is under way
	since time.Time
	busy  bool
}

const answerBytes = 64 << 10

// Dial opens n connections to a server on IPv4.
func Dial(server netip.AddrPort, n int) (*Connections, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	c := &Connections{epoll: epoll}
	for range n {
		if err := c.open(server); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

func (c *Connections) open(server netip.AddrPort) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	one := &conn{fd: fd, data: make([]byte, 0, answerBytes)}
	c.conns = append(c.conns, one)
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Addr: server.Addr().As4(), Port: int(server.Port())}); err != nil {
		return fmt.Errorf("connect to %s: %w", server, err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(len(c.conns) - 1)}
	if err := syscall.EpollCtl(c.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// Close closes them all.
func (c *Connections) Close() {
	for _, one := range c.conns {
		_ = syscall.Close(one.fd)
	}
	_ = syscall.Close(c.epoll)
}

// run is one Run's state.
type run struct {
	*Connections
	work    Work
	until   time.Time
	pending int
	outcome Outcome
}

// Run keeps every connection busy: as soon as an answer is whole, the next
// request goes out. When the time is over, or the requests are, it waits for
// the answers that are due. The first wrong answer is an error.
func (c *Connections) Run(work Work) (*Outcome, error) {
	if len(work.Requests) == 0 || (work.Duration == 0 && !work.Once) {
		return nil, errors.New("load: nothing to do, or no end to it")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Now()
	r := &run{Connections: c, work: work, until: start.Add(work.Duration)}
	if work.Duration == 0 {
		r.until = start.Add(time.Hour)
	}
	for _, one := range c.conns {
		if err := r.send(one, start); err != nil {
			return nil, err
		}
	}
	events := make([]syscall.EpollEvent, len(c.conns))
	for r.pending > 0 {
		n, err := syscall.EpollWait(c.epoll, events, 30_000)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("epoll: %w", err)
		}
		if n == 0 {
			return nil, errors.New("load: no answer for 30 s")
		}
		for _, event := range events[:n] {
			if err := r.receive(c.conns[event.Fd]); err != nil {
				return nil, err
			}
		}
	}
	r.outcome.Elapsed = time.Since(start)
	return &r.outcome, nil
}

// send sends the next request, where there is one.
func (r *run) send(one *conn, now time.Time) error {
	next := r.outcome.Sent
	if now.After(r.until) || (r.work.Once && next >= len(r.work.Requests)) {
		return nil
	}
	one.begun, one.since, one.busy = next%len(r.work.Requests), now, true
	r.outcome.Sent++
	r.pending++
	return one.write(r.work.Requests[one.begun])
}

// write sends a whole request.
func (one *conn) write(request []byte) error {
	for len(request) > 0 {
		n, err := syscall.Write(one.fd, request)
		if err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("send: %w", err)
		}
		request = request[max(n, 0):]
	}
	return nil
}

func (r *run) receive(one *conn) error {
	if len(one.data) == cap(one.data) {
		return fmt.Errorf("load: an answer of more than %d bytes", cap(one.data))
	}
	n, err := syscall.Read(one.fd, one.data[len(one.data):cap(one.data)])
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return nil
	case err != nil:
		return fmt.Errorf("receive: %w", err)
	case n == 0 || !one.busy:
		return errors.New("load: the server closed a connection")
	}
	one.data = one.data[:len(one.data)+n]
	answer, err := parse(one.data)
	if err != nil || answer.size == 0 {
		return err
	}
	r.outcome.BytesRead += int64(answer.size)
	if r.work.Then != nil {
		if next := r.work.Then(one.begun, answer); next != nil {
			one.data = one.data[:0]
			return one.write(next)
		}
	}
	now := time.Now()
	r.outcome.Latencies.Record(now.Sub(one.since))
	r.outcome.Requests++
	r.pending--
	if err := r.check(answer); err != nil {
		return err
	}
	one.data, one.busy = one.data[:0], false
	return r.send(one, now)
}

func (r *run) check(a Answer) error {
	if a.Status != r.work.Status || !bytes.Contains(a.Body, []byte(r.work.Contains)) {
		const shown = 300
		return fmt.Errorf("load: answer %d: %.*q, where %d with %q was due", a.Status, shown, a.Body, r.work.Status, r.work.Contains)
	}
	return nil
}
