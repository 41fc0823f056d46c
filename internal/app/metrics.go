package app

import (
	"github.com/ostiary/ostiary/internal/endpoint/ops"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/store"
)

// metrics makes the counters, those that the store keeps among them.
func (a *App) metrics() *ops.Metrics {
	m := ops.NewMetrics("/{app}" + protocol.TokenPath)
	of := func(read func(store.Stats) float64) func() float64 {
		return func() float64 { return read(a.Store.Stats()) }
	}
	m.Counter("ostiary_store_statements_total", "SQL statements run.", of(func(s store.Stats) float64 { return float64(s.Statements) }))
	m.Counter("ostiary_store_commits_total", "Transactions of the group commit.", of(func(s store.Stats) float64 { return float64(s.Batches) }))
	m.Counter("ostiary_store_writes_total", "Writes that shared those transactions.", of(func(s store.Stats) float64 { return float64(s.Items) }))
	m.Counter("ostiary_store_commit_seconds_total", "Time spent in those transactions.", of(func(s store.Stats) float64 { return s.CommitTime.Seconds() }))
	m.Gauge("ostiary_store_largest_commit", "The most writes in one transaction.", of(func(s store.Stats) float64 { return float64(s.LargestBatch) }))
	m.Gauge("ostiary_store_queued", "Writes that wait for a transaction.", of(func(s store.Stats) float64 { return float64(s.Queued) }))
	return m
}
