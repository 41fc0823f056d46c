//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ostiary/ostiary/bench/procfs"
)

// postgres is a database server of our own: a new cluster in a temporary
// directory, on a loopback port, with the durability it comes with.
type postgres struct {
	cmd  *exec.Cmd
	bin  string
	dir  string
	port int
	as   *syscall.Credential // PostgreSQL refuses to run as root
}

const postgresUser = "bench"

// startPostgres makes and starts one; its databases are made by url's callers.
func startPostgres(ctx context.Context) (p *postgres, err error) {
	bin, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output()
	if err != nil {
		return nil, fmt.Errorf("pg_config: %w; install Debian's postgresql", err)
	}
	p = &postgres{bin: strings.TrimSpace(string(bin))}
	if p.dir, err = os.MkdirTemp("", "ostiary-bench-postgres-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stop())
		}
	}()
	if os.Geteuid() == 0 {
		if p.as, err = unprivileged(); err != nil {
			return nil, err
		}
		if err = os.Chown(p.dir, int(p.as.Uid), int(p.as.Gid)); err != nil {
			return nil, err
		}
	}
	if p.port, err = freePort(ctx); err != nil {
		return nil, err
	}
	data := filepath.Join(p.dir, "data")
	if err = p.run(ctx, "initdb", "--pgdata", data, "--username", postgresUser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions"); err != nil {
		return nil, err
	}
	p.cmd = p.command(context.WithoutCancel(ctx), "postgres", "-D", data, "-k", p.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(p.port))
	if err = p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, p.await(ctx)
}

// unprivileged is somebody who is not root: PostgreSQL's own user where there
// is one.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.ParseUint(u.Uid, 10, 32)
		gid, errG := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errU, errG); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

func (p *postgres) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, program), args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	return cmd
}

func (p *postgres) run(ctx context.Context, program string, args ...string) error {
	if out, err := p.command(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return nil
}

// await waits until the databases that are used can be made.
func (p *postgres) await(ctx context.Context) error {
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := p.run(ctx, "pg_isready", "--host", "127.0.0.1", "--port", strconv.Itoa(p.port))
		if err == nil {
			break
		}
		if ctx.Err() != nil || time.Now().After(until) {
			return err
		}
	}
	for _, database := range []string{"floor", "server"} {
		if err := p.run(ctx, "createdb", "--host", "127.0.0.1", "--port", strconv.Itoa(p.port), "--username", postgresUser, database); err != nil {
			return err
		}
	}
	return nil
}

// url is that of one of its databases; of none it is "", which means SQLite.
func (p *postgres) url(database string) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", postgresUser, p.port, database)
}

// cpu gives the CPU time of all its processes; of none it is 0.
func (p *postgres) cpu() (time.Duration, error) {
	if p == nil {
		return 0, nil
	}
	return procfs.TreeCPU(p.cmd.Process.Pid)
}

// stop ends it ("fast shutdown") and removes what it wrote.
func (p *postgres) stop() error {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(os.Interrupt)
		timer := time.AfterFunc(30*time.Second, func() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) })
		_ = p.cmd.Wait()
		timer.Stop()
	}
	return os.RemoveAll(p.dir)
}
