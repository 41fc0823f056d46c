package signin

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// rate is a token bucket: a burst, then one more each interval.
type rate struct {
	burst int
	every time.Duration
}

// What is allowed before an attempt must wait; decisions/0020 says why. Only those
// that fail count.
var (
	// An account from one network, and from one known device.
	perPair   = rate{5, 30 * time.Second}
	perDevice = rate{10, 30 * time.Second}
	// An account from all networks and devices that are not known.
	perAccount = rate{20, 3 * time.Minute}
	// A network, whatever the accounts.
	perNetwork = rate{30, 10 * time.Second}
	// The second factor of an account, per known device, and of all others.
	perSecond = rate{10, 5 * time.Minute}
	// Mails to an address, and those that a network has sent.
	perMailbox = rate{3, 10 * time.Minute}
	perSender  = rate{10, time.Minute}
)

// Kinds of bucket; they are part of its key.
const (
	ofPair    = "pair"
	ofDevice  = "device"
	ofAccount = "account"
	ofNetwork = "network"
	ofSecond  = "second"
	ofMailbox = "mailbox"
	ofSender  = "sender"
)

// bucketKey names a bucket.
type bucketKey struct {
	kind, application, account string
	network                    netip.Prefix
}

type bucket struct {
	mu       sync.Mutex
	spent    float64 // by attempts that were wrong
	at       time.Time
	underWay int           // attempts of which it is not known yet
	turn     chan struct{} // closed when one of them ends; nil: nobody waits
}

const (
	throttleBytes = 8 << 20 // some 40,000 buckets, beyond which those not in use are forgotten
	bucketBytes   = 200
	knownBytes    = 4 << 20
)

// throttle counts attempts, in the memory of the process: a restart forgives.
type throttle struct {
	now     func() time.Time
	buckets *cache.Cache[bucketKey, *bucket]
	making  sync.Mutex
	known   *cache.Cache[bucketKey, struct{}] // networks from which accounts signed in
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{
		now:     now,
		buckets: cache.New(throttleBytes, func(k bucketKey, _ *bucket) int { return bucketBytes + len(k.application) + len(k.account) }),
		known:   cache.New(knownBytes, func(k bucketKey, _ struct{}) int { return bucketBytes + len(k.application) + len(k.account) }),
	}
}

// limit is a bucket and what it allows. Those of one attempt come in the order
// pair or device, sender, mailbox, network, account.
type limit struct {
	key  bucketKey
	rate rate
}

// try makes an attempt where no bucket is empty, and counts it in each where it
// was wrong. Attempts that are under way may all be wrong: no more of them run at
// a time than the buckets bear, and what comes then waits for their outcome. Every
// attempt takes its places in the order of its limits, and those come in one order,
// so that none waits for another in a ring.
func (t *throttle) try(ctx context.Context, limits []limit, prove func() (right bool, err error)) (right bool, err error) {
	var entered []*bucket
	wrong := false
	defer func() {
		for _, b := range entered {
			b.leave(wrong)
		}
	}()
	for _, l := range limits {
		b := t.bucket(l.key)
		if err := b.enter(ctx, t.now, l.rate); err != nil {
			return false, err
		}
		entered = append(entered, b)
	}
	right, err = prove()
	wrong = !right && err == nil
	return right, err
}

func (t *throttle) bucket(k bucketKey) *bucket {
	if b, ok := t.buckets.Get(k); ok {
		return b
	}
	t.making.Lock()
	defer t.making.Unlock()
	if b, ok := t.buckets.Get(k); ok {
		return b
	}
	b := &bucket{at: t.now()}
	t.buckets.Fill(t.buckets.Ticket(k), k, b)
	return b
}

// enter takes a place in a bucket for an attempt.
func (b *bucket) enter(ctx context.Context, now func() time.Time, r rate) error {
	for {
		wait, turn := b.take(now(), r)
		switch {
		case wait > 0:
			return &SlowError{wait}
		case turn == nil:
			return nil
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return fault.Unavailablef(ctx.Err(), "The request ended before it was its turn.")
		}
	}
}

// take takes a place; else it says how long the bucket is empty, or gives what is
// closed when an attempt that is under way has ended.
func (b *bucket) take(now time.Time, r rate) (wait time.Duration, turn <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if past := now.Sub(b.at); past > 0 {
		b.spent = max(0, b.spent-float64(past)/float64(r.every))
	}
	b.at = now
	over := b.spent + 1 - float64(r.burst)
	switch {
	case over > 0:
		return time.Duration(over * float64(r.every)), nil
	case over+float64(b.underWay) > 0:
		if b.turn == nil {
			b.turn = make(chan struct{})
		}
		return 0, b.turn
	}
	b.underWay++
	return 0, nil
}

// leave ends an attempt.
func (b *bucket) leave(wrong bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.underWay--
	if wrong {
		b.spent++
	}
	if b.turn != nil {
		close(b.turn)
		b.turn = nil
	}
}

// network is what counts as one origin: an IPv4 address, or the /64 that one
// subscriber has.
func network(address netip.Addr) netip.Prefix {
	address = address.Unmap()
	bits := 32
	if address.Is6() {
		bits = 64
	}
	p, _ := address.Prefix(bits) // no address gives the zero prefix, one bucket for all of them
	return p
}
