package granttype

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// offered are the grants that a client of each kind may be given.
var offered = map[string][]oauth.GrantType{
	"web":     {oauth.AuthorizationCode, oauth.RefreshToken, oauth.Password},
	"spa":     {oauth.AuthorizationCode, oauth.RefreshToken, oauth.Implicit},
	"native":  {oauth.AuthorizationCode, oauth.RefreshToken},
	"service": {oauth.ClientCredentials},
	"other":   {oauth.AuthorizationCode, oauth.RefreshToken, oauth.ClientCredentials, oauth.Password, oauth.Implicit},
}

// always is the grant that a kind is nothing without.
var always = map[string]oauth.GrantType{
	"native":  oauth.AuthorizationCode,
	"service": oauth.ClientCredentials,
}

// Grants of which a client of the wrong type would be a danger: who has no
// secret proves nothing by client credentials (RFC 6749 §4.4) and must not
// collect passwords; who has one has no need of the implicit grant.
var (
	confidentialOnly = []oauth.GrantType{oauth.ClientCredentials, oauth.Password}
	publicOnly       = []oauth.GrantType{oauth.Implicit}
)

// Offered gives the grants that a client of a kind may be given, under the
// profile oauth2 or else oauth2.1.
func Offered(kind string, oauth2 bool) []oauth.GrantType {
	return slices.DeleteFunc(slices.Clone(offered[kind]), func(g oauth.GrantType) bool {
		return !oauth2 && slices.Contains(profiled, g)
	})
}

// Always gives the grant that clients of a kind have whatever is chosen; "":
// none.
func Always(kind string) oauth.GrantType { return always[kind] }

// ForType reports whether clients of a type, public or confidential, may have
// the grant.
func ForType(grant oauth.GrantType, public bool) bool {
	if public {
		return !slices.Contains(confidentialOnly, grant)
	}
	return !slices.Contains(publicOnly, grant)
}

// Validate gives what is wrong with a choice of grants; nil, derived, is never
// wrong.
func (s Setting) Validate(subject *rule.Subject) (problems fault.Problems) {
	for i, grant := range s {
		if text := refusal(grant, subject); text != "" {
			problems.Add(fmt.Sprintf("grant_types[%d]", i), "%s", text)
		}
	}
	if needed, ok := always[subject.Kind]; ok && s != nil && !slices.Contains(s, needed) {
		problems.Add("grant_types", "A client of kind %s always has %s; add it.", subject.Kind, needed)
	}
	return problems
}

func refusal(grant oauth.GrantType, subject *rule.Subject) string {
	switch {
	case !slices.Contains(offered["other"], grant):
		return "There is no such grant type; a client of kind " + subject.Kind + " may have " + join(Offered(subject.Kind, subject.OAuth2)) + "."
	case !slices.Contains(offered[subject.Kind], grant):
		return "This is not for clients of kind " + subject.Kind + ", which may have " + join(Offered(subject.Kind, subject.OAuth2)) + "."
	case !subject.OAuth2 && slices.Contains(profiled, grant):
		return "The application's security profile does not admit this grant type; the setting security_profile oauth2 does."
	case !ForType(grant, subject.Public):
		return map[bool]string{true: "This is for confidential clients only.", false: "This is for public clients only."}[subject.Public]
	default:
		return ""
	}
}

func join(grants []oauth.GrantType) string {
	names := make([]string, len(grants))
	for i, g := range grants {
		names[i] = string(g)
	}
	return strings.Join(names, ", ")
}
