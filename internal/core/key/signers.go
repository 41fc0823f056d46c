package key

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// Signers holds the signing keys of all applications, opened, as far as they
// are used. It is safe for concurrent use.
type Signers struct {
	store    Store
	ring     *Ring
	now      func() time.Time
	schedule Schedule
	sets     *cache.Cache[string, *set]
	// withdrawn: see OnWithdraw.
	withdrawn func()
}

// setBytes bounds the opened keys: about 2,000 applications with three keys.
const (
	setBytes  = 8 << 20
	keyWeight = 1400
)

// NewSigners makes the signers of an instance.
func NewSigners(store Store, ring *Ring, now func() time.Time, schedule Schedule) *Signers {
	return &Signers{
		store: store, ring: ring, now: now, schedule: schedule, withdrawn: func() {},
		sets: cache.New(setBytes, func(_ string, s *set) int { return keyWeight * (len(s.signers) + 1) }),
	}
}

// set is an application's signing keys, in order of creation.
type set struct {
	signers  []*signer
	document []byte // JWK set
	etag     string
}

func (s *set) keys() []SigningKey {
	keys := make([]SigningKey, len(s.signers))
	for i, sg := range s.signers {
		keys[i] = sg.key
	}
	return keys
}

// signing gives the key that signs at the time now, nil where there is none.
func (s *set) signing(algorithm string, now time.Time) *signer {
	var found *signer
	for _, sg := range s.signers {
		if sg.key.Algorithm == algorithm && sg.key.signs(now) {
			found = sg
		}
	}
	return found
}

func (k *SigningKey) signs(now time.Time) bool {
	return !now.Before(k.ActiveAt) && (k.RetiredAt.IsZero() || now.Before(k.RetiredAt))
}

// Void forgets what is remembered of an application's keys.
func (s *Signers) Void(applicationID string) { s.sets.Void(applicationID) }

// VoidAll forgets the keys of every application.
func (s *Signers) VoidAll() { s.sets.VoidAll() }

func (s *Signers) load(ctx context.Context, applicationID string) (*set, error) {
	return s.sets.Load(applicationID, func() (*set, error) {
		keys, err := s.store.SigningKeys(ctx, applicationID)
		if err != nil {
			return nil, fmt.Errorf("read the signing keys: %w", err)
		}
		return s.open(keys)
	})
}

func (s *Signers) open(keys []SigningKey) (*set, error) {
	out := &set{}
	public := struct {
		Keys []json.RawMessage `json:"keys"`
	}{Keys: []json.RawMessage{}}
	for _, k := range keys {
		pkcs8, err := s.ring.Open(k.Sealed, "signing key", k.ApplicationID, k.ID)
		if err != nil {
			return nil, fmt.Errorf("signing key %s: %w", k.ID, err)
		}
		sg, err := newSigner(k, pkcs8)
		if err != nil {
			return nil, err
		}
		out.signers = append(out.signers, sg)
		public.Keys = append(public.Keys, k.Public)
	}
	var err error
	if out.document, err = json.Marshal(public); err != nil {
		return nil, fmt.Errorf("write the JWK set: %w", err)
	}
	sum := sha256.Sum256(out.document)
	out.etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return out, nil
}

// newKey makes a key that is published at once and signs from active on.
func (s *Signers) newKey(applicationID, algorithm string, active time.Time) (SigningKey, error) {
	private, err := generate(algorithm)
	if err != nil {
		return SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	k := SigningKey{ApplicationID: applicationID, ID: ident.Record(), Algorithm: algorithm, CreatedAt: s.now(), ActiveAt: active}
	if k.Public, err = publicJWK(private, k.ID, algorithm); err != nil {
		return SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	k.Sealed = s.ring.Seal(pkcs8, "signing key", applicationID, k.ID)
	return k, nil
}

// Found makes the first keys of a new application; the caller stores them.
func (s *Signers) Found(applicationID, algorithm string) ([]SigningKey, error) {
	k, err := s.newKey(applicationID, algorithm, s.now())
	if err != nil {
		return nil, err
	}
	return []SigningKey{k}, nil
}

// Sign gives claims as a compact JWS of the media type typ ("at+jwt", RFC 9068
// §2.1) that expires at exp, signed with the application's key of the
// algorithm. The key is kept published until exp: where that takes a write, it
// is made before the token is given out.
func (s *Signers) Sign(ctx context.Context, applicationID, algorithm, typ string, claims []byte, exp time.Time) (string, error) {
	sg, err := s.signing(ctx, applicationID, algorithm)
	if err != nil {
		return "", err
	}
	if exp.After(sg.key.NeededUntil) {
		if err := s.need(ctx, sg.key, exp); err != nil {
			return "", err
		}
	}
	return sg.compact(sg.header(typ), claims)
}

// signing gives the key in use, and makes one where the application has none of
// this algorithm yet.
func (s *Signers) signing(ctx context.Context, applicationID, algorithm string) (*signer, error) {
	for range 2 {
		set, err := s.load(ctx, applicationID)
		if err != nil {
			return nil, err
		}
		if sg := set.signing(algorithm, s.now()); sg != nil {
			return sg, nil
		}
		if err := s.Tend(ctx, applicationID, algorithm); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("application %s has no %s key in use", applicationID, algorithm)
}

// ErrToken says that a token was not signed by a key of the application, or is
// no token of the wanted type.
var ErrToken = errors.New("not a token of this application")

// Verify gives the payload of a compact JWS of the media type typ that one of
// the application's published keys signed; ErrToken where it is anything else.
// What the payload says is for the caller to judge.
//
// Only what this server wrote can be genuine, so the protected header must be,
// to the letter, the one that a published key writes: it names the algorithm,
// and nothing of what a stranger wrote is parsed (RFC 8725 §3.1).
func (s *Signers) Verify(ctx context.Context, applicationID, compact, typ string) ([]byte, error) {
	header, rest, _ := strings.Cut(compact, ".")
	claims, signature, ok := strings.Cut(rest, ".")
	if !ok {
		return nil, ErrToken
	}
	set, err := s.load(ctx, applicationID)
	if fault.KindOf(err) == fault.NotFound {
		return nil, ErrToken
	}
	if err != nil {
		return nil, err
	}
	for _, sg := range set.signers {
		if string(sg.header(typ)) != header {
			continue
		}
		raw, err := base64.RawURLEncoding.Strict().DecodeString(signature)
		if err != nil || !sg.verify([]byte(compact[:len(header)+1+len(claims)]), raw) {
			return nil, ErrToken
		}
		payload, err := base64.RawURLEncoding.Strict().DecodeString(claims)
		if err != nil {
			return nil, ErrToken
		}
		return payload, nil
	}
	return nil, ErrToken
}

// JWKS gives the public keys of an application as a JWK set (RFC 7517 §5), with
// an entity tag: those that will sign, those that do, and those
// that signed what still lives.
func (s *Signers) JWKS(ctx context.Context, applicationID string) (document []byte, etag string, err error) {
	set, err := s.load(ctx, applicationID)
	if err != nil {
		return nil, "", err
	}
	return set.document, set.etag, nil
}

func event(k *SigningKey, action string, at time.Time) audit.Event {
	e := audit.New(audit.System(), k.ApplicationID, action, "key:"+k.ID, at)
	e.After = k.Public
	return e
}
