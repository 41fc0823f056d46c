//go:build linux

package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ostiary/ostiary/bench/load"
)

// start measures how long an empty instance takes from the start of the process
// to the first 200 of readiness.
func (b *bench) start(ctx context.Context) (err error) {
	if !b.wants("start") {
		return nil
	}
	s, err := b.found(ctx, "start", "")
	if err != nil {
		return err
	}
	return b.measureStart(ctx, s, "sqlite", "start_empty")
}

// measureStart starts a site as often as there are rounds, and leaves it stopped.
func (b *bench) measureStart(ctx context.Context, s *site, target, work string) error {
	defer func() { b.round = 0 }()
	for b.round = range b.runs {
		took, err := s.start(ctx)
		if err != nil {
			return err
		}
		b.record(figure(target, work, 0, "ms"), took.Seconds()*1000)
		b.say("round %d: %s in %v", b.round+1, work, took.Round(time.Millisecond))
		if err := s.stop(); err != nil {
			return err
		}
	}
	return nil
}

// issued is how many tokens are issued before the memory is looked at.
const issued = 1_000_000

// memory measures resident memory: after the start, and after many issues, half
// of them opaque.
func (b *bench) memory(ctx context.Context) (err error) {
	if !b.wants("memory") {
		return nil
	}
	s, err := b.found(ctx, "memory", "")
	if err != nil {
		return err
	}
	if _, err := s.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	time.Sleep(2 * time.Second) // what the start left to do in the background
	if err := b.recordMemory(s, "sqlite", "rss_idle"); err != nil {
		return err
	}
	connections, err := load.Dial(s.main, 64)
	if err != nil {
		return err
	}
	defer connections.Close()
	token := s.path("/oauth2/token")
	two := [][]byte{form(token, s.opaque, grant), form(token, s.jwt, grant)}
	const step = 50_000
	work := load.Work{Requests: slices.Repeat(two, step/2), Once: true, Status: 200, Contains: tokenKey}
	for n := step; n <= issued; n += step {
		if _, err := connections.Run(work); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		b.say("%d tokens issued", n)
	}
	return b.recordMemory(s, "sqlite", "rss_issued")
}

func (b *bench) recordMemory(s *site, target, work string) error {
	m, err := s.memory()
	if err != nil {
		return err
	}
	b.record(figure(target, work, 0, "MiB"), float64(m.Now)/(1<<20))
	b.record(figure(target, work+"_peak", 0, "MiB"), float64(m.Peak)/(1<<20))
	b.say("%s: %d MiB, at most %d MiB", work, m.Now>>20, m.Peak>>20)
	return nil
}
