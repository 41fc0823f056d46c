package oauth

import (
	"slices"
	"strings"
)

// ScopeOpenID is the scope that makes a request one of OpenID Connect (Core 1.0
// §3.1.2.1).
const ScopeOpenID = "openid"

// MaxScopeLength bounds the parameter `scope`, in bytes.
const MaxScopeLength = 4096

// ParseScope splits the parameter `scope` into its tokens, each once, in the
// order given. RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ),
// separated by single spaces; more spaces are borne. An empty string gives none.
func ParseScope(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	if len(s) > MaxScopeLength {
		return nil, InvalidRequest("The parameter scope is too long; send at most 4096 characters.")
	}
	var scopes []string
	for name := range strings.SplitSeq(s, " ") {
		if name == "" || slices.Contains(scopes, name) {
			continue
		}
		if !ValidScopeName(name) {
			return nil, InvalidScope("The parameter scope has a character that RFC 6749 does not allow in a scope.")
		}
		scopes = append(scopes, name)
	}
	return scopes, nil
}

// ValidScopeName reports whether name is a scope-token of RFC 6749 §3.3.
func ValidScopeName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c < 0x21 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return name != ""
}
