package store

import (
	"sync/atomic"
	"time"
)

// meter counts what the writer does.
type meter struct {
	batches, items, largest atomic.Int64
	nanoseconds             atomic.Int64
}

func (m *meter) batch(n int, took time.Duration) {
	m.batches.Add(1)
	m.items.Add(int64(n))
	m.nanoseconds.Add(int64(took))
	for {
		largest := m.largest.Load()
		if int64(n) <= largest || m.largest.CompareAndSwap(largest, int64(n)) {
			return
		}
	}
}

// Stats are counters since the database was opened, for metrics.
type Stats struct {
	Statements   uint64        // SQL statements that callers caused
	Background   uint64        // SQL statements of the store's own: checkpoints, signs of life
	Batches      int64         // transactions of the group commit
	Items        int64         // writes in them
	LargestBatch int64         // the most writes in one
	CommitTime   time.Duration // spent in those transactions, commit included
	Queued       int           // writes that wait at this moment
}

// Stats gives the counters.
func (db *DB) Stats() Stats {
	return Stats{
		Statements:   db.statements.Load(),
		Background:   db.background.Load(),
		Batches:      db.meter.batches.Load(),
		Items:        db.meter.items.Load(),
		LargestBatch: db.meter.largest.Load(),
		CommitTime:   time.Duration(db.meter.nanoseconds.Load()),
		Queued:       db.writer.length(),
	}
}
