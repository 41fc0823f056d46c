// Package loopback finds addresses for servers that a test starts as programs of
// their own, or again where they were. It listens on none.
package loopback

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// ports remembers what was handed out in this process.
var ports = struct {
	sync.Mutex
	taken map[int]bool
}{taken: map[int]bool{}}

// Address gives a loopback address nobody listens on. Its port is below the
// range from which the system takes the near ends of connections, and the ports
// of those who ask for any: a server that is only just starting, or was killed,
// must find it free, whatever others have open by then.
func Address() (string, error) {
	ports.Lock()
	defer ports.Unlock()
	for range 1000 {
		port := 15000 + rand.IntN(17000) //nolint:gosec // no secret
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if ports.taken[port] {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return "", err
		}
		ports.taken[port] = true
		return address, nil
	}
	return "", errors.New("no free port on the loopback address")
}

// Free is Address for a test, which fails where there is none.
func Free(t testing.TB) string {
	t.Helper()
	address, err := Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}
