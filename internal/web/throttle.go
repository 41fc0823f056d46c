package web

import (
	"net/netip"
	"sync"
	"time"
)

// Throttle slows down addresses whose authentications fail: a token bucket an
// address, which only failures draw from. An honest caller never meets it. IPv6
// addresses count by their /64, which is what one subscriber has.
type Throttle struct {
	perSecond float64
	burst     float64
	now       func() time.Time

	mu      sync.Mutex
	buckets map[netip.Prefix]bucket
}

type bucket struct {
	spent float64 // failures not yet forgiven
	at    time.Time
}

// maxBuckets bounds the addresses remembered, about 6 MiB; when full, those
// that have been forgiven go, and then all.
const maxBuckets = 1 << 16

// NewThrottle forgives perSecond failures a second, after a burst of so many.
// perSecond 0 turns it off.
func NewThrottle(perSecond float64, burst int, now func() time.Time) *Throttle {
	return &Throttle{perSecond: perSecond, burst: float64(burst), now: now, buckets: map[netip.Prefix]bucket{}}
}

// Wait gives how long an address is to wait; 0: it may go on.
func (t *Throttle) Wait(address netip.Addr) time.Duration {
	if t.perSecond <= 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	over := t.spent(subscriber(address)) - t.burst + 1
	if over <= 0 {
		return 0
	}
	return time.Duration(over / t.perSecond * float64(time.Second))
}

// Failed counts a failed authentication of an address.
func (t *Throttle) Failed(address netip.Addr) {
	if t.perSecond <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	who := subscriber(address)
	spent := t.spent(who)
	if len(t.buckets) >= maxBuckets {
		t.forget()
	}
	t.buckets[who] = bucket{spent: spent + 1, at: t.now()}
}

func (t *Throttle) spent(who netip.Prefix) float64 {
	b := t.buckets[who]
	return max(0, b.spent-t.now().Sub(b.at).Seconds()*t.perSecond)
}

func (t *Throttle) forget() {
	for who := range t.buckets {
		if t.spent(who) == 0 {
			delete(t.buckets, who)
		}
	}
	if len(t.buckets) >= maxBuckets {
		clear(t.buckets)
	}
}

func subscriber(address netip.Addr) netip.Prefix {
	bits := 32
	if address.Is6() {
		bits = 64
	}
	p, _ := address.Prefix(bits) // an invalid address gives the zero prefix, one bucket for all of them
	return p
}
