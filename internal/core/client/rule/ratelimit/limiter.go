package ratelimit

import (
	"context"
	"math"
	"sync"
	"time"
)

// Limiter holds clients to their settings. A rate is a token bucket and a quota
// a count of the UTC day; both are in memory, so they are those of this node.
// The counts of the day are written by package usage, with what it writes
// anyway, and read again when the client is next seen after a restart. It is
// safe for concurrent use.
//
// It is no rule.Rule: a rule looks at the client and at the request, and this
// one must also remember.
type Limiter struct {
	days  Days
	now   func() time.Time
	shard [shards]shard
}

// Days is where the counts of a day are kept.
type Days interface {
	// DayUse gives how many requests of a client, by its Sequence, are counted on
	// a day (days since 1970, UTC).
	DayUse(ctx context.Context, sequence, day int64) (int64, error)
}

// Day is how many requests of a client are to be added to the count of a day.
type Day struct {
	Client int64 // Sequence
	Day    int64 // days since 1970, UTC
	N      int64
}

const shards = 32 // a power of two

type shard struct {
	mu      sync.Mutex
	buckets map[int64]*bucket
	_       [32]byte // keeps the locks of neighbours apart
}

// bucket is what is remembered of a client that has a limit.
type bucket struct {
	level int64 // of the token bucket, in billionths of a request
	at    int64 // when the client last asked and level was that, nanoseconds since 1970
	full  int64 // when the bucket will be full, likewise
	known bool  // the count of the day was read
	day   int64
	used  int64 // of the day, so far
	fresh int64 // of used: not yet written
}

// One request, in the unit of a bucket's level: what a rate of one a second adds
// in a nanosecond is then a whole number, and nothing is ever rounded.
const request = int64(time.Second)

const secondsOfDay = 24 * 60 * 60

// NewLimiter makes a limiter; days keeps the counts of daily quotas.
func NewLimiter(days Days, now func() time.Time) *Limiter {
	return &Limiter{days: days, now: now}
}

// Admit counts a request of a client, by its Sequence, and admits it, or says
// how long to wait: then nothing was counted. An error says that the count of
// the day cannot be known now. A client without a limit costs nothing.
func (l *Limiter) Admit(ctx context.Context, client int64, s Setting) (wait time.Duration, err error) {
	if s == (Setting{}) {
		return 0, nil
	}
	now := l.now()
	day := now.Unix() / secondsOfDay
	shard := &l.shard[client&(shards-1)]
	for {
		wait, ok := shard.admit(client, s, now, day)
		if ok {
			return wait, nil
		}
		used, err := l.days.DayUse(ctx, client, day)
		if err != nil {
			return 0, err
		}
		shard.learn(client, day, used)
	}
}

// admit is Admit; not ok where the count of the day must be read first.
func (h *shard) admit(client int64, s Setting, now time.Time, day int64) (wait time.Duration, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.buckets[client]
	if b == nil {
		b = h.add(client, &bucket{level: s.capacity(), at: now.UnixNano(), day: day})
	}
	if b.day < day { // a new day, of which nothing is written yet
		b.day, b.used, b.fresh, b.known = day, 0, 0, true
	}
	if s.PerDay > 0 && !b.known {
		return 0, false
	}
	b.fill(s, now.UnixNano())
	if s.PerSecond > 0 && b.level < request {
		wait = s.time(request - b.level)
	}
	if s.PerDay > 0 && b.used >= s.PerDay {
		wait = max(wait, time.Unix((b.day+1)*secondsOfDay, 0).Sub(now))
	}
	if wait > 0 {
		return wait, true
	}
	if s.PerSecond > 0 {
		b.level -= request
		b.full = b.at + int64(s.time(s.capacity()-b.level))
	}
	if s.PerDay > 0 {
		b.used++
		b.fresh++
	}
	return 0, true
}

func (h *shard) add(client int64, b *bucket) *bucket {
	if h.buckets == nil {
		h.buckets = make(map[int64]*bucket)
	}
	h.buckets[client] = b
	return b
}

// learn notes what is written of a client's day.
func (h *shard) learn(client, day, used int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b := h.buckets[client]; b != nil && b.day == day && !b.known {
		b.used, b.known = b.used+used, true
	}
}

// capacity is what the bucket holds when it is full.
func (s Setting) capacity() int64 {
	if s.Burst > 0 {
		return s.Burst * request
	}
	return s.PerSecond * request
}

// time is how long the bucket takes to gain so much.
func (s Setting) time(level int64) time.Duration {
	return time.Duration((level + s.PerSecond - 1) / s.PerSecond)
}

// fill adds what the time since the last look adds. A clock that went back adds
// nothing, and goes on from where it stands.
func (b *bucket) fill(s Setting, now int64) {
	elapsed := now - b.at
	b.at = now
	if s.PerSecond == 0 {
		b.level, b.full = math.MaxInt64/2, now // full, whatever rate is set later
		return
	}
	full := s.capacity()
	switch {
	case elapsed > (full-b.level)/s.PerSecond: // before it could overflow
		b.level = full
	case elapsed > 0:
		b.level += elapsed * s.PerSecond
	}
	b.level = min(b.level, full) // the setting may have become less
}

// Take gives what was counted of daily quotas and is not yet written.
func (l *Limiter) Take() []Day {
	var days []Day
	for i := range l.shard {
		h := &l.shard[i]
		h.mu.Lock()
		for client, b := range h.buckets {
			if b.fresh > 0 {
				days = append(days, Day{client, b.day, b.fresh})
				b.fresh = 0
			}
		}
		h.mu.Unlock()
	}
	return days
}

// Restore takes back what Take gave and was not written.
func (l *Limiter) Restore(days []Day) {
	for _, d := range days {
		h := &l.shard[d.Client&(shards-1)]
		h.mu.Lock()
		if b := h.buckets[d.Client]; b != nil && b.day == d.Day {
			b.fresh += d.N
		}
		h.mu.Unlock()
	}
}

// How long a client is remembered that asks no more. Until then its daily count
// need not be read again.
const (
	remembered = time.Hour
	// crowded is with how many buckets the shorter times hold: about 5 MB.
	crowded         = 50_000
	rememberedThere = 10 * time.Second
	// fillingThere is how long a bucket that is not yet full is kept in a crowd.
	fillingThere = time.Minute
)

// Forget drops what need not be remembered: clients that have not asked for a
// while, whose buckets are full again and whose counts are written. It is called
// after Take, once what that gave is written.
func (l *Limiter) Forget() {
	idle, filling := remembered, remembered
	if l.size() > crowded {
		idle, filling = rememberedThere, fillingThere
	}
	now := l.now().UnixNano()
	for i := range l.shard {
		h := &l.shard[i]
		h.mu.Lock()
		for client, b := range h.buckets {
			quiet := time.Duration(now - b.at)
			if b.fresh == 0 && quiet >= idle && (now >= b.full || quiet >= filling) {
				delete(h.buckets, client)
			}
		}
		h.mu.Unlock()
	}
}

func (l *Limiter) size() (n int) {
	for i := range l.shard {
		h := &l.shard[i]
		h.mu.Lock()
		n += len(h.buckets)
		h.mu.Unlock()
	}
	return n
}
