package oauth

// Paths of the endpoints below an issuer.
const (
	AuthorizePath  = "/oauth2/authorize"
	TokenPath      = "/oauth2/token" //nolint:gosec // a path, no credential (G101)
	IntrospectPath = "/oauth2/introspect"
	RevokePath     = "/oauth2/revoke"
	UserInfoPath   = "/oauth2/userinfo"
	LogoutPath     = "/oauth2/logout"
	JWKSPath       = "/oauth2/jwks"
	CheckPath      = "/oauth2/check"
	DiscoveryPath  = "/.well-known/openid-configuration"
)

// Paths of the pages for users that the authorization endpoint sends to.
const (
	SignInPath  = "/signin"
	ConsentPath = "/consent"
	// LinkPath takes the token of a link that was sent to a user, or made for one
	// by an administrator, as the parameter token.
	LinkPath = "/signin/link"
)
