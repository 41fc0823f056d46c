//go:build linux

package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/ostiary/ostiary/bench/procfs"
	"github.com/ostiary/ostiary/bench/report"
)

// describe notes what the results depend on.
func (b *bench) describe(ctx context.Context) {
	name, n := procfs.Processor()
	b.facts = append(b.facts,
		[2]string{"date", time.Now().UTC().Format(time.DateOnly)},
		[2]string{"machine", fmt.Sprintf("%d × %s", n, name)},
		[2]string{"Go", runtime.Version()},
	)
	for _, program := range []struct {
		name string
		args []string
	}{
		{"kernel", []string{"uname", "-sr"}},
		{"revision", []string{"git", "describe", "--tags", "--always", "--dirty"}},
		{"PostgreSQL", []string{"pg_config", "--version"}},
		{"node", []string{"node", "--version"}},
	} {
		out, err := exec.CommandContext(ctx, program.args[0], program.args[1:]...).Output()
		if err != nil {
			out = []byte("not found")
		}
		b.facts = append(b.facts, [2]string{program.name, strings.TrimSpace(string(out))})
	}
}

// results writes everything that was measured, and tells whether all budgets
// whose figures are known were kept.
func (b *bench) results() (text string, kept bool) {
	var out strings.Builder
	out.WriteString("# Results\n\nWritten by `make bench`; what the figures mean and how they are taken is in [README.md](README.md).\n\n")
	facts := report.Table{{"", ""}}
	for _, f := range b.facts {
		facts = append(facts, []string{f[0], f[1]})
	}
	facts = append(facts, []string{"rounds", fmt.Sprintf("%d, medians (least–greatest)", b.runs)}, []string{"took", time.Since(b.begun).Round(time.Second).String()})
	out.WriteString(facts.String())
	budgets, allKept := b.budgetTable(cpuBudgets)
	growth, growthKept := b.budgetTable(growthBudgets)
	plain, plainKept := b.boundTable()
	tails, tailsKept := b.tailTable()
	lists, listsKept := b.listTable()
	for _, section := range []struct {
		title, says string
		table       report.Table
	}{
		{"Floors", "CPU seconds per 1,000.", b.floorTable()},
		{"Budgets", "CPU seconds per 1,000 requests of the server (and of PostgreSQL's processes), at 16 connections save where another number is said. The ratio is taken in each round.", budgets},
		{"Beside npm's oidc-provider", "CPU seconds per 1,000 requests, 16 connections. oidc-provider keeps everything in memory; this server has each token on disk before it answers.", b.besideTable()},
		{"Tails", "Milliseconds at 16 connections. The 99th percentile is to be at most 6 times the median, or twice the POST floor's 99th.", tails},
		{"Latency and throughput", "Closed loop; the load generator shares the processors with the server, so requests per second say less than CPU time does.", b.latencyTable()},
		{"Memory, start, size, slow disk", "", plain},
		{"Growth", "CPU seconds per 1,000 requests at 64 connections of 1,000 clients, against an instance of 1,000 clients and 10,000 families.", growth},
		{"Lists, searches and filters", listsSay, lists},
		{"More", "", b.moreTable()},
	} {
		if len(section.table) < 2 {
			continue
		}
		out.WriteString("\n## " + section.title + "\n\n")
		if section.says != "" {
			out.WriteString(section.says + "\n\n")
		}
		out.WriteString(section.table.String())
	}
	return out.String(), allKept && growthKept && plainKept && tailsKept && listsKept
}

func (b *bench) floorTable() report.Table {
	t := report.Table{{"Floor", "CPU s / 1k"}}
	for _, f := range floorNames {
		if s := b.figures[f.figure].Spread(); s.N > 0 {
			t = append(t, []string{f.says, s.String()})
		}
	}
	return t
}

func (b *bench) budgetTable(budgets []report.Budget) (t report.Table, kept bool) {
	kept = true
	t = report.Table{{"Work", "CPU s / 1k", "Floor", "Ratio", "Budget", ""}}
	for _, budget := range budgets {
		v := budget.Judge(b.figures)
		if v.Measured.N == 0 {
			continue
		}
		kept = kept && (v.Kept || !v.Known)
		limit := budget.Limit(label)
		if strings.HasPrefix(budget.Floors[0], "growth") {
			limit = "≤ " + report.Number(budget.Factor)
		}
		t = append(t, []string{budget.Work, v.Measured.String(), report.Number(v.Floor.Median), v.Ratio.String(), limit, report.Mark(v.Kept, v.Known)})
	}
	return t, kept
}

func (b *bench) boundTable() (t report.Table, kept bool) {
	kept = true
	t = report.Table{{"What", "Measured", "Budget", ""}}
	for _, bound := range bounds {
		ok, known := bound.Kept(b.figures)
		if !known {
			continue
		}
		kept = kept && ok
		limit := "≤ " + report.Number(bound.Most)
		if bound.Least > 0 {
			limit = "≥ " + report.Number(bound.Least)
		}
		t = append(t, []string{bound.Work, b.figures[bound.Figure].Spread().String(), limit + " " + bound.Unit, report.Mark(ok, known)})
	}
	return t, kept
}

// besideTable compares what both programs do.
func (b *bench) besideTable() report.Table {
	t := report.Table{{"Work", "this server", "oidc-provider", "times as much"}}
	for _, w := range works {
		ours, theirs := b.figures[at16("sqlite", w.work)], b.figures[at16("oidc-provider", w.work)]
		if len(ours) == 0 || len(theirs) == 0 {
			continue
		}
		times := report.Combine(func(v []float64) float64 { return v[1] / v[0] }, ours, theirs)
		t = append(t, []string{w.says, ours.Spread().String(), theirs.Spread().String(), times.Spread().String()})
	}
	return t
}

// tailTable holds the 99th percentile against the median, and against the floor.
func (b *bench) tailTable() (t report.Table, kept bool) {
	kept = true
	t = report.Table{{"Work", "p50", "p99", "p99 / p50", "p99 / POST's p99", ""}}
	ratio := func(v []float64) float64 { return v[0] / v[1] }
	for _, target := range []string{"sqlite", "postgres"} {
		for _, w := range works {
			p50, p99 := b.figures[figure(target, w.work, 16, "p50")], b.figures[figure(target, w.work, 16, "p99")]
			if len(p99) == 0 {
				continue
			}
			toMedian := report.Combine(ratio, p99, p50).Spread()
			toFloor := report.Combine(ratio, p99, b.figures[figure("floor", "post", 16, "p99")]).Spread()
			ok := toMedian.Median <= 6 || (toFloor.N > 0 && toFloor.Median <= 2)
			kept = kept && ok
			t = append(t, []string{w.says + ", " + databaseNames[target], p50.Spread().String(), p99.Spread().String(), toMedian.String(), toFloor.String(), report.Mark(ok, true)})
		}
	}
	return t, kept
}

var databaseNames = map[string]string{"floor": "floor", "sqlite": "SQLite", "postgres": "PostgreSQL", "oidc-provider": "oidc-provider"}

// latencyTable is throughput and latency at each number of connections.
func (b *bench) latencyTable() report.Table {
	t := report.Table{{"Work", "requests/s at 1", "16", "64", "p50 ms at 1", "16", "64", "p99 ms at 1", "16", "64"}}
	for _, target := range []string{"floor", "sqlite", "postgres", "oidc-provider"} {
		for _, w := range works {
			row := []string{w.says + ", " + databaseNames[target]}
			known := false
			for _, unit := range []string{"rps", "p50", "p99"} {
				for _, n := range everywhere {
					s := b.figures[figure(target, w.work, n, unit)].Spread()
					known = known || s.N > 0
					row = append(row, report.Number(s.Median))
				}
			}
			if known {
				t = append(t, row)
			}
		}
	}
	return t
}

// moreTable is what has no budget of its own.
func (b *bench) moreTable() report.Table {
	t := report.Table{{"What", "Measured"}}
	for _, m := range []struct{ says, figure string }{
		{"bytes written to storage by one client credentials request, SQLite", figure("sqlite", "cc_jwt", 64, "written")},
		{"bytes written to storage by one refresh, SQLite", figure("sqlite", "refresh", 64, "written")},
		{"bytes written to storage by one code flow, SQLite", figure("sqlite", "code_flow", 64, "written")},
		{"bytes written to storage by one creation of a client, SQLite", figure("sqlite", "config_create", 64, "written")},
		{"client credentials, JWT, PostgreSQL: this process alone, CPU s / 1k", figure("postgres", "cc_jwt", 64, "server")},
		{"refresh, JWT, PostgreSQL: this process alone, CPU s / 1k", figure("postgres", "refresh", 64, "server")},
		{"client credentials, opaque, PostgreSQL, both processes, CPU s / 1k", at64("postgres", "cc_opaque")},
		{"introspection, opaque, PostgreSQL, CPU s / 1k", at16("postgres", "introspect_opaque")},
		{"client credentials, JWT, each request from another of 50,000 clients out of 1,000,000, CPU s / 1k", at64("growth-clients", "cc_jwt_crowd")},
		{"greatest resident memory during 1,000,000 issues, MiB", figure("sqlite", "rss_issued_peak", 0, "MiB")},
		{"greatest resident memory with 1,000,000 clients, MiB", figure("sqlite", "rss_clients_peak", 0, "MiB")},
		{"requests/s at 256 connections, client credentials, JWT", figure("sqlite", "commit_fast", 256, "rps")},
		{"the same with a commit that takes 5 ms longer", figure("sqlite", "commit_slow", 256, "rps")},
	} {
		if s := b.figures[m.figure].Spread(); s.N > 0 {
			t = append(t, []string{m.says, s.String()})
		}
	}
	return t
}
