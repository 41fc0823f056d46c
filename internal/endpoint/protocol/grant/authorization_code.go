package grant

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
)

// authorizationCode is RFC 6749 §4.1.3: a code that a user's consent made is
// exchanged. Its scopes are those of the code; a parameter `scope` has no meaning
// here.
func authorizationCode(ctx context.Context, p *protocol.Parts, call *protocol.Call, _ admitted) (*token.Minted, error) {
	code, err := presented(p, call, "code")
	if err != nil {
		return nil, err
	}
	code.RedirectURI, code.Verifier = call.Form.Get("redirect_uri"), call.Form.Get("code_verifier")
	return p.Tokens.Redeem(ctx, code)
}
