package app

import "runtime/debug"

// How the garbage collector is set, unless the operator set it (GOGC,
// GOMEMLIMIT). A few MiB are alive at a time, so at Go's default the collector
// hardly ever rests: it took a tenth of the CPU at full load. The limit is soft;
// SQLite's memory, which the Go runtime does not see, comes on top of it.
const (
	collectPercent = 400
	memoryLimit    = 104 << 20 // bytes
)

func (a *App) setCollector() {
	if a.config.CollectorSet {
		return
	}
	debug.SetGCPercent(collectPercent)
	debug.SetMemoryLimit(memoryLimit)
}
