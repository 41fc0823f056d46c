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

// admitted is what a request is given, once nothing refused it.
type admitted struct {
	scopes []string
	target resource.Target
}

// issue makes what a grant gives.
type issue func(ctx context.Context, p *protocol.Parts, call *protocol.Call, what admitted) (*token.Minted, error)

// grants that work here. The metadata document announces these and no others.
var grants = map[oauth.GrantType]issue{
	oauth.ClientCredentials: clientCredentials,
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
	grant, issue, err := choose(call) // 3 the grant: known here at all
	if err != nil {
		return err
	}
	what, err := admit(r.Context(), p, call, grant) // 4 the client's rules; then what is asked for
	if err != nil {
		return err
	}
	minted, err := issue(r.Context(), p, call, what) // 5 the grant's own file
	if err != nil {
		return err
	}
	protocol.WriteToken(w, document(minted)) // 6 the answer
	return nil
}

// choose finds the grant that is asked for. A client that may do nothing is not
// told which ones there are.
func choose(call *protocol.Call) (oauth.GrantType, issue, error) {
	if call.Client.Idle(call.Application) {
		return "", nil, oauth.UnauthorizedClient("This client has no feature and no grant type; ask the operator to give it one.")
	}
	name := oauth.GrantType(call.Form.Get("grant_type"))
	if name == "" {
		return "", nil, oauth.InvalidRequest("The parameter grant_type is missing.")
	}
	issue, ok := grants[name]
	if !ok {
		return "", nil, oauth.UnsupportedGrantType("This server does not know the grant type; the metadata document names those that it knows.")
	}
	return name, issue, nil
}

// admit holds the request to the client's rules, finds the resources that it
// names (RFC 8707 §2), and gives the scopes that suit the grant and them.
func admit(ctx context.Context, p *protocol.Parts, call *protocol.Call, grant oauth.GrantType) (what admitted, err error) {
	request := &rule.Request{Peer: call.Address, GrantType: grant}
	if request.Scopes, err = oauth.ParseScope(call.Form.Get("scope")); err != nil {
		return what, err
	}
	asked := len(request.Scopes) > 0
	if err := call.Client.CheckToken(call.Application, request); err != nil {
		return what, err
	}
	if what.target, err = p.Resources.Target(ctx, call.Application.ID, call.Form.All("resource")); err != nil {
		return what, err
	}
	if what.scopes, err = p.Scopes.Admit(ctx, call.Application.ID, grant, request.Scopes, asked); err != nil {
		return what, err
	}
	what.scopes, err = what.target.Admit(what.scopes, asked)
	return what, err
}

// document is the answer of RFC 6749 §5.1. Without expires_in a token never
// expires; an empty scope is left out.
func document(m *token.Minted) []byte {
	size := 128 + len(m.Text)
	for _, s := range m.Scopes {
		size += len(s) + 1
	}
	o := oauth.NewObject(size).String("access_token", m.Text).String("token_type", "Bearer")
	if m.Lifetime > 0 {
		o = o.Int("expires_in", int64(m.Lifetime.Seconds()))
	}
	return o.Words("scope", m.Scopes).Close()
}
