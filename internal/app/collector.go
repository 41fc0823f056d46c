package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How the garbage collector is set, unless the operator set it (GOGC,
// GOMEMLIMIT). A few MiB are alive at a time, so at Go's default the collector
// hardly ever rests: it took a tenth of the CPU at full load. The limit is soft;
// SQLite's memory, which the Go runtime does not see, comes on top of it.
const (
	collectPercent = 400
	memoryLimit    = 104 << 20 // bytes
	// All caches together, once they are full, are nearly as large as the limit.
	// Then it lies higher: with less room than this for what is not alive any more
	// the collector would run without end.
	collectorRoom  = 48 << 20
	collectorEvery = 10 * time.Second
)

// collectorLoop keeps the limit as far above what is alive as it needs to be.
func (a *App) collectorLoop(ctx context.Context) {
	if a.config.CollectorSet {
		return
	}
	debug.SetGCPercent(collectPercent)
	for wait := time.Duration(0); pause(ctx, wait); wait = collectorEvery {
		debug.SetMemoryLimit(limitOf(alive()))
	}
}

func limitOf(alive uint64) int64 {
	return int64(max(memoryLimit, alive+collectorRoom)) //nolint:gosec // bytes of memory
}

// alive is what the last collection found.
func alive() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
