package token

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/user"
)

// IDTokenType is the `typ` of an id_token: it cannot pass for an access token.
const IDTokenType = "JWT"

// idTokenLife is how long an id_token lives: it is read once, when it is got.
const idTokenLife = time.Hour

// identity is what an id_token is made of.
type identity struct {
	application *application.Application
	issuer      string
	user        *user.User
	family      *Family
	scopes      []string // of the access token in the same answer
	access      string   // that access token; "": none
	code        string   // that both were exchanged for; "": none
	alone       bool     // no access token will give what the scopes stand for
	again       bool     // not the first one of the family
}

// reserved are the claims that are not the user's to fill.
var reserved = []string{
	"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "auth_time", "nonce", "acr", "amr", "azp", "sid", "at_hash", "c_hash", "s_hash",
}

// identify makes an id_token (OpenID Connect Core 1.0 §2). What a user's claims
// are is package user's. A refresh leaves nonce out (§12.2).
func (s *Service) identify(ctx context.Context, i *identity) (string, error) {
	f := i.family
	algorithm := i.application.Settings.Algorithm()
	issued := f.issuedAt().Truncate(time.Second)
	expires := issued.Add(idTokenLife)
	o := oauth.NewObject(768).
		String("iss", i.issuer).
		String("sub", f.UserID).
		String("aud", f.ClientID).
		Int("exp", expires.Unix()).
		Int("iat", issued.Unix())
	o = f.Details.Authentication(o)
	if f.Details.Nonce != "" && !i.again {
		o = o.String("nonce", f.Details.Nonce)
	}
	if f.SID != "" {
		o = o.String("sid", f.SID)
	}
	if i.access != "" {
		o = o.String("at_hash", halfHash(algorithm, i.access))
	}
	if i.code != "" {
		o = o.String("c_hash", halfHash(algorithm, i.code))
	}
	told := i.told()
	for _, name := range slices.Sorted(maps.Keys(told)) {
		value, err := json.Marshal(told[name])
		if err != nil {
			return "", fmt.Errorf("write a claim of an id_token: %w", err)
		}
		o = o.Value(name, value)
	}
	text, err := s.signers.Sign(ctx, f.ApplicationID, algorithm, IDTokenType, o.Close(), expires)
	if err != nil {
		return "", fmt.Errorf("sign an id_token: %w", err)
	}
	return text, nil
}

// told gives the claims about the user: those that the parameter `claims` asks
// for (§5.5), and those of the scopes where no userinfo will tell (§5.4) or the
// application says so.
func (i *identity) told() map[string]any {
	var requested map[string]oauth.ClaimRequest
	if c := i.family.Details.Claims; c != nil {
		requested = c.IDToken
	}
	var scopes []string
	if i.alone || i.application.Settings.ClaimsInIDToken {
		scopes = i.scopes
	}
	if len(scopes) == 0 && len(requested) == 0 {
		return nil
	}
	claims := maps.Clone(i.user.Claims(scopes, requested))
	maps.DeleteFunc(claims, func(name string, value any) bool { return value == nil || slices.Contains(reserved, name) })
	return claims
}

// halfHash is at_hash and c_hash: the left half of the digest that goes with the
// algorithm of the id_token (§3.1.3.6, §3.3.2.11); that of EdDSA with Ed25519 is
// SHA-512.
func halfHash(algorithm, text string) string {
	if algorithm == "EdDSA" {
		digest := sha512.Sum512([]byte(text))
		return base64.RawURLEncoding.EncodeToString(digest[:len(digest)/2])
	}
	digest := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(digest[:len(digest)/2])
}
