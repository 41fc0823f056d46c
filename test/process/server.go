package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/loopback"
)

// patience bounds every wait for a process. It is no measure of anything: what
// takes as long is broken.
const patience = 60 * time.Second

// Founding is what `ostiary init --json` prints.
type Founding struct {
	ApplicationID     string `json:"application_id"`
	Issuer            string `json:"issuer"`
	OwnerClientID     string `json:"owner_client_id"`
	OwnerClientSecret string `json:"owner_client_secret"`
	AdminEmail        string `json:"admin_email"`
	AdminPassword     string `json:"admin_password"`
	Data              string `json:"data"`
}

// Server is one server: a data directory, a database, two addresses, and while
// it runs a process.
type Server struct {
	Founding
	Database  string // URL of a PostgreSQL database; "": SQLite in the data directory
	PublicURL string
	OpsURL    string
	Flags     []string // of serve, after the ones that every start has
	Under     []string // a program that starts the server, with its arguments: prlimit, strace …

	t       testing.TB
	listen  string
	ops     string
	running *run
	logs    *lines
}

// run is one life of the process.
type run struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // of Wait; read after done
}

// Found runs `ostiary init --json` with the flags given, on SQLite where
// database is "", and gives a server that is not started yet. What is left of
// it ends with the test.
func Found(t testing.TB, database string, flags ...string) *Server {
	t.Helper()
	return FoundIn(t, filepath.Join(t.TempDir(), "data"), database, flags...)
}

// FoundIn is Found in a data directory of the caller's choice.
func FoundIn(t testing.TB, data, database string, flags ...string) *Server {
	t.Helper()
	s := New(t, data, database)
	args := append([]string{"init", "--json", "--data", data, "--public-url", s.PublicURL}, flags...)
	if database != "" {
		args = append(args, "--database", database)
	}
	out, err := Run(t, args...)
	if err != nil {
		t.Fatalf("ostiary init: %v", err)
	}
	if err := json.Unmarshal(out, &s.Founding); err != nil {
		t.Fatalf("ostiary init --json: %v", err)
	}
	return s
}

// New gives a server that was not founded: its first start does that.
func New(t testing.TB, data, database string) *Server {
	t.Helper()
	s := &Server{Database: database, t: t, listen: loopback.Free(t), ops: loopback.Free(t), logs: &lines{}}
	s.PublicURL, s.OpsURL = "http://"+s.listen, "http://"+s.ops
	s.Data = data
	t.Cleanup(s.end)
	return s
}

// Beside gives a second server on the same data, on other addresses.
func (s *Server) Beside(data string) *Server {
	s.t.Helper()
	other := New(s.t, data, s.Database)
	other.Founding = s.Founding
	other.Data = data
	return other
}

// Run runs the program to its end and gives what it printed; an error holds
// what it said on the error output.
func Run(t testing.TB, args ...string) ([]byte, error) {
	t.Helper()
	binary := Binary(t) // before the clock starts: the first call builds it
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = Environment()
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("ostiary %s: %w\n%s", args[0], err, complaint.Bytes())
	}
	return out, nil
}

// Environment is that of the tests without what configures the program.
func Environment() []string {
	return slices.DeleteFunc(os.Environ(), func(line string) bool { return strings.HasPrefix(line, "OSTIARY_") })
}

// Command gives the command line of serve.
func (s *Server) Command() []string {
	args := []string{"serve", "--listen", s.listen, "--ops-listen", s.ops, "--public-url", s.PublicURL, "--data", s.Data}
	if s.Database != "" {
		args = append(args, "--database", s.Database)
	}
	return append(args, s.Flags...)
}

// Start starts the process and waits until it is ready.
func (s *Server) Start() {
	s.t.Helper()
	s.Launch()
	if err := s.AwaitReady(http.StatusOK); err != nil {
		s.t.Fatalf("the server did not become ready: %v\n%s", err, s.Logs())
	}
}

// Launch starts the process and does not wait for it.
func (s *Server) Launch() {
	s.t.Helper()
	if s.running != nil {
		s.t.Fatal("the server runs already")
	}
	line := slices.Concat(s.Under, []string{Binary(s.t)}, s.Command())
	cmd := exec.Command(line[0], line[1:]...) //nolint:noctx // the program just built; ended by Kill, Stop or the test's cleanup
	cmd.Env = Environment()
	cmd.Stdout, cmd.Stderr = s.logs, s.logs
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	r := &run{cmd: cmd, done: make(chan struct{})}
	go func() {
		r.err = cmd.Wait()
		close(r.done)
	}()
	s.running = r
}

// AwaitReady waits until readyz answers with the status given; an error says
// that the process ended, or that it took too long.
func (s *Server) AwaitReady(status int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.Ready(ctx) == status {
			return nil
		}
		select {
		case <-s.running.done:
			return fmt.Errorf("the process ended: %w", errors.Join(s.running.err, errors.New(s.running.cmd.ProcessState.String())))
		case <-ctx.Done():
			return fmt.Errorf("readyz did not answer %d within %s", status, patience)
		case <-tick.C:
		}
	}
}

// AwaitSteady waits until readyz has answered 200 for a while without a break.
// On PostgreSQL a server is ready on the strength of its last sign of life for
// up to a second, then perhaps not, until it has its hold on the database again.
func (s *Server) AwaitSteady(while time.Duration) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for since := time.Now(); time.Since(since) < while; {
		select {
		case <-s.running.done:
			return fmt.Errorf("the process ended: %w", errors.Join(s.running.err, errors.New(s.running.cmd.ProcessState.String())))
		case <-tick.C:
		}
		if s.Ready(context.Background()) != http.StatusOK {
			since = time.Now()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("readyz did not answer 200 for %s within %s", while, patience)
		}
	}
	return nil
}

// Ready gives the status of readyz, 0 where nobody answers.
func (s *Server) Ready(ctx context.Context) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.OpsURL+"/readyz", http.NoBody)
	if err != nil {
		s.t.Error(err)
		return 0
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode
}

// Pid is the process id while the server runs.
func (s *Server) Pid() int { return s.running.cmd.Process.Pid }

// Kill ends the process as a power cut would: without a word.
func (s *Server) Kill() {
	s.t.Helper()
	if err := s.running.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		s.t.Fatalf("kill: %v\n%s", err, s.Logs())
	}
	<-s.running.done
	s.running = nil
}

// Signal sends the process a signal.
func (s *Server) Signal(signal os.Signal) {
	s.t.Helper()
	if err := s.running.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// Stop asks the process to end and gives its exit status.
func (s *Server) Stop() int {
	s.t.Helper()
	s.Signal(syscall.SIGTERM)
	return s.Await()
}

// Ended is closed when the process has ended.
func (s *Server) Ended() <-chan struct{} { return s.running.done }

// Await waits until the process has ended, and gives its exit status.
func (s *Server) Await() int {
	s.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.running.done:
	case <-timer.C:
		s.t.Fatalf("the process did not end within %s\n%s", patience, s.Logs())
	}
	status := s.running.cmd.ProcessState.ExitCode()
	s.running = nil
	return status
}

// end ends what a test has left, and shows the logs of one that failed.
func (s *Server) end() {
	if s.running != nil {
		_ = s.running.cmd.Process.Kill()
		<-s.running.done
		s.running = nil
	}
	if s.t.Failed() {
		s.t.Logf("the server's last lines:\n%s", tail(s.Logs(), 40))
	}
}

// Logs is all that the process has written, in all its lives.
func (s *Server) Logs() string { return s.logs.String() }

func tail(text string, n int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-n):], "\n")
}

// lines collects output; a process writes while tests read.
type lines struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write takes output.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

// String gives what was written so far.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}
