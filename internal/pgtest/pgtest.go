// Package pgtest starts a PostgreSQL of its own for a test process: one cluster
// a process, on a temporary directory and a free loopback port, with the
// durability it has by default; one database a test. It needs the programs of
// Debian's package postgresql and never skips: without them the test fails and
// says what to install. It holds no schema.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// missing is what a test says where PostgreSQL is not installed.
const missing = "PostgreSQL is needed for this test: apt-get install postgresql"

// cluster is the PostgreSQL of this process.
type cluster struct {
	bin       string
	directory string
	port      int
	as        *syscall.Credential // nil: as this process
}

var (
	once     sync.Once
	shared   *cluster
	failure  error
	sequence atomic.Int64
)

// Main runs the tests of a package that uses Database and ends what was
// started: func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }.
func Main(m *testing.M) int {
	code := m.Run()
	if shared == nil {
		return code
	}
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Database makes an empty database and gives its URL. It goes with the cluster.
func Database(t testing.TB) string {
	t.Helper()
	once.Do(func() { shared, failure = start() })
	if failure != nil {
		t.Fatal(failure)
	}
	name := fmt.Sprintf("test%d", sequence.Add(1))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, shared.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
	return shared.url(name)
}

func (c *cluster) url(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", c.port, database)
}

func start() (_ *cluster, err error) {
	c := &cluster{}
	out, err := exec.Command("pg_config", "--bindir").Output()
	if err != nil {
		return nil, fmt.Errorf("%s (%w)", missing, err)
	}
	c.bin = strings.TrimSpace(string(out))
	if _, err := os.Stat(filepath.Join(c.bin, "initdb")); err != nil {
		return nil, fmt.Errorf("%s (%w)", missing, err)
	}
	if c.directory, err = os.MkdirTemp("", "pgtest"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(c.directory))
		}
	}()
	if err := c.chooseUser(); err != nil {
		return nil, err
	}
	if c.port, err = freePort(); err != nil {
		return nil, err
	}
	if err := c.run("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"); err != nil {
		return nil, err
	}
	options := fmt.Sprintf("-h 127.0.0.1 -p %d -c unix_socket_directories= -c max_connections=200", c.port)
	return c, c.run("pg_ctl", "-D", c.data(), "-l", filepath.Join(c.directory, "log"), "-w", "-t", "60", "-o", options, "start")
}

func (c *cluster) data() string { return filepath.Join(c.directory, "data") }

func (c *cluster) stop() error {
	return errors.Join(c.run("pg_ctl", "-D", c.data(), "-m", "immediate", "-w", "stop"), os.RemoveAll(c.directory))
}

// chooseUser finds a user other than root, as PostgreSQL does not run as root.
func (c *cluster) chooseUser() error {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return err
		}
		c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return os.Chown(c.directory, int(uid), int(gid))
	}
	return errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// run runs one of PostgreSQL's programs to its end.
func (c *cluster) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, program), args...) //nolint:gosec // the installed PostgreSQL
	cmd.Dir = c.directory
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if c.as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
	}
	// A file, not a pipe: the server that pg_ctl starts would keep a pipe open.
	log, err := os.Create(filepath.Join(c.directory, program+".out"))
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	err = errors.Join(cmd.Run(), log.Close())
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, text)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close() //nolint:forcetypeassert,errcheck // a TCP listener has one
}
