package token

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// accessType is the `typ` of a JWT access token (RFC 9068 §2.1).
const accessType = "at+jwt"

// claims of the JWT access token of a client that acts for itself (RFC 9068
// §2.2): `sub` is then the client.
func claims(f *Family, r reference, issuer string) []byte {
	const fixed = 300 // names, punctuation, jti, two times
	size := fixed + len(issuer) + 2*len(f.ClientID)
	for _, s := range f.Scopes {
		size += len(s) + 1
	}
	audience := f.Audience
	if len(audience) == 0 {
		audience = []string{issuer}
	}
	for _, a := range audience {
		size += len(a) + 3
	}
	return oauth.NewObject(size).
		String("iss", issuer).
		Strings("aud", audience).
		String("sub", f.ClientID).
		String("client_id", f.ClientID).
		Words("scope", f.Scopes).
		String("jti", r.String()).
		Int("iat", f.IssuedAt.Unix()).
		Int("exp", f.AccessExpiresAt.Unix()).
		Close()
}

// verifiedWeight estimates the bytes that a remembered JWT takes: its digest,
// the reference, the map's slot.
const verifiedWeight = 128

// verify gives the family that a JWT access token of the application is of. A
// signature costs as much as the rest of the request twice over, so digests of
// good ones are remembered: the digest covers every character of the token.
func (s *Service) verify(ctx context.Context, applicationID, text string) (reference, bool, error) {
	if !compact(text) {
		return reference{}, false, nil
	}
	digest := sha256.Sum256([]byte(text))
	if r, ok := s.verified.Get(digest); ok {
		return r, true, nil // of which application is for its family to say
	}
	ticket := s.verified.Ticket(digest)
	payload, err := s.signers.Verify(ctx, applicationID, text, accessType)
	if errors.Is(err, key.ErrToken) {
		return reference{}, false, nil
	}
	if err != nil {
		return reference{}, false, fmt.Errorf("verify a token: %w", err)
	}
	var claims struct {
		JTI string `json:"jti"`
		Exp int64  `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return reference{}, false, nil //nolint:nilerr // signed, but no access token: refused as any other text
	}
	r, ok := parseJTI(claims.JTI)
	if !ok || s.now().Unix() >= claims.Exp {
		return reference{}, false, nil // an expired one costs no look at its family
	}
	s.verified.Fill(ticket, digest, r)
	return r, true, nil
}

// compact reports whether a text has the form of a signed compact JWS, each of
// its three parts in the one base64url form that its bytes have (RFC 7515 §2):
// decoders bear line breaks and spare bits, so that one signature would be good
// for many texts.
func compact(text string) bool {
	parts := 0
	for part := range strings.SplitSeq(text, ".") {
		parts++
		if parts > 3 || part == "" || len(part)%4 == 1 {
			return false
		}
		last := byte(0)
		for i := range len(part) {
			v := sextet(part[i])
			if v > 63 {
				return false
			}
			last = v
		}
		spare := len(part) % 4 // 2 characters carry 1 byte, 3 carry 2
		if spare == 2 && last&0b1111 != 0 || spare == 3 && last&0b11 != 0 {
			return false
		}
	}
	return parts == 3
}

// sextet is the value of a base64url character, 255 where it is none.
func sextet(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '-':
		return 62
	case c == '_':
		return 63
	default:
		return 255
	}
}
