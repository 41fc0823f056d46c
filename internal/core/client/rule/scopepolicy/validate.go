package scopepolicy

import (
	"fmt"
	"slices"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// MaxAllowed is how many scopes a client may be allowed.
const MaxAllowed = 1000

// Validate gives what is wrong with the allowed scopes; kinds has the kind of
// each that exists, grants are those of the client. A scope for anybody suits a
// client without a grant too.
func (s Setting) Validate(kinds map[string]scope.Kind, grants []oauth.GrantType) (problems fault.Problems) {
	if len(s.Allowed) > MaxAllowed {
		problems.Add("scopes", "A client is allowed at most %d scopes.", MaxAllowed)
		return problems
	}
	for i, name := range s.Allowed {
		field := fmt.Sprintf("scopes[%d]", i)
		kind, ok := kinds[name]
		switch {
		case !ok:
			problems.Add(field, "There is no such scope in this application; make it first.")
		case kind == scope.Any || kind == "" || slices.ContainsFunc(grants, kind.Suits):
		case kind == scope.System:
			problems.Add(field, "This scope is for clients with the grant type client_credentials.")
		default:
			problems.Add(field, "This scope is for clients with a grant type of users, such as authorization_code.")
		}
	}
	return problems
}
