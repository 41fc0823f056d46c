package key

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"sync"

	jose "github.com/go-jose/go-jose/v4"
)

// Algorithms are the JWS algorithms that an application can sign with, the
// default first (RFC 7518 §3.1, RFC 8037).
var Algorithms = []string{"ES256", "RS256", "EdDSA"}

const rsaBits = 2048

func generate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	default:
		return nil, fmt.Errorf("signing algorithm %q is not one of %v", algorithm, Algorithms)
	}
}

// publicJWK writes the public half as a JWK (RFC 7517 §4).
func publicJWK(private crypto.Signer, id, algorithm string) (json.RawMessage, error) {
	jwk := jose.JSONWebKey{Key: private.Public(), KeyID: id, Algorithm: algorithm, Use: "sig"}
	return jwk.MarshalJSON()
}

// signer is a signing key, opened and ready.
type signer struct {
	key     SigningKey
	private crypto.Signer
	public  crypto.PublicKey
	headers sync.Map // media type -> encoded protected header
}

func newSigner(k SigningKey, pkcs8 []byte) (*signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("signing key %s cannot sign", k.ID)
	}
	return &signer{key: k, private: private, public: private.Public()}, nil
}

// header is the encoded protected header of a token of the media type typ: the
// same each time, so it is made once.
func (s *signer) header(typ string) []byte {
	if h, ok := s.headers.Load(typ); ok {
		return h.([]byte) //nolint:forcetypeassert // nothing else is stored
	}
	h := fmt.Sprintf(`{"alg":%q,"typ":%q,"kid":%q}`, s.key.Algorithm, typ, s.key.ID)
	encoded := base64.RawURLEncoding.AppendEncode(nil, []byte(h))
	s.headers.Store(typ, encoded)
	return encoded
}

// compact signs claims as a compact JWS (RFC 7515 §3.1), written by hand: a
// general serializer adds half a signature's time to each token.
func (s *signer) compact(header, claims []byte) (string, error) {
	const maxSignature = 342 // RSA-2048 in base64url
	enc := base64.RawURLEncoding
	out := make([]byte, 0, len(header)+enc.EncodedLen(len(claims))+maxSignature+2)
	out = append(out, header...)
	out = append(out, '.')
	out = enc.AppendEncode(out, claims)
	signature, err := s.sign(out)
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", s.key.ID, err)
	}
	out = append(out, '.')
	return string(enc.AppendEncode(out, signature)), nil
}

func (s *signer) sign(input []byte) ([]byte, error) {
	digest := sha256.Sum256(input)
	switch private := s.private.(type) {
	case *ecdsa.PrivateKey:
		// Deterministic (RFC 6979): an answer that is given again is the same text.
		der, err := private.Sign(nil, digest[:], crypto.SHA256)
		if err != nil {
			return nil, err
		}
		return rawSignature(der)
	case ed25519.PrivateKey:
		return ed25519.Sign(private, input), nil
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	default:
		return nil, errors.New("unknown kind of key")
	}
}

// verify reports whether signature is the key's over input.
func (s *signer) verify(input, signature []byte) bool {
	digest := sha256.Sum256(input)
	switch public := s.public.(type) {
	case *ecdsa.PublicKey:
		if len(signature) != 64 { // RFC 7518 §3.4
			return false
		}
		return ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	case ed25519.PublicKey:
		return ed25519.Verify(public, input, signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	default:
		return false
	}
}

var errDER = errors.New("malformed ECDSA signature")

// rawSignature turns SEQUENCE { INTEGER r, INTEGER s } of a P-256 signature,
// whose lengths all fit one byte, into r || s (RFC 7518 §3.4).
func rawSignature(der []byte) ([]byte, error) {
	out := make([]byte, 64)
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return nil, errDER
	}
	rest := der[2:]
	for half := range 2 {
		if len(rest) < 2 || rest[0] != 0x02 || int(rest[1]) > len(rest)-2 {
			return nil, errDER
		}
		n := rest[2 : 2+rest[1]]
		rest = rest[2+len(n):]
		for len(n) > 0 && n[0] == 0 {
			n = n[1:]
		}
		if len(n) > 32 {
			return nil, errDER
		}
		copy(out[32*(half+1)-len(n):], n)
	}
	return out, nil
}
