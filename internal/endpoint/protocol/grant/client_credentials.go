package grant

import (
	"context"

	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
)

// clientCredentials is RFC 6749 §4.4: the client acts for itself. It must have
// proved who it is, so it is for confidential clients only, whatever a setting
// says; no refresh token is given (§4.4.3).
func clientCredentials(ctx context.Context, p *protocol.Parts, call *protocol.Call, what admitted) (*token.Minted, error) {
	if call.Client.Public {
		return nil, oauth.UnauthorizedClient("A public client cannot use this grant type; register a confidential one.")
	}
	return p.Tokens.Mint(ctx, &token.Grant{
		Application: call.Application,
		Client:      call.Client,
		Issuer:      p.Issuer(call.Application.ID),
		GrantType:   oauth.ClientCredentials,
		Scopes:      what.scopes,
		Audience:    what.target.Audience(),
		Format:      what.target.Format(),
		Address:     call.Address,
	})
}
