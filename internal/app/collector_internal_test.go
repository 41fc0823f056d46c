package app

import (
	"runtime"
	"testing"
)

// TestCollectorLimit: what is alive is known, and the limit is above it by the
// room that the collector needs.
func TestCollectorLimit(t *testing.T) {
	for alive, want := range map[uint64]int64{0: memoryLimit, 40 << 20: memoryLimit, 100 << 20: 100<<20 + collectorRoom} {
		if got := limitOf(alive); got != want {
			t.Errorf("%d MiB are alive: the limit is %d MiB, want %d", alive>>20, got>>20, want>>20)
		}
	}
	runtime.GC()
	before := alive()
	kept := make([]byte, 64<<20)
	runtime.GC()
	if after := alive(); after < before+32<<20 {
		t.Errorf("%d MiB more are kept, but %d are alive after %d", len(kept)>>20, after>>20, before>>20)
	}
	runtime.KeepAlive(kept)
}
