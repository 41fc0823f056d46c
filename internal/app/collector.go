package app

import "runtime/debug"

// How the garbage collector is set, unless the operator set it (GOGC,
// GOMEMLIMIT). A few MiB are alive at a time, so at Go's default the collector
// hardly ever rests: it took a tenth of the CPU at full load. The limit is soft
// and holds the heap to what it would be at the default once the caches are full.
const (
	collectPercent = 400
	memoryLimit    = 128 << 20 // bytes
)

func (a *App) setCollector() {
	if a.config.CollectorSet {
		return
	}
	debug.SetGCPercent(collectPercent)
	debug.SetMemoryLimit(memoryLimit)
}
