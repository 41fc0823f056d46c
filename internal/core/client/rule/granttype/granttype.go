// Package granttype is the rule of which grants a client may use. Where none
// were chosen they follow from its kind and features at each request, so that a
// feature added or removed acts at once.
package granttype

import (
	"slices"

	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Setting is the list of grant types chosen; nil: derived.
type Setting []oauth.GrantType

// byKind holds the default of each kind; that of `other` follows from features.
var byKind = map[string][]oauth.GrantType{
	"web":     {oauth.AuthorizationCode},
	"spa":     {oauth.AuthorizationCode},
	"native":  {oauth.AuthorizationCode},
	"service": {oauth.ClientCredentials},
}

var (
	userGrants    = []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken}
	machineGrants = []oauth.GrantType{oauth.ClientCredentials}
)

// InForce gives the grant types that the client may use now.
func (s Setting) InForce(subject *rule.Subject) []oauth.GrantType {
	switch {
	case s != nil:
		return s
	case subject.Kind != "other":
		return byKind[subject.Kind]
	case slices.Contains(subject.Features, "login_client"):
		return userGrants
	case len(subject.Features) > 0 && !subject.Public:
		return machineGrants
	default:
		return nil
	}
}

// profiled are the grants that only the security profile oauth2 admits.
var profiled = []oauth.GrantType{oauth.Password, oauth.Implicit}

// Check refuses a grant that the profile does not admit, and one that is not
// the client's.
func (s Setting) Check(subject *rule.Subject, request *rule.Request) error {
	if !subject.OAuth2 && slices.Contains(profiled, request.GrantType) {
		return oauth.UnsupportedGrantType("The application's security profile does not admit this grant type.")
	}
	if slices.Contains(s.InForce(subject), request.GrantType) {
		return nil
	}
	return oauth.UnauthorizedClient("This client is not registered for this grant type; ask the operator to add it.")
}
