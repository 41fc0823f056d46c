package key

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"math"
	"runtime"
	"strings"
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

// verifyPHC computes the hash that a PHC string describes and compares.
func verifyPHC(phc, password string) bool {
	fields := strings.Split(phc, "$")
	if len(fields) != 6 || fields[1] != "argon2id" {
		return false
	}
	var version, lanes int
	var memory, time uint32
	if _, err := fmt.Sscanf(fields[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false
	}
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &memory, &time, &lanes); err != nil {
		return false
	}
	if memory > 1<<20 || time < 1 || time > 16 || lanes < 1 || lanes > 16 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(fields[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(fields[5])
	if err != nil || len(want) < 16 || len(want) > 64 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, time, memory, uint8(lanes), uint32(len(want))) //nolint:gosec // bounded above
	return subtle.ConstantTimeCompare(got, want) == 1
}

const (
	maxWaiting    = 64        // hashes that wait; at 40 ms each on 2 cores the last one waits 1.3 s
	rememberBytes = 256 << 10 // of secrets verified before
)

// hasher runs a bounded number of argon2id hashes at a time, since each takes
// 19 MiB, and remembers, under a key that dies with the process, which secrets
// were right, so that a client pays once rather than at each request.
type hasher struct {
	slots   chan struct{}
	waiting atomic.Int64
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

func (h *hasher) verify(ctx context.Context, phc, secret string) (bool, error) {
	mac := hmac.New(sha256.New, h.key[:])
	_, _ = mac.Write(joined(phc, secret))
	id := [32]byte(mac.Sum(nil))
	if _, ok := h.known.Get(id); ok {
		return true, nil
	}
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return false, fault.Unavailablef(nil, "Too many passwords are being checked; try again in a second.")
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return false, fault.Unavailablef(ctx.Err(), "The request ended before its password was checked.")
	}
	defer func() { <-h.slots }()
	if !verifyPHC(phc, secret) {
		return false, nil
	}
	h.known.Fill(h.known.Ticket(id), id, struct{}{})
	return true, nil
}

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
