package oauth

// GrantType is a value of the parameter `grant_type`, or `implicit`, which is a
// grant without a token request (RFC 6749 §1.3).
type GrantType string

// The grant types that clients can be registered for.
const (
	AuthorizationCode GrantType = "authorization_code" // RFC 6749 §4.1
	Implicit          GrantType = "implicit"           // RFC 6749 §4.2
	Password          GrantType = "password"           // RFC 6749 §4.3
	ClientCredentials GrantType = "client_credentials" // RFC 6749 §4.4
	RefreshToken      GrantType = "refresh_token"      // RFC 6749 §6
)
