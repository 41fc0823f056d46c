package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// S256 is the one value of `code_challenge_method` that is taken; `plain`
// protects nothing that is worth it (RFC 9700 §2.1.1).
const S256 = "S256"

// Lengths of a code verifier (RFC 7636 §4.1).
const (
	minVerifier = 43
	maxVerifier = 128
)

// ValidChallenge reports whether a text has the form of a code challenge of the
// method S256: 32 bytes in base64url without padding (RFC 7636 §4.2). One whose
// last two bits are set has it, though no verifier fits it.
func ValidChallenge(challenge string) bool {
	digest, err := base64.RawURLEncoding.DecodeString(challenge)
	return err == nil && len(digest) == sha256.Size && len(challenge) == base64.RawURLEncoding.EncodedLen(sha256.Size)
}

// VerifyPKCE reports whether a verifier is the one whose challenge this is, by
// the method S256 (RFC 7636 §4.6).
func VerifyPKCE(challenge, verifier string) bool {
	if len(verifier) < minVerifier || len(verifier) > maxVerifier || !unreserved(verifier) {
		return false
	}
	digest := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(digest[:])), []byte(challenge)) == 1
}

// unreserved reports whether a text has the characters of RFC 3986 §2.3 only.
func unreserved(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}
