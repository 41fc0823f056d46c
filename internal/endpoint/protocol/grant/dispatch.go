// Package grant is the token endpoint (RFC 6749 §3.2): the phases that all
// grants share, and a file a grant type. What a token is and where it is kept
// is package token's.
package grant

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

// admitted is what a request is given, once nothing refused it. Of an exchange it
// is what the request asks for, which its grant may narrow.
type admitted struct {
	scopes []string
	asked  bool // the request named scopes
	target resource.Target
}

// grant is one grant type: what it makes, and whether it exchanges what was
// granted before.
type grant struct {
	issue    func(ctx context.Context, p *protocol.Parts, call *protocol.Call, what admitted) (*token.Minted, error)
	exchange bool
}

// grants that work here. The metadata document announces these and no others.
var grants = map[oauth.GrantType]grant{
	oauth.AuthorizationCode: {authorizationCode, true},
	oauth.ClientCredentials: {clientCredentials, false},
	oauth.Password:          {password, false},
	oauth.RefreshToken:      {refreshToken, true},
}

// Types gives the grant types that work here, in the order of their names.
func Types() []oauth.GrantType { return slices.Sorted(maps.Keys(grants)) }

// Routes of the token endpoint.
func Routes(p *protocol.Parts) []web.Route {
	const path = "/{app}" + protocol.TokenPath
	return []web.Route{
		// 1 parse; 2 the client: who it is, active, its address, its rate
		{Method: http.MethodPost, Path: path, Handle: p.OpenEndpoint(usage.OtherGrant, answer)},
		p.Preflight(path, http.MethodPost),
	}
}

// answer takes a request through the phases. The client's rules come before the
// grant, so that no grant can forget one.
func answer(p *protocol.Parts, w http.ResponseWriter, r *http.Request, call *protocol.Call) error {
	name, chosen, err := choose(call) // 3 the grant: known here at all
	if err != nil {
		return err
	}
	what, err := admit(r.Context(), p, call, name, chosen.exchange) // 4 the client's rules; then what is asked for
	if err != nil {
		return err
	}
	minted, err := chosen.issue(r.Context(), p, call, what) // 5 the grant's own file
	if err != nil {
		return err
	}
	protocol.WriteToken(w, document(minted)) // 6 the answer
	return nil
}

// choose finds the grant that is asked for. A client that may do nothing is not
// told which ones there are.
func choose(call *protocol.Call) (oauth.GrantType, grant, error) {
	if call.Client.Idle(call.Application) {
		return "", grant{}, oauth.UnauthorizedClient("This client has no feature and no grant type; ask the operator to give it one.")
	}
	name := oauth.GrantType(call.Form.Get("grant_type"))
	if name == "" {
		return "", grant{}, oauth.InvalidRequest("The parameter grant_type is missing.")
	}
	chosen, ok := grants[name]
	if !ok {
		return "", grant{}, oauth.UnsupportedGrantType("This server does not know the grant type; the metadata document names those that it knows.")
	}
	return name, chosen, nil
}

// admit holds the request to the client's rules, finds the resources that it
// names (RFC 8707 §2), and gives the scopes that suit the grant and them. At an
// exchange scopes and resources are judged by what was granted, later.
func admit(ctx context.Context, p *protocol.Parts, call *protocol.Call, name oauth.GrantType, exchange bool) (what admitted, err error) {
	request := &rule.Request{Peer: call.Address, GrantType: name, Granted: exchange}
	if request.Scopes, err = oauth.ParseScope(call.Form.Get("scope")); err != nil {
		return what, err
	}
	what.asked = len(request.Scopes) > 0
	if err := call.Client.CheckToken(call.Application, request); err != nil {
		return what, err
	}
	if exchange {
		what.scopes = request.Scopes
		return what, nil
	}
	if what.target, err = p.Resources.Target(ctx, call.Application.ID, call.Form.All("resource")); err != nil {
		return what, err
	}
	if what.scopes, err = p.Scopes.Admit(ctx, call.Application.ID, name, request.Scopes, what.asked); err != nil {
		return what, err
	}
	what.scopes, err = what.target.Admit(what.scopes, what.asked)
	return what, err
}

// presented is a code or a refresh token as the request brings it.
func presented(p *protocol.Parts, call *protocol.Call, name string) (*token.Presented, error) {
	text := call.Form.Get(name)
	if text == "" {
		return nil, oauth.InvalidRequest("The parameter " + name + " is missing.")
	}
	return &token.Presented{
		Application: call.Application, Client: call.Client, Issuer: p.Issuer(call.Application.ID),
		Text: text, Resources: call.Form.All("resource"), Source: call.Source(),
	}, nil
}

// document is the answer of RFC 6749 §5.1 and OpenID Connect Core 1.0 §3.1.3.3.
// Without expires_in a token never expires; an empty scope is left out.
func document(m *token.Minted) []byte {
	size := 160 + len(m.Text) + len(m.Refresh) + len(m.IDToken)
	for _, s := range m.Scopes {
		size += len(s) + 1
	}
	o := oauth.NewObject(size).String("access_token", m.Text).String("token_type", "Bearer")
	if m.Lifetime > 0 {
		o = o.Int("expires_in", int64(m.Lifetime.Seconds()))
	}
	if m.Refresh != "" {
		o = o.String("refresh_token", m.Refresh)
	}
	if m.IDToken != "" {
		o = o.String("id_token", m.IDToken)
	}
	return o.Words("scope", m.Scopes).Close()
}
