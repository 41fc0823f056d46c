//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"
)

// slowCommit is what a commit takes longer on a common disk.
const slowCommit = 5 * time.Millisecond

// commit compares the throughput on a disk that takes long with that on this
// machine's, by turns; whether requests share commits shows in nothing better.
func (b *bench) commit(ctx context.Context) (err error) {
	if !b.wants("commit") {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var cells []cell
	for name, command := range map[string][]string{
		"commit_fast": {self, "child-serve"},
		"commit_slow": {self, "child-serve", "--commit-delay", slowCommit.String()},
	} {
		s, err := b.found(ctx, name, "")
		if err != nil {
			return err
		}
		s.command = slices.Concat(command, []string{"--"})
		if _, err := s.start(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stop()) }() //nolint:revive // both run until all is measured
		cells = append(cells, cell{s.target("sqlite", nil), name, []int{256}, always(200, tokenKey, form(s.path("/oauth2/token"), s.jwt, grant))})
	}
	defer func() { b.round = 0 }()
	for b.round = range b.runs {
		for _, c := range cells {
			if err := b.measure(c); err != nil {
				return err
			}
		}
		fast, slow := b.figures[figure("sqlite", "commit_fast", 256, "rps")], b.figures[figure("sqlite", "commit_slow", 256, "rps")]
		b.record(figure("sqlite", "commit_share", 256, "%"), slow[b.round]/fast[b.round]*100)
	}
	return nil
}
