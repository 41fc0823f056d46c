package application

import (
	"strings"
	"time"
)

// SecurityProfile decides which grants an application admits at all.
type SecurityProfile string

// The security profiles.
const (
	OAuth21 SecurityProfile = "oauth2.1" // the default: no password, no implicit
	OAuth2  SecurityProfile = "oauth2"
)

// ScopePolicy decides whether a client may be let off naming its scopes.
type ScopePolicy string

// The scope policies.
const (
	Enforced ScopePolicy = "enforced" // the default
	Optional ScopePolicy = "optional"
)

// SecretPolicy decides whether a client secret can be seen again.
type SecretPolicy string

// The secret policies.
const (
	Once       SecretPolicy = "once" // the default
	Revealable SecretPolicy = "revealable"
)

// Settings of an application, one JSON column. The zero value of each field is
// the default, and the strictest choice; use the accessors below rather than
// comparing with "".
type Settings struct {
	SecurityProfile    SecurityProfile `json:"security_profile,omitempty"`
	ScopePolicy        ScopePolicy     `json:"scope_policy,omitempty"`
	SecretPolicy       SecretPolicy    `json:"secret_policy,omitempty"`
	RefreshRetryWindow *int64          `json:"refresh_retry_window,omitempty"` // seconds, 0..3600
	CodeLifetime       int64           `json:"code_lifetime,omitempty"`        // seconds, 1..600; 0: 60
	SessionLifetime    int64           `json:"session_lifetime,omitempty"`     // seconds, ≥ 1; 0: 12 hours
	Registration       bool            `json:"registration,omitempty"`
	CaptureAPI         bool            `json:"capture_api,omitempty"`
	LegacyPaths        bool            `json:"legacy_paths,omitempty"`
	LegacyTokenQuery   bool            `json:"legacy_token_query,omitempty"`
	ClaimsInIDToken    bool            `json:"claims_in_id_token,omitempty"`
	VendorName         string          `json:"vendor_name,omitempty"`
	SigningAlgorithm   string          `json:"signing_algorithm,omitempty"` // ES256, RS256 or EdDSA; "": ES256
	Branding           Branding        `json:"branding,omitzero"`
	ConfigSettings     string          `json:"config_settings,omitempty"` // the Configuration API's settings document: JSON, without vendor_name
	RedirectURIs       string          `json:"redirect_uris,omitempty"`   // those of the document that can be one, with a space between each
}

// Branding is how pages for users present the application; "" is the default.
type Branding struct {
	Name   string `json:"name,omitempty"`
	Logo   string `json:"logo,omitempty"`   // an https URL
	Colour string `json:"colour,omitempty"` // #rrggbb
}

// Profile gives the security profile.
func (s *Settings) Profile() SecurityProfile {
	if s.SecurityProfile == "" {
		return OAuth21
	}
	return s.SecurityProfile
}

// Revealable reports whether secrets are also sealed, to be seen again.
func (s *Settings) Revealable() bool { return s.SecretPolicy == Revealable }

// Redirects gives the redirect URIs of login_clients without their own.
func (s *Settings) Redirects() []string { return strings.Fields(s.RedirectURIs) }

// Vendor gives the name that the Configuration API's texts bear.
func (s *Settings) Vendor() string {
	if s.VendorName == "" {
		return "Akamai"
	}
	return s.VendorName
}

// RetryWindow is how long a refresh forgives a lost answer.
func (s *Settings) RetryWindow() time.Duration {
	if s.RefreshRetryWindow == nil {
		return 10 * time.Second
	}
	return time.Duration(*s.RefreshRetryWindow) * time.Second
}

// Session is how long a user's session lives after he last proved who he is.
func (s *Settings) Session() time.Duration {
	if s.SessionLifetime == 0 {
		return defaultSessionLifetime * time.Second
	}
	return time.Duration(s.SessionLifetime) * time.Second
}

// CodeLife is how long an authorization code can be redeemed.
func (s *Settings) CodeLife() time.Duration {
	if s.CodeLifetime == 0 {
		return defaultCodeLifetime * time.Second
	}
	return time.Duration(s.CodeLifetime) * time.Second
}

// Defaults of settings in seconds.
const (
	defaultCodeLifetime    = 60
	defaultSessionLifetime = 12 * 60 * 60
)

// Algorithm gives the JWS algorithm that access tokens are signed with.
func (s *Settings) Algorithm() string {
	if s.SigningAlgorithm == "" {
		return "ES256"
	}
	return s.SigningAlgorithm
}
