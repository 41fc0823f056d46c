// Package torture_test treats the real program badly and looks at what is left:
// kill -9 under load, a full disk, a database that goes away, stops in the
// middle of traffic, many at once, many tokens to kill. What it knows it knows
// from answers that it was given. `make torture` runs it; TORTURE=long for the
// form with 100 kills of each kind.
package torture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/ostiary/ostiary/test/process"
)

func TestMain(m *testing.M) { os.Exit(process.Main(m)) }

// times gives how often something is done in the form that was asked for.
func times(t *testing.T, short, long int) int {
	t.Helper()
	switch form := os.Getenv("TORTURE"); form {
	case "", "short":
		return short
	case "long":
		return long
	default:
		t.Fatalf("TORTURE is %q; it is short or long", form)
		return 0
	}
}

// complaints collects what goes wrong in many goroutines; the first ones are
// shown, the rest counted.
type complaints struct {
	mu    sync.Mutex
	first []string
	count int
}

func (c *complaints) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if len(c.first) < 10 {
		c.first = append(c.first, fmt.Sprintf(format, args...))
	}
}

func (c *complaints) report(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, complaint := range c.first {
		t.Error(complaint)
	}
	if more := c.count - len(c.first); more > 0 {
		t.Errorf("and %d more", more)
	}
}

// compact gives JSON without spaces between its tokens; what is not JSON as it is.
func compact(body []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, body) != nil {
		return body
	}
	return b.Bytes()
}
