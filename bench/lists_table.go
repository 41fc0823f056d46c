//go:build linux

package main

import (
	"time"

	"github.com/ostiary/ostiary/bench/fill"
	"github.com/ostiary/ostiary/bench/report"
)

// What a page may take, in milliseconds: its 99th percentile, or, where the
// machine was busy, its CPU time. It was busy where it took longer than quiet to
// show one client.
const (
	pageBudget = 50
	pageCPU    = 25
	quiet      = 10
)

const listsSay = "Milliseconds a page of the management API, and of the console, with 1,000,000 clients, audit events, token families, users, sessions and consents in each database. " +
	"CPU is that of the server and of PostgreSQL's processes. A page is to take at most 50 ms at the 99th percentile; where showing one client took more than 10 ms " +
	"at the 99th percentile in between, the machine was busy, and the page is held to 25 ms of CPU instead."

// listTable is how long pages of lists took, on either database.
func (b *bench) listTable() (t report.Table, kept bool) {
	kept = true
	t = report.Table{{"Page of", "SQLite p50", "p99", "CPU", "", "PostgreSQL p50", "p99", "CPU", ""}}
	for _, says := range listNames() {
		row := []string{says}
		known := false
		for _, target := range []string{"lists-sqlite", "lists-postgres"} {
			of := func(unit string) report.Spread { return b.figures[figure(target, says, 0, unit)].Spread() }
			p99, spent := of("p99"), of("cpu")
			busy := of("beside").Median > quiet
			ok := p99.Median <= pageBudget || busy && spent.Median <= pageCPU
			verdict := report.Mark(ok, p99.N > 0)
			if ok && p99.Median > pageBudget {
				verdict += ", by CPU"
			}
			known = known || p99.N > 0
			kept = kept && (ok || p99.N == 0)
			row = append(row, report.Number(of("p50").Median), p99.String(), report.Number(spent.Median), verdict)
		}
		if known {
			t = append(t, row)
		}
	}
	return t, kept
}

// listNames are the kinds of pages, in the order in which they are asked for.
func listNames() []string {
	names := []string{usageOfClient, usageOfApplication, sessionsOfUser, sessionsOfBusyUser}
	for _, q := range questions(fill.Some{Clients: []string{""}, Users: []string{""}}, time.Time{}) {
		names = append(names, q.says)
	}
	return names
}
