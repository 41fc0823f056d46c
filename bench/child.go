//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// children are hidden subcommands: this program started again, so that what is
// measured has a process of its own. A child writes a line when it is ready,
// does what each line of its standard input says, writes what came of it as
// JSON, and ends when its input does: so none outlives a parent that was killed.
var children = map[string]func(args []string) error{
	"child-http":  serveFloors,
	"child-cpu":   measureCPU,
	"child-rows":  measureRows,
	"child-serve": serveInstrumented,
}

// child is one of them, as its parent sees it.
type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	Ready string // its first line
}

// startChild starts a child and waits until it is ready.
func startChild(ctx context.Context, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startProcess(exec.CommandContext(ctx, self, args...))
}

// startProcess starts a program that says in one line when it is ready.
func startProcess(cmd *exec.Cmd) (*child, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, in: in, out: bufio.NewReader(out)}
	if c.Ready, err = c.line(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", cmd, err), c.stop())
	}
	return c, nil
}

func (c *child) line() (string, error) {
	text, err := c.out.ReadString('\n')
	if err != nil {
		return "", err
	}
	return text[:len(text)-1], nil
}

// work lets the child do one thing and reads what comes of it.
func (c *child) work(command string, result any) error {
	if _, err := io.WriteString(c.in, command+"\n"); err != nil {
		return err
	}
	text, err := c.line()
	if err != nil {
		return fmt.Errorf("%s: %w", c.cmd, err)
	}
	return json.Unmarshal([]byte(text), result)
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop ends the child, by its standard input, and after 10 s by force.
func (c *child) stop() error {
	_ = c.in.Close()
	timer := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer timer.Stop()
	return c.cmd.Wait()
}

// converse is the child's side: it says that it is ready, and does what it is
// told, until there is nobody any more who tells it.
func converse(ready string, work func(command string) (any, error)) error {
	if _, err := fmt.Println(ready); err != nil {
		return err
	}
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		result, err := work(commands.Text())
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
			return err
		}
	}
	return commands.Err()
}
