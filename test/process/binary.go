// Package process builds the real program, starts it on free ports, and kills,
// stops and starts it again, for tests that look at it from outside. It owns
// processes and their files, on SQLite and on a PostgreSQL of its own; what is
// said to a server over HTTP is not its matter (package caller).
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// built is the program as built for this test process.
var built = struct {
	once sync.Once
	dir  string
	err  error
}{}

// Main runs the tests of a package and removes the program that was built for
// them. A package that calls Binary has a TestMain that does nothing else.
func Main(m *testing.M) int {
	code := m.Run()
	if built.dir != "" {
		if err := os.RemoveAll(built.dir); err != nil {
			fmt.Fprintln(os.Stderr, "the built program is still there:", err)
		}
	}
	return code
}

// Binary gives the path of the program, built once for each test process the
// way that it is released: without C.
func Binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() { built.dir, built.err = build() })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "ostiary")
}

func build() (string, error) {
	dir, err := os.MkdirTemp("", "ostiary-test-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "ostiary"), "./cmd/ostiary") //nolint:noctx // it outlives the first test that asks for it
	cmd.Dir = Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return dir, nil
}

// Root is the directory of the repository.
func Root() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		panic(errors.New("the tests were built without paths (-trimpath); build them with"))
	}
	return filepath.Join(filepath.Dir(file), "..", "..")
}
