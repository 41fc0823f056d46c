package authorize

import (
	"slices"

	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/user"
)

// admit holds the request to the client's rules, as the token endpoint does
// (RFC 6749 §3.3), and finds the resources that it names (RFC 8707 §2.1).
func (f *flow) admit() (err error) {
	grant := f.response.Grant()
	request := &rule.Request{GrantType: grant}
	if request.Scopes, err = oauth.ParseScope(f.form.Get("scope")); err != nil {
		return err
	}
	f.asked = len(request.Scopes) > 0
	if err := f.client.CheckAuthorization(f.app, request); err != nil {
		return err
	}
	if f.resources, err = f.Resources.Target(f.ctx, f.app.ID, f.form.All("resource")); err != nil {
		return err
	}
	if f.scopes, err = f.Scopes.Admit(f.ctx, f.app.ID, grant, request.Scopes, f.asked); err != nil {
		return err
	}
	if f.scopes, err = f.resources.Admit(f.scopes, f.asked); err != nil {
		return err
	}
	if f.response.IDToken() && !slices.Contains(f.scopes, oauth.ScopeOpenID) {
		return oauth.InvalidScope("An ID token is asked for without the scope openid; add it.")
	}
	if f.response != oauth.ResponseCode {
		// OpenID Connect Core 1.0 §11: without a code there is nothing to be offline with.
		f.scopes = slices.DeleteFunc(slices.Clone(f.scopes), func(s string) bool { return s == "offline_access" })
	}
	f.narrowClaims()
	return nil
}

// narrowClaims leaves of the parameter `claims` what the client may be told: a
// claim that one of its allowed scopes stands for. Without the scope openid there
// is nothing that would hold any (OpenID Connect Core 1.0 §5.5).
func (f *flow) narrowClaims() {
	allowed := f.client.Settings.Scopes.Allowed
	connect := slices.Contains(f.scopes, oauth.ScopeOpenID)
	f.wishes.claims = f.wishes.claims.Only(func(claim string) bool {
		scope := user.ScopeOf(claim)
		return connect && (scope == "" || slices.Contains(allowed, scope))
	})
}

// told gives the scopes that the user has to agree to: what a token would carry,
// and what stands for the claims that are asked for one by one.
func (f *flow) told() []string {
	claims := f.wishes.claims
	if claims == nil {
		return f.scopes
	}
	told := slices.Clone(f.scopes)
	for _, list := range []map[string]oauth.ClaimRequest{claims.UserInfo, claims.IDToken} {
		for claim := range list {
			if scope := user.ScopeOf(claim); scope != "" && !slices.Contains(told, scope) {
				told = append(told, scope)
			}
		}
	}
	slices.Sort(told[len(f.scopes):])
	return told
}

// checkRoles leaves out the scopes for which the user lacks a role.
func (f *flow) checkRoles() (err error) {
	f.scopes, err = f.Scopes.ForUser(f.ctx, f.app.ID, f.scopes, f.user.Roles)
	return err
}
