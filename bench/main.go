//go:build linux

// Command bench measures what the budgets are about: CPU time a request, beside
// it latency, memory, start-up and bytes written, each against floors that it
// measures itself in the same rounds, and beside npm's oidc-provider. It starts
// everything it needs on loopback ports and ends it again. It changes nothing
// but its own temporary directories and, after a whole run, the results file.
//
//	go run ./bench                       everything, 5 rounds, about 20 minutes
//	go run ./bench --only sqlite,floors  a part, printed only
//	go run ./bench --full                growth to 10,000,000 families as well
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ostiary/ostiary/bench/report"
)

// options are the flags.
type options struct {
	runs     int
	duration time.Duration
	only     string
	works    string
	full     bool
	check    bool
	out      string
	profiles string
}

// parts are what --only can choose, in the order in which they run.
var parts = []string{"floors", "sqlite", "oidc-provider", "postgres", "start", "memory", "commit", "growth", "lists"}

// bench is one run of the program.
type bench struct {
	options
	dir     string // temporary
	binary  string // the server, built
	begun   time.Time
	round   int
	figures map[string]report.Series
	facts   [][2]string // what the results say of the machine
}

func main() {
	if len(os.Args) > 1 && children[os.Args[1]] != nil {
		if err := children[os.Args[1]](os.Args[2:]); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "bench", os.Args[1]+":", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	missed, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	case missed:
		os.Exit(3)
	}
}

// run measures and reports; missed is true where --check was said and a budget
// was not kept.
func run(ctx context.Context, args []string, out io.Writer) (missed bool, err error) {
	b := &bench{figures: map[string]report.Series{}, begun: time.Now()}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&b.runs, "runs", 5, "rounds; the medians are over these")
	flags.DurationVar(&b.duration, "duration", 2*time.Second, "of load at 64 connections; half of it at fewer")
	flags.StringVar(&b.only, "only", "", "measure only these `parts`: "+strings.Join(parts, ","))
	flags.StringVar(&b.works, "works", "", "of the requests only these `kinds`, beside the floors: cc_jwt,refresh …")
	flags.BoolVar(&b.full, "full", false, "grow to 10,000,000 families (several GB of disk)")
	flags.BoolVar(&b.check, "check", false, "end with status 3 where a budget is missed")
	flags.StringVar(&b.out, "out", "", "write the results to this `file` (default: bench/RESULTS.md after a whole run)")
	flags.StringVar(&b.profiles, "profiles", "", "measure nothing, but write CPU profiles of the server to this `directory`")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	for work := range strings.SplitSeq(b.works, ",") {
		if b.works != "" && !slices.ContainsFunc(works, func(w struct{ work, says string }) bool { return w.work == work }) {
			return false, fmt.Errorf("--works %s: there is no such kind of request", work)
		}
	}
	for part := range strings.SplitSeq(b.only, ",") {
		if b.only != "" && !slices.Contains(parts, part) {
			return false, fmt.Errorf("--only %s: the parts are %s", part, strings.Join(parts, ", "))
		}
	}
	if b.dir, err = os.MkdirTemp("", "ostiary-bench-"); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := b.measureAll(ctx); err != nil {
		return false, err
	}
	text, kept := b.results()
	if _, err := io.WriteString(out, text); err != nil {
		return false, err
	}
	return b.check && !kept, b.save(text)
}

// asks reports whether a kind of request is to be measured.
func (b *bench) asks(work string) bool {
	return b.works == "" || slices.Contains(strings.Split(b.works, ","), work)
}

// wants reports whether a part is to be measured.
func (b *bench) wants(part string) bool {
	return b.only == "" || slices.Contains(strings.Split(b.only, ","), part)
}

func (b *bench) save(text string) error {
	file := b.out
	if file == "" {
		if b.only != "" || b.works != "" || b.profiles != "" {
			return nil
		}
		file = filepath.Join("bench", "RESULTS.md")
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// record keeps a figure of the round that is under way.
func (b *bench) record(name string, value float64) {
	s := b.figures[name]
	for len(s) <= b.round {
		s = append(s, math.NaN())
	}
	s[b.round] = value
	b.figures[name] = s
}

// say tells how far the run has come.
func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "%6.0f s  %s\n", time.Since(b.begun).Seconds(), fmt.Sprintf(format, args...))
}

// measureAll measures every part that is wanted.
func (b *bench) measureAll(ctx context.Context) error {
	b.describe(ctx)
	if b.profiles != "" {
		return b.profile(ctx)
	}
	if slices.ContainsFunc([]string{"sqlite", "postgres", "start", "memory", "commit", "growth", "lists"}, b.wants) {
		if err := b.build(ctx); err != nil {
			return err
		}
	}
	for _, part := range []func(context.Context) error{b.rounds, b.start, b.memory, b.commit, b.growth, b.lists} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}
