package grant

import (
	"context"
	"errors"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
)

// password is RFC 6749 §4.3: the client collects the user's password. The rule
// of grant types admits it under the security profile oauth2 alone (RFC 9700
// §2.4). Scopes that need a role are left out for users who do not have it.
func password(ctx context.Context, p *protocol.Parts, call *protocol.Call, what admitted) (*token.Minted, error) {
	if call.Client.Public {
		return nil, oauth.UnauthorizedClient("A public client cannot use this grant type; register a confidential one.")
	}
	name, secret := call.Form.Get("username"), call.Form.Get("password")
	if name == "" || secret == "" {
		return nil, oauth.InvalidRequest("The parameters username and password are needed.")
	}
	proved, err := p.SignIn.Password(ctx, call.Application, name, secret, signin.From{Source: call.Source()})
	if slow, ok := errors.AsType[*signin.SlowError](err); ok {
		return nil, oauth.SlowDown(slow.Wait, "There were too many attempts to sign in; wait as long as Retry-After says.")
	}
	switch {
	case fault.KindOf(err) == fault.Denied:
		return nil, oauth.InvalidGrant("The e-mail address or the password is wrong.")
	case err != nil:
		return nil, err
	case !proved.Done():
		return nil, oauth.InvalidGrant("This user signs in with a second factor; use the authorization endpoint.")
	}
	scopes, err := p.Scopes.ForUser(ctx, call.Application.ID, what.scopes, proved.User.Roles)
	if err != nil {
		return nil, err
	}
	return p.Tokens.Password(ctx, &token.Authorization{
		Application: call.Application,
		Client:      call.Client,
		Issuer:      p.Issuer(call.Application.ID),
		User:        proved.User,
		AMR:         proved.AMR,
		ACR:         proved.ACR,
		Scopes:      scopes,
		Audience:    what.target.Audience(),
		Format:      what.target.Format(),
		Address:     call.Address,
	})
}
