// Package userinfo is the userinfo endpoint (OpenID Connect Core 1.0 §5.3): who
// has an access token with the scope openid is told of its user. What there is to
// tell is package user's.
package userinfo

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

// Routes of the userinfo endpoint.
func Routes(p *protocol.Parts) []web.Route {
	e := endpoint{p}
	const path = "/{app}" + protocol.UserInfoPath
	return []web.Route{
		{Method: http.MethodGet, Path: path, Handle: e.serve},
		{Method: http.MethodPost, Path: path, Handle: e.serve},
		p.Preflight(path, http.MethodGet, http.MethodPost),
	}
}

type endpoint struct{ *protocol.Parts }

// serve answers, to pages of the client's origins too, and counts what is
// refused.
func (e endpoint) serve(w http.ResponseWriter, r *http.Request) error {
	b, err := e.bearer(w, r)
	var body []byte
	if err == nil {
		body, err = e.tell(&b)
	}
	e.AllowOrigin(w, r, b.Token.Client)
	if err == nil {
		protocol.WriteJSON(w, http.StatusOK, body)
		return nil
	}
	e.Count(b.Application, b.Token.Client, usage.UserInfo, err)
	return err
}

// bearer takes the access token from the Authorization header, or with POST from
// the form (RFC 6750 §2.1, §2.2), never both, and never from the query, which is
// written down by many.
func (e endpoint) bearer(w http.ResponseWriter, r *http.Request) (b protocol.Bearer, err error) {
	if r.Method != http.MethodPost || !protocol.HasForm(r) {
		return e.Bearer(r)
	}
	form, err := protocol.ReadForm(w, r, "")
	if err != nil {
		return b, err
	}
	posted := form.Get("access_token")
	switch {
	case posted == "":
		return e.Bearer(r)
	case r.Header["Authorization"] != nil:
		return b, oauth.InvalidRequest("The access token is sent in two ways at once; send it in the Authorization header alone.")
	default:
		return e.Present(r, posted)
	}
}

// tell gives the claims that a token is good for, as a JSON object.
func (e endpoint) tell(b *protocol.Bearer) ([]byte, error) {
	t := &b.Token
	if len(t.Audience) > 0 && !slices.Contains(t.Audience, e.Issuer(b.Application.ID)) {
		// RFC 9068 §4: the resource would else learn of the user what the client may.
		return nil, oauth.InvalidToken("The access token is for another resource; ask for one without the parameter resource.")
	}
	if t.User == nil || !slices.Contains(t.Scopes, oauth.ScopeOpenID) {
		return nil, oauth.InsufficientScope("The access token has not the scope openid; ask for it when the user signs in.")
	}
	var requested map[string]oauth.ClaimRequest
	if claims := t.Family.Details.Claims; claims != nil {
		requested = claims.UserInfo
	}
	body, err := json.Marshal(t.User.Claims(t.Scopes, requested))
	if err != nil {
		return nil, err
	}
	return body, e.Lease()
}
