package grant

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
)

// refreshToken is RFC 6749 §6: the scopes that are asked for narrow those that
// the user granted.
func refreshToken(ctx context.Context, p *protocol.Parts, call *protocol.Call, what admitted) (*token.Minted, error) {
	t, err := presented(p, call, "refresh_token")
	if err != nil {
		return nil, err
	}
	t.Scopes = what.scopes
	return p.Tokens.Refresh(ctx, t)
}
