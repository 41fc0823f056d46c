//go:build linux

package main

import (
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary/bench/report"
)

// measured fills every figure that a budget names with the same value a round.
func measured(value float64) *bench {
	b := &bench{options: options{runs: 2}, figures: map[string]report.Series{}}
	for _, budget := range append(append([]report.Budget{}, cpuBudgets...), growthBudgets...) {
		for _, names := range [][]string{{budget.Figure}, budget.Floors, budget.Plus} {
			for _, name := range names {
				b.figures[name] = report.Series{value, value}
			}
		}
	}
	return b
}

func TestResults(t *testing.T) {
	b := measured(0.5)
	b.facts = [][2]string{{"machine", "2 × Test"}}
	text, kept := b.results()
	if !kept {
		t.Error("a figure that equals its floors misses no budget")
	}
	for _, want := range []string{
		"| machine", "| rounds  | 2, medians",
		"| client credentials, JWT, SQLite", "≤ 1.50 × (POST + JWT + row)", "≤ 1.60 × POST + SELECT", "0.333 (0.333–0.333)", "≤ 1.20", "| ok |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "missed") || strings.Contains(text, "NaN") {
		t.Errorf("a budget is missed in\n%s", text)
	}
}

// TestResultsMissed breaks each kind of budget once.
func TestResultsMissed(t *testing.T) {
	for name, spoil := range map[string]func(*bench){
		"CPU time": func(b *bench) { b.figures[at64("sqlite", "cc_jwt")] = report.Series{3, 3} },
		"growth":   func(b *bench) { b.figures[at64("growth-families", "cc_jwt")] = report.Series{3, 3} },
		"memory":   func(b *bench) { b.figures[figure("sqlite", "rss_idle", 0, "MiB")] = report.Series{41} },
		"share":    func(b *bench) { b.figures[figure("sqlite", "commit_share", 256, "%")] = report.Series{79} },
		"tail": func(b *bench) {
			b.figures[figure("sqlite", "cc_jwt", 16, "p50")] = report.Series{1}
			b.figures[figure("sqlite", "cc_jwt", 16, "p99")] = report.Series{7}
			b.figures[figure("floor", "post", 16, "p99")] = report.Series{3}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := measured(0.5)
			spoil(b)
			text, kept := b.results()
			if kept || strings.Count(text, "**missed**") != 1 {
				t.Errorf("kept: %v, in\n%s", kept, text)
			}
		})
	}
}

// TestTailAgainstFloor: a tail is let off where the floor's is as long.
func TestTailAgainstFloor(t *testing.T) {
	b := measured(0.5)
	b.figures[figure("sqlite", "cc_jwt", 16, "p50")] = report.Series{1}
	b.figures[figure("sqlite", "cc_jwt", 16, "p99")] = report.Series{7}
	b.figures[figure("floor", "post", 16, "p99")] = report.Series{4}
	if text, kept := b.results(); !kept {
		t.Errorf("missed in\n%s", text)
	}
}

func TestRecordLeavesGaps(t *testing.T) {
	b := &bench{figures: map[string]report.Series{}}
	b.round = 2
	b.record("x", 4)
	b.round = 4
	b.record("x", 6)
	if got := b.figures["x"].Spread(); len(b.figures["x"]) != 5 || got.N != 2 || got.Median != 5 {
		t.Errorf("got %v", b.figures["x"])
	}
}

func TestOptions(t *testing.T) {
	if _, err := run(t.Context(), []string{"--only", "everything"}, io.Discard); err == nil || !strings.Contains(err.Error(), "oidc-provider") {
		t.Errorf("an unknown part: %v; want an error that names the parts", err)
	}
	if _, err := run(t.Context(), []string{"--works", "refresh,everything"}, io.Discard); err == nil || !strings.Contains(err.Error(), "everything") {
		t.Errorf("an unknown kind of request: %v", err)
	}
}

func TestForgedTokensKeepTheirForm(t *testing.T) {
	opaque := "ost_at_" + base64.RawURLEncoding.EncodeToString(make([]byte, 48))
	forged, err := forgeOpaque([]string{opaque})
	if err != nil || len(forged[0]) != len(opaque) || forged[0] == opaque || !strings.HasPrefix(forged[0], "ost_at_AAAA") {
		t.Errorf("opaque: %q, %v", forged, err)
	}
	jwt := "e30.e30." + base64.RawURLEncoding.EncodeToString(make([]byte, 64))
	forged, err = forgeJWT([]string{jwt})
	if err != nil || len(forged[0]) != len(jwt) || forged[0] == jwt || !strings.HasPrefix(forged[0], "e30.e30.") {
		t.Errorf("JWT: %q, %v", forged, err)
	}
	for _, forge := range []func([]string) ([]string, error){forgeOpaque, forgeJWT} {
		if _, err := forge([]string{"noise"}); err == nil {
			t.Error("noise was forged")
		}
	}
}

// TestComputations runs each floor once.
func TestComputations(t *testing.T) {
	floors, err := computations()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range floors {
		if err := f.work(); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
	}
	failed := errors.New("no")
	if _, err := spend(func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("a floor that fails: %v", err)
	}
}

// TestCrowd: what was done is counted, and a failure of one is the outcome.
func TestCrowd(t *testing.T) {
	var done atomic.Int64
	n, err := crowd(10*time.Millisecond, func(int, int) error { done.Add(1); return nil })
	if err != nil || n != done.Load() {
		t.Errorf("counted %d of %d, %v", n, done.Load(), err)
	}
	failed := errors.New("no")
	if _, err := crowd(time.Minute, func(int, int) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}
