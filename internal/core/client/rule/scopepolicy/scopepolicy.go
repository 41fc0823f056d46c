// Package scopepolicy is the rule of which scopes a client gets: only allowed
// ones, and, unless the operator said otherwise, only those it asks for.
package scopepolicy

import (
	"slices"

	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Setting as stored.
type Setting struct {
	Allowed       []string `json:"allowed,omitempty"`
	AllowUnscoped bool     `json:"allow_unscoped,omitempty"` // require_requested_scopes: false
}

// Check refuses scopes beyond the allowed ones, and a request that names none
// where some are allowed; with AllowUnscoped such a request gets them all. A
// client that is allowed no scopes gets an empty scope. Where scopes were granted
// before, the exchange leaves out what is not allowed any more.
func (s Setting) Check(_ *rule.Subject, request *rule.Request) error {
	if request.Granted {
		return nil
	}
	if len(request.Scopes) == 0 {
		if len(s.Allowed) == 0 {
			return nil
		}
		if !s.AllowUnscoped {
			return oauth.InvalidScope("This client must name the scopes it asks for; add the parameter scope.")
		}
		request.Scopes = slices.Clone(s.Allowed)
		return nil
	}
	for _, name := range request.Scopes {
		if !slices.Contains(s.Allowed, name) {
			return oauth.InvalidScope("A scope that was asked for is not allowed to this client; ask for fewer, or have the operator allow it.")
		}
	}
	return nil
}
