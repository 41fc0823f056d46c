package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Drain stops a server so that no request is refused half-way. http.Server's
// own Shutdown does refuse some: it drops a request that it has just read, and
// the kernel resets connections that wait to be accepted when a listener
// closes. So a Drain first asks clients to leave their connections, then takes
// the connections that wait and closes the listener, then waits until nothing
// is under way, and only then shuts the server down.
type Drain struct {
	begun    atomic.Bool
	listener *listener
	phases   [3]atomic.Int64 // connections by phase
}

// Phases of a connection.
const (
	silent  int32 = iota // open, nothing received yet
	busy                 // a request is under way
	resting              // between requests
	over
)

// silentTime is how long a connection that has sent nothing is waited for; who
// opens one to use it sends within a round trip.
const silentTime = 2 * time.Second

// NewDrain makes the drain of a server that is to serve on l; newID makes the
// request ids of answers that no handler gives (malformed.go).
func NewDrain(l net.Listener, newID func() string) (*Drain, error) {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("%s is no TCP address", l.Addr())
	}
	d := &Drain{}
	d.listener = &listener{TCPListener: tcp, newID: newID, accepted: func() { d.phases[silent].Add(1) }}
	return d, nil
}

// Listener is the one to serve on, or to wrap in TLS.
func (d *Drain) Listener() net.Listener { return d.listener }

// Begun reports whether clients are asked to leave; see Front.Draining.
func (d *Drain) Begun() bool { return d.begun.Load() }

// Begin has clients asked to leave: each answer is the last on its connection.
// New connections are still taken.
func (d *Drain) Begin() { d.begun.Store(true) }

// ConnState keeps count; it is the server's hook of that name.
func (d *Drain) ConnState(c net.Conn, state http.ConnState) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	t, ok := c.(*conn)
	if !ok {
		return
	}
	now := over
	switch state {
	case http.StateNew:
		return // counted since it was accepted
	case http.StateActive:
		now = busy
	case http.StateIdle:
		now = resting
	case http.StateHijacked, http.StateClosed:
	}
	if before := t.phase.Swap(now); before != now {
		d.move(before, now)
	}
}

func (d *Drain) move(before, now int32) {
	if now != over {
		d.phases[now].Add(1)
	}
	if before != over {
		d.phases[before].Add(-1)
	}
}

// Finish closes the listener, waits for what is under way and shuts the server
// down. When ctx is done it cuts what is left.
func (d *Drain) Finish(ctx context.Context, server *http.Server) error {
	d.Begin()
	d.listener.leave()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	patience := time.NewTimer(silentTime)
	defer patience.Stop()
	for waiting := true; waiting && ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-patience.C:
			waiting = d.phases[busy].Load() > 0
			patience.Reset(silentTime)
		case <-tick.C:
			waiting = d.listener.open() || d.phases[busy].Load() > 0 || d.phases[silent].Load() > 0
		}
	}
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests did not end in time: %w", err), server.Close())
	}
	return nil
}

// conn is a connection whose phase is known.
type conn struct {
	*net.TCPConn
	phase atomic.Int32
	newID func() string

	answered atomic.Bool // since the last Read
	heard    int         // bytes of head in use
	head     [sniffed]byte
}

// listener can take the connections that wait before it closes.
type listener struct {
	*net.TCPListener
	accepted func() // counts a connection before Accept gives it out
	newID    func() string
	leaving  atomic.Bool

	mu     sync.Mutex
	closed bool
	last   []*net.TCPConn // taken when the listener closed
}

// Accept gives the next connection; net.ErrClosed once there will be none.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.next()
	if err != nil {
		return nil, err
	}
	return &conn{TCPConn: c, newID: l.newID}, nil
}

func (l *listener) next() (*net.TCPConn, error) {
	if !l.leaving.Load() {
		c, err := l.AcceptTCP()
		if err == nil {
			l.accepted()
		}
		if err == nil || !l.leaving.Load() {
			return c, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.last, l.closed = l.take(), true
	}
	if len(l.last) == 0 {
		return nil, net.ErrClosed
	}
	c := l.last[0]
	l.last = l.last[1:]
	l.accepted()
	return c, nil
}

// Close may come after take has closed: a server closes its listener at Shutdown
// where Serve has not returned yet.
func (l *listener) Close() error {
	if err := l.TCPListener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// leave wakes Accept, which then takes what waits and closes.
func (l *listener) leave() {
	l.leaving.Store(true)
	_ = l.SetDeadline(time.Now()) // it fails on a listener that is closed already
}

// open reports whether connections may still come out of Accept.
func (l *listener) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.closed || len(l.last) > 0
}

// take accepts until nothing waits, and has the kernel refuse from then on:
// under a microsecond lies between the two. Closing alone would leave the time
// that it takes to wake up, in which connections come and are reset.
func (l *listener) take() []*net.TCPConn {
	defer func() { _ = l.Close() }()
	raw, err := l.SyscallConn()
	if err != nil {
		return nil
	}
	var descriptors []int
	_ = raw.Control(func(fd uintptr) {
		for {
			c, _, err := syscall.Accept(int(fd))
			if errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.ECONNABORTED) {
				continue
			}
			if err != nil {
				break
			}
			descriptors = append(descriptors, c)
		}
		_ = syscall.Shutdown(int(fd), syscall.SHUT_RD)
	})
	var taken []*net.TCPConn
	for _, fd := range descriptors {
		syscall.CloseOnExec(fd)
		file := os.NewFile(uintptr(fd), "")
		c, err := net.FileConn(file) // has a descriptor of its own
		_ = file.Close()
		if tcp, ok := c.(*net.TCPConn); err == nil && ok {
			taken = append(taken, tcp)
		}
	}
	return taken
}
