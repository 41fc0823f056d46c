// Package refresh is the setting of a client's refresh tokens: how long each
// lives, how long and how often the family may be refreshed, and whether each
// refresh gives a new one.
package refresh

import (
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// DefaultSeconds is how long a refresh token lives from its issue: 30 days.
const DefaultSeconds = 30 * 24 * 60 * 60

// MaxLimit is the largest number of refreshes, the size of a generation.
const MaxLimit = 1<<31 - 1

// Setting as stored.
type Setting struct {
	Seconds       int64  `json:"seconds,omitempty"`        // ≥ 1, of each token from its issue; 0: DefaultSeconds
	FamilySeconds int64  `json:"family_seconds,omitempty"` // ≥ 1, of the family from its beginning; 0: unlimited
	Limit         *int64 `json:"limit,omitempty"`          // refreshes; 0: no refresh token is issued; nil: unlimited
	Kept          bool   `json:"kept,omitempty"`           // refresh_rotation: false: the token stays the same
}

// Lifetime gives how long a refresh token lives from its issue.
func (s Setting) Lifetime() time.Duration {
	if s.Seconds == 0 {
		return DefaultSeconds * time.Second
	}
	return time.Duration(s.Seconds) * time.Second
}

// Subject is what the setting's validation knows of the client.
type Subject struct {
	Public  bool
	Granted bool // it has the grant refresh_token
}

// Validate gives what is wrong with the setting.
func (s Setting) Validate(subject Subject) (problems fault.Problems) {
	switch {
	case s.Seconds < 0 || s.Seconds > lifetime.MaxSeconds:
		problems.Add("refresh_token_lifetime", "Write a whole number of seconds from 1 to %d.", int64(lifetime.MaxSeconds))
	case s.Seconds != 0 && !subject.Granted:
		problems.Add("refresh_token_lifetime", "This is for clients with the grant type refresh_token; add it to grant_types, or leave this out.")
	}
	if s.FamilySeconds < 0 || s.FamilySeconds > lifetime.MaxSeconds {
		problems.Add("refresh_family_lifetime", `Write a whole number of seconds from 1 to %d, or "unlimited".`, int64(lifetime.MaxSeconds))
	}
	if s.Limit != nil && (*s.Limit < 0 || *s.Limit > MaxLimit) {
		problems.Add("refresh_limit", `Write a whole number from 0 to %d, or "unlimited".`, int64(MaxLimit))
	}
	if s.Kept && subject.Public {
		problems.Add("refresh_rotation", "A public client's refresh token is replaced at each use (RFC 9700 §2.2.2).")
	}
	return problems
}
