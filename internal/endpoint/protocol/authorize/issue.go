package authorize

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/usage"
)

// issue makes what is answered. The session first remembers the client: who was
// given something hears of the session's end.
func (f *flow) issue() error {
	err := f.Sessions.Join(f.ctx, f.session, f.client.ID)
	if fault.KindOf(err) == fault.NotFound { // it ended a moment ago
		return f.needs(authorization.SignIn)
	}
	if err != nil {
		return err
	}
	a := &token.Authorization{
		Application: f.app, Client: f.client, Issuer: f.target.issuer, User: f.user,
		SID: f.session.SID, AuthTime: f.session.AuthTime, AMR: f.session.AMR, ACR: f.acr,
		Scopes: f.scopes, Audience: f.resources.Audience(), Format: f.resources.Format(),
		RedirectURI: f.form.Get("redirect_uri"), CodeChallenge: f.challenge, Nonce: f.wishes.nonce, Claims: f.wishes.claims,
		Address: f.source.Address,
	}
	if f.response == oauth.ResponseCode {
		code, err := f.Tokens.Code(f.ctx, a)
		f.values = url.Values{"code": {code}}
		return err
	}
	minted, err := f.Tokens.Implicit(f.ctx, a, f.response.AccessToken(), f.response.IDToken())
	if err != nil {
		return err
	}
	f.values = values(minted)
	return nil
}

// values are the tokens as parameters (RFC 6749 §4.2.2, OpenID Connect Core 1.0
// §3.2.2.5).
func values(m *token.Minted) url.Values {
	v := url.Values{}
	if m.IDToken != "" {
		v.Set("id_token", m.IDToken)
	}
	if m.Text == "" {
		return v
	}
	v.Set("access_token", m.Text)
	v.Set("token_type", "Bearer")
	if m.Lifetime > 0 {
		v.Set("expires_in", strconv.FormatInt(int64(m.Lifetime/time.Second), 10))
	}
	if len(m.Scopes) > 0 {
		v.Set("scope", strings.Join(m.Scopes, " "))
	}
	return v
}

// count counts what became of a request that is answered; one whose user is on a
// page has not come to its end.
func (f *flow) count(err error) {
	kind := usage.Authorization
	if f.response.AccessToken() {
		kind = usage.Implicit
	}
	f.Count(f.app, f.client, kind, err)
}
