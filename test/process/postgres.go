package process

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/loopback"
)

// noPostgres is what a test says where PostgreSQL is not installed.
const noPostgres = "PostgreSQL is needed for this test: apt-get install postgresql"

// Cluster is a PostgreSQL of a test's own, with its default durability, which
// can be stopped, killed and started again. (internal/pgtest has one for a
// whole test process, which nobody may stop.)
type Cluster struct {
	t         testing.TB
	bin       string
	directory string
	address   string
	as        *syscall.Credential // nil: as this process
	server    *exec.Cmd           // nil: stopped
	ended     chan struct{}
	databases int
}

// NewCluster makes a cluster and starts it. It ends with the test.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "pg_config", "--bindir").Output()
	if err != nil {
		t.Fatalf("%s (%v)", noPostgres, err)
	}
	c := &Cluster{t: t, bin: strings.TrimSpace(string(out)), address: loopback.Free(t)}
	// Not t.TempDir: every directory above must be open to the other user.
	if c.directory, err = os.MkdirTemp("", "ostiary-postgres-"); err != nil { //nolint:usetesting // as said above
		t.Fatal(err)
	}
	t.Cleanup(c.remove)
	c.chooseUser()
	c.run("initdb", "-D", c.Directory(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
	c.Start()
	return c
}

// Directory is where PostgreSQL keeps its files.
func (c *Cluster) Directory() string { return filepath.Join(c.directory, "data") }

// chooseUser finds a user other than root: PostgreSQL refuses to run as root.
func (c *Cluster) chooseUser() {
	c.t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, notUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, notGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(notUID, notGID, os.Chown(c.directory, int(uid), int(gid))); err != nil {
			c.t.Fatal(err)
		}
		c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return
	}
	c.t.Fatal("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

func (c *Cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, program), args...) //nolint:noctx // the installed PostgreSQL; ended by Stop, Kill or the cleanup
	cmd.Dir = c.directory
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
	return cmd
}

// run runs one of PostgreSQL's programs to its end and gives what it printed.
func (c *Cluster) run(program string, args ...string) []byte {
	c.t.Helper()
	cmd := c.command(program, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", program, err, complaint.Bytes())
	}
	return out
}

// Start starts the cluster and waits until it takes connections.
func (c *Cluster) Start() {
	c.t.Helper()
	host, port, err := net.SplitHostPort(c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(c.directory, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	c.server = c.command("postgres", "-D", c.Directory(), "-h", host, "-p", port, "-c", "unix_socket_directories=", "-c", "max_connections=100")
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.ended = make(chan struct{})
	go func(server *exec.Cmd, ended chan struct{}) {
		_ = server.Wait()
		close(ended)
	}(c.server, c.ended)
	c.await(host, port)
}

func (c *Cluster) await(host, port string) {
	c.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for c.command("pg_isready", "-q", "-h", host, "-p", port, "-U", "postgres").Run() != nil {
		select {
		case <-c.ended:
			text, _ := os.ReadFile(filepath.Join(c.directory, "log"))
			c.t.Fatalf("PostgreSQL ended:\n%s", tail(string(text), 20))
		case <-deadline.C:
			c.t.Fatalf("PostgreSQL did not take connections within %s", patience)
		case <-tick.C:
		}
	}
}

// Stop ends the cluster as an administrator in a hurry does: whoever is
// connected is cut off.
func (c *Cluster) Stop() {
	c.t.Helper()
	if err := c.server.Process.Signal(syscall.SIGINT); err != nil {
		c.t.Fatal(err)
	}
	<-c.ended
	c.server = nil
}

// Kill ends the postmaster and all its processes without a word. The postmaster
// is halted first, so that it makes no further one meanwhile.
func (c *Cluster) Kill() {
	c.t.Helper()
	postmaster := c.server.Process.Pid
	_ = syscall.Kill(postmaster, syscall.SIGSTOP)
	c.until(func() bool { return state(postmaster).name == "T" })
	pids := append(childrenOf(postmaster), postmaster)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-c.ended
	for _, pid := range pids { // the last one gives the shared memory back
		c.until(func() bool { return state(pid).name == "" || state(pid).name == "Z" })
	}
	c.server = nil
}

func (c *Cluster) until(is func() bool) {
	c.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			c.t.Fatal("PostgreSQL's processes do not do as they are told")
		case <-tick.C:
		}
	}
}

// Pause halts every process of the cluster, as a host that hangs does:
// connections stay open and nobody answers. The function given back ends it.
func (c *Cluster) Pause() (resume func()) {
	c.t.Helper()
	pids := append(childrenOf(c.server.Process.Pid), c.server.Process.Pid)
	signal := func(s syscall.Signal) {
		for _, pid := range pids {
			_ = syscall.Kill(pid, s)
		}
	}
	signal(syscall.SIGSTOP)
	var once sync.Once
	resume = func() { once.Do(func() { signal(syscall.SIGCONT) }) }
	c.t.Cleanup(resume)
	return resume
}

// stat is what /proc says of a process: fields 3 and 4 of stat, which come after
// its name in brackets. The zero value says that there is none.
type stat struct{ name, parent string }

func state(pid int) stat {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return stat{}
	}
	return stat{fields[0], fields[1]}
}

func childrenOf(parent int) (pids []int) {
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		if pid, err := strconv.Atoi(filepath.Base(path)); err == nil && state(pid).parent == strconv.Itoa(parent) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (c *Cluster) remove() {
	if c.server != nil {
		c.Kill()
	}
	if err := os.RemoveAll(c.directory); err != nil {
		c.t.Error(err)
	}
}

// Database makes an empty database and gives its URL. No cluster (nil) stands
// for SQLite, whose URL is "".
func (c *Cluster) Database() string {
	if c == nil {
		return ""
	}
	c.t.Helper()
	c.databases++
	name := fmt.Sprintf("test%d", c.databases)
	c.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", "CREATE DATABASE "+name, c.url("postgres"))
	return c.url(name)
}

func (c *Cluster) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: c.address, Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Dump gives all that is in a database as SQL text.
func (c *Cluster) Dump(database string) []byte {
	c.t.Helper()
	return c.run("pg_dump", database)
}
