package app

import (
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/endpoint/ops"
	"github.com/ostiary/ostiary/internal/store"
)

// metrics makes the counters, those that the store keeps among them.
func (a *App) metrics() *ops.Metrics {
	m := ops.NewMetrics()
	of := func(read func(store.Stats) float64) func() float64 {
		return func() float64 { return read(a.Store.Stats()) }
	}
	m.Counter("ostiary_store_statements_total", "SQL statements run.", of(func(s store.Stats) float64 { return float64(s.Statements) }))
	m.Counter("ostiary_store_commits_total", "Transactions of the group commit.", of(func(s store.Stats) float64 { return float64(s.Batches) }))
	m.Counter("ostiary_store_writes_total", "Writes that shared those transactions.", of(func(s store.Stats) float64 { return float64(s.Items) }))
	m.Counter("ostiary_store_commit_seconds_total", "Time spent in those transactions.", of(func(s store.Stats) float64 { return s.CommitTime.Seconds() }))
	m.Gauge("ostiary_store_largest_commit", "The most writes in one transaction.", of(func(s store.Stats) float64 { return float64(s.LargestBatch) }))
	m.Gauge("ostiary_store_queued", "Writes that wait for a transaction.", of(func(s store.Stats) float64 { return float64(s.Queued) }))
	m.Counters("ostiary_token_requests_total", "Requests for tokens, by what came of them: issued, refused, or failed for the server's own reasons.",
		[]string{"outcome"}, a.tokenOutcomes)
	m.Counters("ostiary_refusals_total", "Refused requests of clients, by grant type (or endpoint) and by the code of the OAuth error.",
		[]string{"request", "reason"}, a.refusals)
	m.Counter("ostiary_signin_failures_total", "Attempts of users to sign in that failed.", func() float64 { return float64(a.SignIn.Failed()) })
	m.Counter("ostiary_usage_lost_total", "Requests that were not counted for their clients because the database took nothing for too long.", func() float64 { return float64(a.Usage.Lost()) })
	return m
}

// tokenOutcomes and refusals show what is counted as the usage of clients, so
// that the two always agree.
func (a *App) tokenOutcomes(add func(n float64, values ...string)) {
	var issued, refused, failed uint64
	a.Usage.Requests(func(kind usage.Kind, reason usage.Reason, n uint64) {
		switch {
		case !kind.Token():
		case reason == usage.Issued:
			issued += n
		case reason.Failed():
			failed += n
		default:
			refused += n
		}
	})
	add(float64(issued), "issued")
	add(float64(refused), "refused")
	add(float64(failed), "failed")
}

func (a *App) refusals(add func(n float64, values ...string)) {
	a.Usage.Requests(func(kind usage.Kind, reason usage.Reason, n uint64) {
		if reason != usage.Issued {
			add(float64(n), kind.String(), reason.String())
		}
	})
}
