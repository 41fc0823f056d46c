package key

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// ErrMasterKey says that the master key is not the one that wrapped the data
// keys of this database.
var ErrMasterKey = errors.New("the master key does not open the data keys of this database")

// Ring holds the data keys, opened. It is safe for concurrent use.
type Ring struct {
	store  Store
	now    func() time.Time
	keys   atomic.Pointer[ring]
	hasher *hasher
}

// ring is one state of the Ring; it is replaced whole.
type ring struct {
	secrets   map[int32][32]byte
	digesters map[int32]*sync.Pool // of hash.Hash: to key an HMAC costs as much as to use it
	sealers   map[int32]cipher.AEAD
	current   map[Purpose]int32
}

// OpenRing reads the data keys and opens them with the master key. What is
// missing is made: on an empty store, one key a purpose.
func OpenRing(ctx context.Context, store Store, master [32]byte, now func() time.Time) (*Ring, error) {
	r := &Ring{store: store, now: now, hasher: newHasher()}
	keys, err := store.DataKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the data keys: %w", err)
	}
	opened, err := open(keys, master)
	if err != nil {
		return nil, err
	}
	if len(opened.current) < len(purposes) {
		return r, r.extend(ctx, master, purposes, audit.System())
	}
	r.keys.Store(opened)
	return r, nil
}

var purposes = []Purpose{Digest, Token, Sealing}

// Rotate makes a new data key for a purpose; the old one goes on opening and
// verifying what it made. Secrets' digests are remade as they are used.
func (r *Ring) Rotate(ctx context.Context, master [32]byte, purpose Purpose, source audit.Source) error {
	return r.extend(ctx, master, []Purpose{purpose}, source)
}

// extend adds a key for each purpose that was not extended by somebody else
// since this ring was read.
func (r *Ring) extend(ctx context.Context, master [32]byte, wanted []Purpose, source audit.Source) error {
	known := map[Purpose]int32{}
	if have := r.keys.Load(); have != nil {
		known = have.current
	}
	keys, err := r.store.ChangeDataKeys(ctx, func(keys []WrappedKey) ([]WrappedKey, []audit.Event, error) {
		have, err := open(keys, master)
		if err != nil {
			return nil, nil, err
		}
		var events []audit.Event
		for _, p := range wanted {
			if have.current[p] > known[p] {
				continue
			}
			w := WrappedKey{Number: nextNumber(keys), Purpose: p, CreatedAt: r.now()}
			var secret [32]byte
			_, _ = rand.Read(secret[:])
			w.Wrapped = wrap(master, w.Purpose, w.Number, secret)
			keys = append(keys, w)
			events = append(events, audit.New(source, "", "data_key.create", fmt.Sprintf("data_key:%d", w.Number), r.now()))
		}
		return keys, events, nil
	})
	if err != nil {
		return fmt.Errorf("make data keys: %w", err)
	}
	opened, err := open(keys, master)
	if err != nil {
		return err
	}
	r.keys.Store(opened)
	return nil
}

// Rewrap replaces the master key: every data key is wrapped anew, nothing else
// changes. Other nodes need the new master key at their next start only.
func (r *Ring) Rewrap(ctx context.Context, before, after [32]byte, source audit.Source) error {
	_, err := r.store.ChangeDataKeys(ctx, func(keys []WrappedKey) ([]WrappedKey, []audit.Event, error) {
		opened, err := open(keys, before)
		if err != nil {
			return nil, nil, err
		}
		keys = slices.Clone(keys)
		for i := range keys {
			keys[i].Wrapped = wrap(after, keys[i].Purpose, keys[i].Number, opened.secrets[keys[i].Number])
		}
		return keys, []audit.Event{audit.New(source, "", "master_key.rotate", "master_key", r.now())}, nil
	})
	if err != nil {
		return fmt.Errorf("rewrap the data keys: %w", err)
	}
	return nil
}

func nextNumber(keys []WrappedKey) int32 {
	n := int32(1)
	for _, k := range keys {
		n = max(n, k.Number+1)
	}
	return n
}

func open(keys []WrappedKey, master [32]byte) (*ring, error) {
	out := &ring{secrets: map[int32][32]byte{}, digesters: map[int32]*sync.Pool{}, sealers: map[int32]cipher.AEAD{}, current: map[Purpose]int32{}}
	wrapper := aead(master)
	for _, k := range keys {
		plain, err := wrapper.Open(nil, nil, k.Wrapped, wrapContext(k.Purpose, k.Number))
		if err != nil || len(plain) != 32 {
			return nil, ErrMasterKey
		}
		secret := [32]byte(plain)
		out.secrets[k.Number] = secret
		out.current[k.Purpose] = max(out.current[k.Purpose], k.Number)
		switch k.Purpose {
		case Sealing:
			out.sealers[k.Number] = aead(secret)
		case Digest:
			out.digesters[k.Number] = &sync.Pool{New: func() any { return hmac.New(sha256.New, secret[:]) }}
		case Token: // keyed by package token
		}
	}
	return out, nil
}

func wrap(master [32]byte, purpose Purpose, number int32, secret [32]byte) []byte {
	return aead(master).Seal(nil, nil, secret[:], wrapContext(purpose, number)) //nolint:gosec // it makes its nonce (G407)
}

func wrapContext(purpose Purpose, number int32) []byte {
	return fmt.Appendf(nil, "ostiary data key/%s/%d", purpose, number)
}

// aead is AES-256-GCM with a random nonce in front; neither constructor can
// fail on a key of 32 bytes.
func aead(secret [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

// DigestSecret gives the digest under which a made client secret (> 155 bits)
// is kept, and the number of its key. It is bound to its client, so that a row
// copied to another client opens nothing.
func (r *Ring) DigestSecret(applicationID, clientID, secret string) (digest []byte, number int32) {
	keys := r.keys.Load()
	number = keys.current[Digest]
	return keys.digest(number, applicationID, clientID, secret), number
}

// CurrentDigestKey gives the number that DigestSecret uses now.
func (r *Ring) CurrentDigestKey() int32 { return r.keys.Load().current[Digest] }

func (k *ring) digest(number int32, applicationID, clientID, secret string) []byte {
	pool, ok := k.digesters[number]
	if !ok {
		return nil
	}
	mac := pool.Get().(hash.Hash) //nolint:forcetypeassert // the pool holds nothing else
	defer pool.Put(mac)
	mac.Reset()
	_, _ = mac.Write(joined("client secret", applicationID, clientID, secret))
	return mac.Sum(nil)
}

// VerifySecret reports whether secret is the one kept as digest, in constant
// time. Number 0 is a slow hash, argon2id or one that came with an import
// (CheckHash): those are computed a few at a time, and a fault Unavailable says
// that too many wait.
func (r *Ring) VerifySecret(ctx context.Context, applicationID, clientID, secret string, digest []byte, number int32) (bool, error) {
	if number == 0 {
		return r.hasher.verify(ctx, string(digest), secret)
	}
	keys := r.keys.Load()
	want := keys.digest(number, applicationID, clientID, secret)
	return want != nil && hmac.Equal(want, digest), nil
}

// Seal encrypts plain under the sealing key in use; context must be given again
// to open it.
func (r *Ring) Seal(plain []byte, context ...string) []byte {
	keys := r.keys.Load()
	number := keys.current[Sealing]
	out := binary.BigEndian.AppendUint32(nil, uint32(number))             //nolint:gosec // numbers are ≥ 1
	return keys.sealers[number].Seal(out, nil, plain, joined(context...)) //nolint:gosec // it makes its nonce (G407)
}

// ErrSealed says that something sealed was altered, moved, or sealed elsewhere.
var ErrSealed = errors.New("what was sealed does not open")

// Open decrypts what Seal gave.
func (r *Ring) Open(sealed []byte, context ...string) ([]byte, error) {
	if len(sealed) < 4 {
		return nil, ErrSealed
	}
	sealer, ok := r.keys.Load().sealers[int32(binary.BigEndian.Uint32(sealed))] //nolint:gosec // looked up only
	if !ok {
		return nil, ErrSealed
	}
	plain, err := sealer.Open(nil, nil, sealed[4:], joined(context...))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// TokenKey gives the token key of a number, which an opaque token carries.
func (r *Ring) TokenKey(number int32) (secret [32]byte, ok bool) {
	secret, ok = r.keys.Load().secrets[number]
	return secret, ok
}

// CurrentTokenKey gives the token key that new families use.
func (r *Ring) CurrentTokenKey() (number int32, secret [32]byte) {
	keys := r.keys.Load()
	number = keys.current[Token]
	return number, keys.secrets[number]
}

// joined writes the parts with their lengths, so that no two lists of parts
// give the same bytes.
func joined(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += len(p) + 4
	}
	out := make([]byte, 0, n)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p))) //nolint:gosec // parts are short
		out = append(out, p...)
	}
	return out
}
