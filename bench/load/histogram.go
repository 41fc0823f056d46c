//go:build linux

package load

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets whose width is 1/64 of the power of two
// below them, so a percentile is at most 1.6 % too high. The zero value is empty.
type Histogram struct {
	counts [(64 - fineBits) << fineBits]uint64
	total  uint64
	max    time.Duration
}

const fineBits = 6

func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < 1<<fineBits {
		return int(v)
	}
	shift := bits.Len64(v) - fineBits - 1
	return (shift+1)<<fineBits + int(v>>shift) - 1<<fineBits
}

// upper is the greatest duration that falls into a bucket.
func upper(i int) time.Duration {
	if i < 1<<fineBits {
		return time.Duration(i)
	}
	shift := i>>fineBits - 1
	return time.Duration((i&(1<<fineBits-1)+1<<fineBits+1)<<shift - 1)
}

// Record counts one duration.
func (h *Histogram) Record(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
	h.max = max(h.max, d)
}

// Percentile gives the duration that p percent of the recorded ones do not
// exceed; 0 where none was recorded.
func (h *Histogram) Percentile(p float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := max(1, uint64(p/100*float64(h.total)+0.999999))
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			return min(upper(i), h.max)
		}
	}
	return h.max
}
