package signin

import (
	"net/netip"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/cache"
)

// rate is a token bucket: a burst, then one more each interval.
type rate struct {
	burst int
	every time.Duration
}

// What is allowed before an attempt must wait; decisions/0017 says why. An
// attempt that is right is given back: only those that fail count.
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
	mu    sync.Mutex
	spent float64
	at    time.Time
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

// limit is a bucket and what it allows.
type limit struct {
	key  bucketKey
	rate rate
}

// attempt is what an attempt drew from its buckets.
type attempt struct {
	t      *throttle
	limits []limit
}

// begin draws one from each bucket, or none and says how long to wait.
func (t *throttle) begin(limits ...limit) (*attempt, error) {
	a := &attempt{t: t}
	for _, l := range limits {
		if wait := t.draw(l); wait > 0 {
			a.right()
			return nil, &SlowError{wait}
		}
		a.limits = append(a.limits, l)
	}
	return a, nil
}

// right gives back what was drawn.
func (a *attempt) right() {
	for _, l := range a.limits {
		b := a.t.bucket(l.key)
		b.mu.Lock()
		b.spent = max(0, b.spent-1)
		b.mu.Unlock()
	}
	a.limits = nil
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

func (t *throttle) draw(l limit) (wait time.Duration) {
	b := t.bucket(l.key)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := t.now()
	if past := now.Sub(b.at); past > 0 {
		b.spent = max(0, b.spent-float64(past)/float64(l.rate.every))
	}
	b.at = now
	if over := b.spent + 1 - float64(l.rate.burst); over > 0 {
		return time.Duration(over * float64(l.rate.every))
	}
	b.spent++
	return 0
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
