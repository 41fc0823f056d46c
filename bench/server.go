//go:build linux

package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/ostiary/ostiary/bench/procfs"
)

// build makes the server's binary as it is released.
func (b *bench) build(ctx context.Context) error {
	b.binary = filepath.Join(b.dir, "ostiary")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.binary, "./cmd/ostiary")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the server: %w\n%s", err, out)
	}
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	b.record(figure("sqlite", "binary", 0, "MB"), float64(info.Size())/1e6)
	return nil
}

// site is one instance of the server: where its data are, and who may call.
type site struct {
	data     string
	database string // URL of PostgreSQL; "": SQLite
	main     netip.AddrPort
	ops      netip.AddrPort
	command  []string // what to start it with
	process  *exec.Cmd
	exited   chan error

	application   string
	owner         credentials
	administrator credentials // by address and password
	opaque        credentials // a client whose access tokens are opaque
	jwt           credentials // one whose access tokens are JWTs
	guest         credentials // one whose tokens are opaque and open a path at gateways
	web           credentials // one that acts for users, with JWTs
	cookies       []string    // of the users' sessions
}

// masterKey of all sites, so that the benchmark can make secrets' digests.
var masterKey = [32]byte{31: 1}

func masterKeyVariable() string { return "OSTIARY_MASTER_KEY=" + hex.EncodeToString(masterKey[:]) }

// siteAt is an instance of the server on ports of its own.
func (b *bench) siteAt(ctx context.Context, data, database string) (*site, error) {
	s := &site{data: data, database: database, command: []string{b.binary, "serve"}}
	for _, address := range []*netip.AddrPort{&s.main, &s.ops} {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		*address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
	}
	return s, nil
}

// found sets a new instance up, with who calls it.
func (b *bench) found(ctx context.Context, name, database string) (*site, error) {
	s, err := b.siteAt(ctx, filepath.Join(b.dir, name), database)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, b.binary, append([]string{"init", "--json", "--public-url", "http://" + s.main.String()}, s.store()...)...)
	cmd.Env = append(os.Environ(), masterKeyVariable())
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			out = exit.Stderr
		}
		return nil, fmt.Errorf("ostiary init: %w: %s", err, out)
	}
	var first struct {
		Application string `json:"application_id"`
		ID          string `json:"owner_client_id"`
		Secret      string `json:"owner_client_secret"`
		Email       string `json:"admin_email"`
		Password    string `json:"admin_password"`
	}
	if err := json.Unmarshal(out, &first); err != nil {
		return nil, fmt.Errorf("what ostiary init printed: %w", err)
	}
	s.application, s.owner = first.Application, credentials{first.ID, first.Secret}
	s.administrator = credentials{first.Email, first.Password}
	return s, s.populate(ctx)
}

// store are the flags that say where the data are.
func (s *site) store() []string {
	flags := []string{"--data", s.data}
	if s.database != "" {
		flags = append(flags, "--database", s.database)
	}
	return flags
}

// path is a path of the application.
func (s *site) path(p string) string { return "/" + s.application + p }

// start starts the server and waits until it is ready; it gives how long that
// took from the start of the process to the first 200.
func (s *site) start(ctx context.Context) (time.Duration, error) {
	args := slices.Concat(s.command[1:], s.store())
	args = append(args, "--listen", s.main.String(), "--ops-listen", s.ops.String(), "--drain-delay", "0s", "--log-level", "warn", "--trusted-proxies", "127.0.0.1/32")
	// The server ends when it is told to, not when the context is over.
	s.process = exec.CommandContext(context.WithoutCancel(ctx), s.command[0], args...)
	s.process.Env = append(os.Environ(), masterKeyVariable())
	s.process.Stderr = os.Stderr
	began := time.Now()
	if err := s.process.Start(); err != nil {
		return 0, err
	}
	s.exited = make(chan error, 1)
	go func() { s.exited <- s.process.Wait() }()
	for time.Since(began) < time.Minute && ctx.Err() == nil {
		if s.ready(ctx) {
			return time.Since(began), nil
		}
		select {
		case err := <-s.exited:
			err = fmt.Errorf("the server %v did not start: %w", s.process.Args, err)
			s.process = nil
			return 0, err
		case <-time.After(time.Millisecond):
		}
	}
	return 0, errors.Join(fmt.Errorf("the server %v was not ready within a minute", s.process.Args), s.stop())
}

func (s *site) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.ops.String()+"/readyz", nil)
	if err != nil {
		return false
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return errors.Join(answer.Body.Close()) == nil && answer.StatusCode == http.StatusOK
}

// stop stops the server in good order; one that does not run is left so.
func (s *site) stop() error {
	if s.process == nil {
		return nil
	}
	process := s.process.Process
	s.process = nil
	_ = process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(20*time.Second, func() { _ = process.Kill() })
	defer timer.Stop()
	if err := <-s.exited; err != nil {
		return fmt.Errorf("the server did not stop in good order: %w", err)
	}
	return nil
}

// restart gives a server that remembers nothing.
func (s *site) restart(ctx context.Context) error {
	if err := s.stop(); err != nil {
		return err
	}
	_, err := s.start(ctx)
	return err
}

func (s *site) memory() (procfs.Memory, error) { return procfs.ReadMemory(s.process.Process.Pid) }

// target is what load is put on, and whose CPU time counts.
type target struct {
	name     string
	address  func() netip.AddrPort
	pid      func() int
	database *postgres // nil: none
}

func (s *site) target(name string, database *postgres) *target {
	return &target{
		name: name, database: database,
		address: func() netip.AddrPort { return s.main },
		pid:     func() int { return s.process.Process.Pid },
	}
}

func (c *child) target(name string, address netip.AddrPort) *target {
	return &target{name: name, address: func() netip.AddrPort { return address }, pid: c.pid}
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err := errors.Join(err, l.Close()); err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
