package key

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// argon2id parameters for what people choose: 19 MiB, 2 passes, 1 lane (OWASP's
// second recommendation); about 40 ms a hash.
const (
	argonMemory = 19 << 10 // KiB
	argonTime   = 2
	argonLanes  = 1
	saltBytes   = 16
	hashBytes   = 32
)

// HashPassword hashes a password, or a secret of little entropy, with argon2id
// and a random salt; the outcome is a PHC string.
func HashPassword(password string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt)
	hash := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, hashBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

const (
	maxWaiting    = 64        // hashes that wait; at 40 ms each on 2 cores the last one waits 1.3 s
	rememberBytes = 256 << 10 // of secrets verified before
)

// hasher runs a bounded number of slow hashes at a time, since each takes 19 MiB
// or a core, and remembers, under a key that dies with the process, which secrets
// were right, so that a client pays once rather than at each request.
type hasher struct {
	slots   chan struct{}
	waiting atomic.Int64
	done    atomic.Uint64
	key     [32]byte
	known   *cache.Cache[[32]byte, struct{}]
}

func newHasher() *hasher {
	h := &hasher{
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		known: cache.New(rememberBytes, func([32]byte, struct{}) int { return 64 }),
	}
	_, _ = rand.Read(h.key[:])
	return h
}

func (h *hasher) verify(ctx context.Context, kept, secret string) (bool, error) {
	mac := hmac.New(sha256.New, h.key[:])
	_, _ = mac.Write(joined(kept, secret))
	id := [32]byte(mac.Sum(nil))
	if _, ok := h.known.Get(id); ok {
		return true, nil
	}
	right := false
	if err := h.run(ctx, func() { right = verifyHash(kept, secret) }); err != nil || !right {
		return false, err
	}
	h.known.Fill(h.known.Ticket(id), id, struct{}{})
	return true, nil
}

// run gives a hash its turn.
func (h *hasher) run(ctx context.Context, hash func()) error {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return fault.Unavailablef(nil, "Too many passwords are being checked; try again in a second.")
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return fault.Unavailablef(ctx.Err(), "The request ended before its password was checked.")
	}
	defer func() { <-h.slots }()
	hash()
	h.done.Add(1)
	return nil
}

// VerifyNothing computes as much as VerifySecret would for a password, where
// there is none to compare with: nobody learns from the time it takes whether
// there is an account.
func (r *Ring) VerifyNothing(ctx context.Context, password string) error {
	return r.hasher.run(ctx, func() {
		_ = argon2.IDKey([]byte(password), make([]byte, saltBytes), argonTime, argonMemory, argonLanes, hashBytes)
	})
}

// Hashes is how many slow hashes were computed since the process began.
func (r *Ring) Hashes() uint64 { return r.hasher.done.Load() }

// EstimatedBits estimates the entropy of a secret that somebody chose, from
// below: its length times the entropy of its characters' frequencies.
func EstimatedBits(secret string) float64 {
	counts := map[rune]float64{}
	n := 0.0
	for _, r := range secret {
		counts[r]++
		n++
	}
	bits := 0.0
	for _, c := range counts {
		bits -= c * math.Log2(c/n)
	}
	return bits
}
