package protocol

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
)

// Hint is an ID token that comes back as `id_token_hint`.
type Hint struct {
	Subject  string
	SID      string
	Audience []string
}

// Hint reads an id_token_hint: an ID token that a published key of the
// application signed, expired or not (OpenID Connect RP-Initiated Logout 1.0 §2);
// false where it is anything else.
func (p *Parts) Hint(ctx context.Context, applicationID, text string) (h Hint, ok bool, err error) {
	payload, err := p.Signers.Verify(ctx, applicationID, text, token.IDTokenType)
	if errors.Is(err, key.ErrToken) {
		return h, false, nil
	}
	if err != nil {
		return h, false, err
	}
	var claims struct {
		Subject  string         `json:"sub"`
		SID      string         `json:"sid"`
		Audience oauth.Audience `json:"aud"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return h, false, nil //nolint:nilerr // signed, but no ID token: refused as any other text
	}
	return Hint{claims.Subject, claims.SID, claims.Audience}, claims.Subject != "", nil
}
