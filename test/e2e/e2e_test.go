// Package e2e_test runs the real program beside programs that other people
// wrote and scripts as users of other products write them, and looks at what
// it leaves in logs, files and databases. It sees what a user sees: the command
// line, HTTP and files. `make e2e` runs it.
package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

func TestMain(m *testing.M) { os.Exit(process.Main(m)) }

// onEach runs a test on SQLite, without a cluster, and on PostgreSQL.
func onEach(t *testing.T, test func(t *testing.T, cluster *process.Cluster)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, nil) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, process.NewCluster(t)) })
}

// must fails the test where a request failed or was answered otherwise.
func must(t *testing.T, want int, into any) func(*caller.Answer, error) *caller.Answer {
	t.Helper()
	return func(answer *caller.Answer, err error) *caller.Answer {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Into(want, into); err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

// newClient makes a client that may ask for tokens.
func newClient(t *testing.T, owner *caller.Caller, name string) *caller.Caller {
	t.Helper()
	var made caller.Client
	must(t, http.StatusCreated, &made)(owner.Config(t.Context(), http.MethodPost, "/clients", map[string]any{"name": name, "features": []string{"access_issuer"}}))
	return owner.As(made.ID, made.Secret)
}

func newToken(t *testing.T, c *caller.Caller) string {
	t.Helper()
	var token caller.Token
	must(t, http.StatusOK, &token)(c.Token(t.Context()))
	return token.AccessToken
}

func active(t *testing.T, c *caller.Caller, token string) bool {
	t.Helper()
	answer, err := c.Introspect(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	is, err := answer.Active()
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// packages installs what the lock file in test/node pins, once a test process,
// unless that was done.
var packages = sync.OnceValue(func() error {
	directory := filepath.Join(process.Root(), "test", "node")
	lock, err := os.Stat(filepath.Join(directory, "package-lock.json"))
	if err != nil {
		return err
	}
	if done, err := os.Stat(filepath.Join(directory, "node_modules", ".package-lock.json")); err == nil && done.ModTime().After(lock.ModTime()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = directory
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("the programs of others that these tests run are not there; `npm ci` in test/node should install them: %w\n%s", err, out)
	}
	return nil
})

// run runs a program of others and gives what it printed.
func run(t *testing.T, environment []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v; tools/need.sh e2e installs what these tests need", err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(process.Environment(), environment...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, filepath.Base(args[0]), err, out, complaint.String())
	}
	return string(out)
}
