// Package lifetime is the setting of how long a client's access tokens live and
// in which format they are.
package lifetime

import "time"

// Default lifetime of an access token.
const Default = time.Hour

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

// AccessTokenFormat gives the format in force.
func (s Setting) AccessTokenFormat() Format {
	if s.Never || s.Format == Opaque {
		return Opaque
	}
	return JWT
}
