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
	"io"
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

	"github.com/ostiary/ostiary/internal/loopback"
)

// missing is what a test says where PostgreSQL is not installed.
const missing = "PostgreSQL is needed for this test: apt-get install postgresql"

var (
	once     sync.Once
	shared   *Cluster
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
	if err := shared.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Database makes an empty database on the cluster of this process and gives its
// URL. It goes with the cluster.
func Database(t testing.TB) string {
	t.Helper()
	once.Do(func() { shared, failure = create() })
	if failure != nil {
		t.Fatal(failure)
	}
	return shared.Database(t)
}

// New makes a cluster for one test alone, which may stop it or change its
// configuration; it goes at the end of the test.
func New(t testing.TB) *Cluster {
	t.Helper()
	c, err := create()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Cluster is a PostgreSQL server and its files.
type Cluster struct {
	bin       string
	directory string
	address   string
	as        *syscall.Credential // nil: as this process
	alive     io.Closer           // see endWithProcess; open for as long as this process lives
}

// URL of a database of the cluster.
func (c *Cluster) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", c.address, database)
}

// Database makes an empty database and gives its URL.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", sequence.Add(1))
	c.Exec(t, "CREATE DATABASE "+name)
	return c.URL(name)
}

// Exec runs a statement as the superuser.
func (c *Cluster) Exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, statement, args...); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func create() (_ *Cluster, err error) {
	c := &Cluster{}
	out, err := exec.Command("pg_config", "--bindir").Output() //nolint:noctx // it ends at once
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
	if err := c.run("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"); err != nil {
		return nil, err
	}
	if c.address, err = loopback.Address(); err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	return c, c.endWithProcess()
}

func (c *Cluster) data() string { return filepath.Join(c.directory, "data") }

// Start starts the server and waits until it answers.
func (c *Cluster) Start() error {
	host, port, err := net.SplitHostPort(c.address)
	if err != nil {
		return err
	}
	options := fmt.Sprintf("-h %s -p %s -c unix_socket_directories= -c max_connections=200", host, port)
	return c.run("pg_ctl", "-D", c.data(), "-l", filepath.Join(c.directory, "log"), "-w", "-t", "60", "-o", options, "start")
}

// Stop ends the server at once, as a crash would.
func (c *Cluster) Stop() error {
	return c.run("pg_ctl", "-D", c.data(), "-m", "immediate", "-w", "stop")
}

// Remove ends the server and removes its files.
func (c *Cluster) Remove() error {
	var err error
	if _, running := os.Stat(filepath.Join(c.data(), "postmaster.pid")); running == nil {
		err = c.Stop()
	}
	return errors.Join(err, os.RemoveAll(c.directory))
}

// endWithProcess has a shell remove the cluster where the test process ends
// without doing it: a panic, a time limit. The shell's standard input is a pipe
// that nobody else holds, so it reads its end the moment the process is gone.
func (c *Cluster) endWithProcess() error {
	const script = `read line; [ -e "$2" ] || exit 0; "$1/pg_ctl" -D "$2" -m immediate -w stop; rm -rf "$3"`
	watch := exec.Command("sh", "-c", script, "sh", c.bin, c.data(), c.directory) //nolint:noctx // a constant script; it must outlive the tests
	watch.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true}
	var err error
	if c.alive, err = watch.StdinPipe(); err != nil {
		return err
	}
	return watch.Start()
}

// chooseUser finds a user other than root, as PostgreSQL does not run as root.
func (c *Cluster) chooseUser() error {
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
func (c *Cluster) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, program), args...) //nolint:noctx // the installed PostgreSQL; the cluster is of all tests
	cmd.Dir = c.directory
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
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
