// Package revoke is the revocation endpoint (RFC 7009). Which token a caller
// may take back, and what dies with it, is package token's.
package revoke

import (
	"net/http"

	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

// Routes of the revocation endpoint.
func Routes(p *protocol.Parts) []web.Route {
	const path = "/{app}" + protocol.RevokePath
	return []web.Route{
		{Method: http.MethodPost, Path: path, Handle: p.OpenEndpoint(usage.Revocation, answer)},
		p.Preflight(path, http.MethodPost),
	}
}

// nothing is said, in JSON: RFC 7009 §2.2 leaves the body open, and there are
// client libraries that take an answer without one for a failure.
var nothing = []byte("{}")

// answer is 200 whether there was a token to revoke or not (RFC 7009 §2.2), and
// whosever it was: nothing is learnt by trying. `token_type_hint` is borne.
func answer(p *protocol.Parts, w http.ResponseWriter, r *http.Request, call *protocol.Call) error {
	text := call.Form.Get("token")
	if text == "" {
		return oauth.InvalidRequest("The parameter token is missing.")
	}
	if _, err := p.Tokens.Revoke(r.Context(), call.Application, call.Client, text, call.Source()); err != nil {
		return err
	}
	if err := p.Lease(); err != nil {
		return err
	}
	protocol.WriteJSON(w, http.StatusOK, nothing)
	return nil
}
