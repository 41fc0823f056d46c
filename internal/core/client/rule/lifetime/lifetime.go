// Package lifetime is the setting of how long a client's access tokens live and
// in which format they are.
package lifetime

import (
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Default lifetime of an access token.
const Default = time.Hour

// MaxSeconds is the longest lifetime that is written as a number: 100 years. It
// keeps times within what databases and time.Duration hold.
const MaxSeconds = 100 * 365 * 24 * 60 * 60

// Format of an access token.
type Format string

// The formats. JWT is the default, save under Never.
const (
	JWT    Format = "jwt"    // RFC 9068
	Opaque Format = "opaque" // a reference, known to this server alone
)

// Setting as stored.
type Setting struct {
	Seconds int64  `json:"seconds,omitempty"` // ≥ 1; 0: Default
	Never   bool   `json:"never,omitempty"`   // the token never expires, and is opaque so that it can be taken back
	Format  Format `json:"format,omitempty"`  // "": the default
}

// Lifetime gives how long an access token lives, and whether it ends at all.
func (s Setting) Lifetime() (d time.Duration, never bool) {
	switch {
	case s.Never:
		return 0, true
	case s.Seconds == 0:
		return Default, false
	default:
		return time.Duration(s.Seconds) * time.Second, false
	}
}

// Validate gives what is wrong with the setting.
func (s Setting) Validate() (problems fault.Problems) {
	if s.Seconds < 0 || s.Seconds > MaxSeconds {
		problems.Add("access_token_lifetime", `Write a whole number of seconds from 1 to %d, or "never".`, int64(MaxSeconds))
	}
	switch {
	case s.Format != "" && s.Format != JWT && s.Format != Opaque:
		problems.Add("access_token_format", "Choose jwt or opaque.")
	case s.Never && s.Format == JWT:
		problems.Add("access_token_format", "A token that never expires is opaque, so that it can be taken back; choose opaque, or leave this out.")
	}
	return problems
}

// AccessTokenFormat gives the format in force.
func (s Setting) AccessTokenFormat() Format {
	if s.Never || s.Format == Opaque {
		return Opaque
	}
	return JWT
}
