package token

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// accessType is the `typ` of a JWT access token (RFC 9068 §2.1).
const accessType = "at+jwt"

// claims of a JWT access token (RFC 9068 §2.2): `sub` is the user, or the client
// where it acts for itself.
func claims(f *Family, a *access, issuer string) []byte {
	const fixed = 360 // names, punctuation, jti, three times
	size := fixed + len(issuer) + len(f.ClientID) + len(f.Subject()) + len(f.Details.ACR)
	scopes, audience := a.scopesOf(f), a.audienceOf(f)
	if len(audience) == 0 {
		audience = []string{issuer}
	}
	for _, list := range [][]string{scopes, audience, f.Details.AMR} {
		for _, word := range list {
			size += len(word) + 3
		}
	}
	o := oauth.NewObject(size).
		String("iss", issuer).
		Strings("aud", audience).
		String("sub", f.Subject()).
		String("client_id", f.ClientID).
		Words("scope", scopes).
		String("jti", reference{f.ID, a.generation}.String()).
		Int("iat", a.issued.Unix()).
		Int("exp", a.expires.Unix())
	return f.Details.Authentication(o).Close()
}

// Authentication adds how the user authenticated, as far as it is known (RFC
// 9068 §2.2.1, OpenID Connect Core 1.0 §2).
func (d *Details) Authentication(o oauth.Object) oauth.Object {
	if d.AuthTime > 0 {
		o = o.Int("auth_time", d.AuthTime)
	}
	if d.ACR != "" {
		o = o.String("acr", d.ACR)
	}
	if len(d.AMR) > 0 {
		o = o.List("amr", d.AMR)
	}
	return o
}

// proof is what a JWT access token whose signature is good says of itself.
type proof struct {
	reference
	issued, expires int64    // seconds since 1970
	scope           string   // "" too where it is the family's
	audience        []string // none where it is the family's
	narrowed        bool     // it is not the whole family's
}

// proofWeight estimates the bytes that a remembered JWT takes.
func proofWeight(_ [32]byte, p proof) int {
	const record = 200 // the digest, the proof, the map's slot
	n := record + len(p.scope)
	for _, a := range p.audience {
		n += 16 + len(a)
	}
	return n
}

// unverified holds what is needed to remember a JWT that was not, before.
type unverified struct {
	digest [32]byte
	ticket cache.Ticket
}

// verify gives what a JWT access token of the application says. A signature
// costs as much as the rest of the request twice over, so the caller remembers
// digests of good ones: the digest covers every character of the token. fresh is
// what that takes; nil: it was remembered. Of which application the token is, is
// for the family to say.
func (s *Service) verify(ctx context.Context, applicationID, text string) (p proof, fresh *unverified, ok bool, err error) {
	if !compact(text) {
		return p, nil, false, nil
	}
	digest := sha256.Sum256([]byte(text))
	now := s.now().Unix()
	if p, ok := s.verified.Get(digest); ok {
		return p, nil, now < p.expires, nil
	}
	fresh = &unverified{digest, s.verified.Ticket(digest)}
	payload, err := s.signers.Verify(ctx, applicationID, text, accessType)
	if errors.Is(err, key.ErrToken) {
		return p, nil, false, nil
	}
	if err != nil {
		return p, nil, false, fmt.Errorf("verify a token: %w", err)
	}
	var claims struct {
		JTI   string         `json:"jti"`
		Iat   int64          `json:"iat"`
		Exp   int64          `json:"exp"`
		Scope string         `json:"scope"`
		Aud   oauth.Audience `json:"aud"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return p, nil, false, nil //nolint:nilerr // signed, but no access token: refused as any other text
	}
	r, ok := parseJTI(claims.JTI)
	if !ok || now >= claims.Exp {
		return p, nil, false, nil // an expired one costs no look at its family
	}
	return proof{reference: r, issued: claims.Iat, expires: claims.Exp, scope: claims.Scope, audience: claims.Aud}, fresh, true, nil
}

// narrow leaves in a proof what of it is not its family's anyway. Where the
// family is for no resource, every token of it is for the issuer.
func (p *proof) narrow(f *Family) {
	p.narrowed = p.scope != strings.Join(f.Scopes, " ") || len(f.Audience) > 0 && !slices.Equal(p.audience, f.Audience)
	if !p.narrowed {
		p.scope, p.audience = "", nil
	}
	if len(f.Audience) == 0 {
		p.audience = nil
	}
}

// of gives the access token that a narrowed proof is of the family f.
func (p *proof) of() access {
	a := access{generation: p.generation, issued: time.Unix(p.issued, 0).UTC(), expires: time.Unix(p.expires, 0).UTC()}
	if p.narrowed {
		a.scopes, a.audience = strings.Fields(p.scope), p.audience
	}
	return a
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

// Issuer gives the `iss` of a JWT, which nothing is proof of yet; "" of any other
// text. It says which application's keys it is to be verified by.
func Issuer(text string) string {
	if len(text) > maxText || !compact(text) {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[1])
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Issuer
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
