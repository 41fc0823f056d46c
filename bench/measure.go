//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/bench/load"
	"github.com/ostiary/ostiary/bench/procfs"
)

// figure names what is measured: of which target, which work, at how many
// connections (0: none), in which unit.
func figure(target, work string, connections int, unit string) string {
	return fmt.Sprintf("%s.%s.%d.%s", target, work, connections, unit)
}

// cell is one kind of request to one target.
type cell struct {
	target      *target
	work        string
	connections []int
	// load makes the requests; it may issue tokens, or start the server anew.
	load func(connections int) (load.Work, error)
}

// everywhere are the numbers of connections at which latency is shown.
var everywhere = []int{1, 16, 64}

// always repeats the same requests for a time.
func always(status int, contains string, requests ...[]byte) func(int) (load.Work, error) {
	return func(int) (load.Work, error) {
		return load.Work{Requests: requests, Status: status, Contains: contains}, nil
	}
}

// usage is what a target has used so far.
type usage struct {
	server, database time.Duration
	written          int64
}

func (t *target) usage() (u usage, err error) {
	var errs [3]error
	u.server, errs[0] = procfs.CPU(t.pid())
	u.written, errs[1] = procfs.Written(t.pid())
	u.database, errs[2] = t.database.cpu()
	return u, errors.Join(errs[:]...)
}

// settle waits until a target has done what earlier requests left to do, a
// second at most, and gives what it has used by then.
func (t *target) settle() (u usage, err error) {
	for range 20 {
		before := u
		if u, err = t.usage(); err != nil || u == before {
			return u, err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return u, nil
}

// measure puts a cell's load on its target, at each number of connections, and
// records what came of it. Connections are warmed up first, save where no
// request may be sent twice.
func (b *bench) measure(c cell) error {
	for _, n := range c.connections {
		if err := b.measureAt(c, n); err != nil {
			return fmt.Errorf("%s, %s, %d connections: %w", c.target.name, c.work, n, err)
		}
	}
	return nil
}

func (b *bench) measureAt(c cell, n int) error {
	work, err := c.load(n)
	if err != nil {
		return err
	}
	connections, err := load.Dial(c.target.address(), n)
	if err != nil {
		return err
	}
	defer connections.Close()
	if !work.Once {
		work.Duration = b.duration / 10
		if _, err := connections.Run(work); err != nil {
			return err
		}
		work.Duration = b.duration
		if n < 64 {
			work.Duration = b.duration / 2
		}
	}
	before, err := c.target.settle()
	if err != nil {
		return err
	}
	outcome, err := connections.Run(work)
	if err != nil {
		return err
	}
	after, err := c.target.usage()
	if err != nil {
		return err
	}
	b.keep(c, n, outcome, before, after)
	return nil
}

func (b *bench) keep(c cell, n int, o *load.Outcome, before, after usage) {
	thousands := float64(o.Requests) / 1000
	server := (after.server - before.server).Seconds() / thousands
	database := (after.database - before.database).Seconds() / thousands
	for unit, value := range map[string]float64{
		"cpu":     server + database,
		"server":  server,
		"rps":     float64(o.Requests) / o.Elapsed.Seconds(),
		"p50":     o.Latencies.Percentile(50).Seconds() * 1000,
		"p99":     o.Latencies.Percentile(99).Seconds() * 1000,
		"written": float64(after.written-before.written) / float64(o.Requests),
	} {
		b.record(figure(c.target.name, c.work, n, unit), value)
	}
	b.say("round %d: %-14s %-24s %3d connections: %.4f CPU s/1k, %.0f/s, p50 %v, p99 %v", b.round+1, c.target.name, c.work, n,
		server+database, float64(o.Requests)/o.Elapsed.Seconds(), o.Latencies.Percentile(50).Round(time.Microsecond), o.Latencies.Percentile(99).Round(time.Microsecond))
}
