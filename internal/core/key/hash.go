package key

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Bounds of a hash that comes from elsewhere, so that to check a secret takes
// neither more than about a second nor more memory than a server has to spare.
const (
	maxBcryptCost   = 14
	maxIterations   = 2_000_000 // of PBKDF2
	maxArgonMemory  = 128 << 10 // KiB
	maxArgonTime    = 16
	maxArgonLanes   = 16
	maxBcryptSecret = 72 // bytes: what follows counts for nothing in bcrypt
	minHash         = 16
	maxHash         = 64
	maxSalt         = 64
	maxHashText     = 512
)

// slowHash is a hash of a password, or of a secret, as it is kept: what computes
// it again and what must come out.
type slowHash struct {
	want    []byte
	compute func(secret string) []byte
	bcrypt  bool // want is the whole text, and bcrypt itself compares
}

// HashForms are the hashes that are taken, in words.
const HashForms = "argon2id ($argon2id$v=19$m=…,t=…,p=…$…$…) up to 128 MiB, PBKDF2 ($pbkdf2-sha256$i=…,l=…$…$…, or sha512) " +
	"up to 2,000,000 iterations, bcrypt ($2a$, $2b$ or $2y$) up to cost 14"

// ErrHash says that a text is none of HashForms.
var ErrHash = errors.New("not a hash that can be checked")

// CheckHash reports, with ErrHash, a text that is not a hash of which
// VerifySecret can check secrets.
func CheckHash(text string) error {
	if _, ok := parseHash(text); !ok {
		return ErrHash
	}
	return nil
}

// OwnHash reports whether a hash is as HashPassword makes it now.
func OwnHash(text string) bool {
	return strings.HasPrefix(text, fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, argonMemory, argonTime, argonLanes))
}

// HashSecret is HashPassword in the queue of those that are checked.
func (r *Ring) HashSecret(ctx context.Context, secret string) (text string, err error) {
	err = r.hasher.run(ctx, func() { text = HashPassword(secret) })
	return text, err
}

// verifyHash computes the hash that the text describes and compares.
func verifyHash(text, secret string) bool {
	h, ok := parseHash(text)
	if !ok {
		return false
	}
	if h.bcrypt {
		return len(secret) <= maxBcryptSecret && bcrypt.CompareHashAndPassword(h.want, []byte(secret)) == nil
	}
	return subtle.ConstantTimeCompare(h.compute(secret), h.want) == 1
}

// parseHash reads the PHC forms of argon2id and PBKDF2, the latter as Ory Hydra
// writes it, and bcrypt's own form.
func parseHash(text string) (slowHash, bool) {
	fields := strings.Split(text, "$")
	if len(text) > maxHashText || len(fields) < 4 || fields[0] != "" {
		return slowHash{}, false
	}
	switch fields[1] {
	case "argon2id":
		return parseArgon2id(fields[2:])
	case "pbkdf2-sha256":
		return parsePBKDF2(sha256.New, fields[2:])
	case "pbkdf2-sha512":
		return parsePBKDF2(sha512.New, fields[2:])
	case "2a", "2b", "2y":
		return parseBcrypt(text, fields[2:])
	default:
		return slowHash{}, false
	}
}

func parseArgon2id(fields []string) (slowHash, bool) {
	if len(fields) != 4 || fields[0] != "v="+strconv.Itoa(argon2.Version) {
		return slowHash{}, false
	}
	numbers, ok := parameters(fields[1], "m", "t", "p")
	if !ok || numbers[0] > maxArgonMemory || numbers[1] > maxArgonTime || numbers[2] > maxArgonLanes {
		return slowHash{}, false
	}
	salt, want, ok := saltAndHash(fields[2], fields[3])
	if !ok {
		return slowHash{}, false
	}
	return slowHash{want: want, compute: func(secret string) []byte {
		return argon2.IDKey([]byte(secret), salt, numbers[1], numbers[0], uint8(numbers[2]), uint32(len(want))) //nolint:gosec // bounded above
	}}, true
}

func parsePBKDF2(digest func() hash.Hash, fields []string) (slowHash, bool) {
	if len(fields) != 3 {
		return slowHash{}, false
	}
	numbers, ok := parameters(fields[0], "i", "l")
	if !ok || numbers[0] > maxIterations {
		return slowHash{}, false
	}
	salt, want, ok := saltAndHash(fields[1], fields[2])
	if !ok || int(numbers[1]) != len(want) {
		return slowHash{}, false
	}
	return slowHash{want: want, compute: func(secret string) []byte {
		got, err := pbkdf2.Key(digest, secret, salt, int(numbers[0]), len(want))
		if err != nil { // only in FIPS mode, for a short salt or key: then it is not the secret
			return nil
		}
		return got
	}}, true
}

// parseBcrypt takes $2b$10$ and 53 characters; older libraries write 2a, and
// PHP's 2y, for the same thing.
func parseBcrypt(text string, fields []string) (slowHash, bool) {
	const letters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	if len(fields) != 2 || len(fields[0]) != 2 || len(fields[1]) != 53 || strings.Trim(fields[1], letters) != "" {
		return slowHash{}, false
	}
	cost, err := strconv.Atoi(fields[0])
	if err != nil || cost < bcrypt.MinCost || cost > maxBcryptCost {
		return slowHash{}, false
	}
	return slowHash{want: []byte(text), bcrypt: true}, true
}

// parameters reads m=1,t=2,p=3 with exactly these names, in this order, and
// numbers ≥ 1.
func parameters(text string, names ...string) ([]uint32, bool) {
	parts := strings.Split(text, ",")
	if len(parts) != len(names) {
		return nil, false
	}
	numbers := make([]uint32, len(names))
	for i, part := range parts {
		digits, ok := strings.CutPrefix(part, names[i]+"=")
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || n < 1 {
			return nil, false
		}
		numbers[i] = uint32(n)
	}
	return numbers, true
}

func saltAndHash(salt, want string) (s, w []byte, ok bool) {
	s, err := base64.RawStdEncoding.DecodeString(salt)
	if err != nil || len(s) > maxSalt {
		return nil, nil, false
	}
	w, err = base64.RawStdEncoding.DecodeString(want)
	return s, w, err == nil && len(w) >= minHash && len(w) <= maxHash
}
