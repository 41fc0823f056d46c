package oauth

// Paths of the endpoints below an issuer.
const (
	TokenPath      = "/oauth2/token" //nolint:gosec // a path, no credential (G101)
	IntrospectPath = "/oauth2/introspect"
	RevokePath     = "/oauth2/revoke"
	JWKSPath       = "/oauth2/jwks"
)
