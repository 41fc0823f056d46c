// Package introspect is the introspection endpoint (RFC 7662): it tells a
// client that may know whether a token is alive, and what it is good for. What
// alive means is package token's.
package introspect

import (
	"context"
	"net/http"
	"net/netip"
	"slices"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

// Routes of the introspection endpoint.
func Routes(p *protocol.Parts) []web.Route {
	return []web.Route{{
		Method: http.MethodPost,
		Path:   "/{app}" + protocol.IntrospectPath,
		Handle: p.Endpoint(usage.Introspection, answer),
	}}
}

var inactive = oauth.NewObject(16).Bool("active", false).Close()

func answer(p *protocol.Parts, w http.ResponseWriter, r *http.Request, call *protocol.Call) error {
	text, presenter, err := parameters(call.Form)
	if err != nil {
		return err
	}
	t, ok, err := p.Tokens.Inspect(r.Context(), call.Application, text)
	if ok && err == nil {
		ok, err = mayKnow(r.Context(), p, call, &t)
	}
	if err == nil {
		err = p.Lease()
	}
	switch {
	case err != nil:
		return err // not known: neither true nor false
	case !ok, presenter.IsValid() && !t.Client.AllowsAddress(presenter):
		protocol.WriteJSON(w, http.StatusOK, inactive)
	default:
		protocol.WriteJSON(w, http.StatusOK, document(&t, p.Issuer(call.Application.ID)))
	}
	return nil
}

// parameters gives the token, and the address that it was presented from where
// the caller says so. `token_type_hint` is borne: a text says what it is.
func parameters(form *protocol.Form) (text string, presenter netip.Addr, err error) {
	if text = form.Get("token"); text == "" {
		return "", presenter, oauth.InvalidRequest("The parameter token is missing.")
	}
	// Empty is not absent here: whoever means to have an address checked and has
	// lost it must not be told that all is well.
	if form.Has("client_address") {
		presenter, err = netip.ParseAddr(form.Get("client_address"))
		if err != nil || presenter.Zone() != "" {
			return "", presenter, oauth.InvalidRequest("The parameter client_address is not an IPv4 or IPv6 address.")
		}
	}
	return text, presenter, nil
}

// mayKnow tells whether the caller may look at a token: a confidential client
// that may do anything at all, and is the token's own, an owner, allowed the
// scope for it, or one that introspects for a resource that the token is for. A
// refresh token is for this server alone.
func mayKnow(ctx context.Context, p *protocol.Parts, call *protocol.Call, t *token.Token) (bool, error) {
	c := call.Client
	if c.Public || c.Idle(call.Application) {
		return false, nil
	}
	if c.ID == t.Client.ID || c.Settings.Features.Has(client.Owner) || slices.Contains(c.Settings.Scopes.Allowed, scope.Introspect) {
		return true, nil
	}
	return p.Resources.MayIntrospect(ctx, call.Application.ID, t.Audience, c.Sequence)
}

// document is the answer of RFC 7662 §2.2. A token that never expires has no
// `exp`, one without scopes no `scope`, and one of which it is not known when it
// was made no `iat`. The user's address is for those who have the scope for it. A
// refresh token is told by its type, so that nobody takes it for an access token.
func document(t *token.Token, issuer string) []byte {
	f := t.Family
	audience := t.Audience
	if len(audience) == 0 {
		audience = []string{issuer}
	}
	size := 400 + len(issuer) + 2*len(f.ClientID)
	for _, list := range [][]string{audience, t.Scopes, f.Details.AMR} {
		for _, word := range list {
			size += len(word) + 3
		}
	}
	kind := "Bearer"
	if t.Refresh {
		kind = "refresh_token"
	}
	o := oauth.NewObject(size).
		Bool("active", true).
		Words("scope", t.Scopes).
		String("client_id", f.ClientID)
	if t.User != nil && t.User.Email != "" && slices.Contains(t.Scopes, "email") {
		o = o.String("username", t.User.Email)
	}
	o = o.String("token_type", kind)
	if !t.ExpiresAt.IsZero() {
		o = o.Int("exp", t.ExpiresAt.Unix())
	}
	if !t.IssuedAt.IsZero() {
		o = o.Int("iat", t.IssuedAt.Unix())
	}
	o = o.String("sub", f.Subject()).
		Strings("aud", audience).
		String("iss", issuer)
	if t.ID != "" {
		o = o.String("jti", t.ID)
	}
	return f.Details.Authentication(o).Close()
}
