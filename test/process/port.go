package process

import (
	"context"
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

// FreeAddress gives a loopback address nobody listens on. Its port is below the
// range from which the system takes the near ends of connections: a server that
// was killed must find it free again, whatever its callers have open by then.
func FreeAddress(t testing.TB) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range 1000 {
		port := 15000 + rand.IntN(17000)
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if ports.taken[port] {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		ports.taken[port] = true
		return address
	}
	t.Fatal("no free port on the loopback address")
	return ""
}
