package client

import (
	"github.com/ostiary/ostiary/internal/core/client/rule/ipallow"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
)

// Types of fields, in words that follow "Write".
const (
	aString       = "a string"
	aBoolean      = "true or false"
	aNumber       = "a whole number"
	anArray       = "an array of strings"
	anAddressList = "an array of strings, or one string with commas"
	aLifetime     = "a whole number of seconds, or \"never\""
	aLimit        = "a whole number, or \"unlimited\""
	aRateLimit    = "an object of per_second, burst and per_day, each a whole number of 1 or more, or left out"
)

// fields in the order in which they are answered.
var fields = []field{
	{
		Field: Field{
			Name:    "id",
			Type:    aString,
			Doc:     "The client's id, 1 to 128 characters of A-Z a-z 0-9 . _ ~ -, and neither import nor export. It may be given at creation, for migration.",
			Derived: "made, 32 characters",
			Fixed:   true,
		},
		into: func(f *Fields) any { return &f.ID },
	},
	{
		Field: Field{
			Name:     "name",
			Type:     aString,
			Doc:      "1 to 255 characters without control characters; unique, without regard to case, together with version.",
			Required: true,
			Fixed:    true,
		},
		into: func(f *Fields) any { return &f.Name },
	},
	{
		Field: Field{
			Name:    "version",
			Type:    aString,
			Doc:     "Up to 40 characters, compared exactly.",
			Default: `""`,
		},
		into:  func(f *Fields) any { return &f.Version },
		store: func(c *Client, f *Fields) { c.Version = *f.Version },
		reset: func(c *Client) { c.Version = "" },
	},
	{
		Field: Field{
			Name:    "description",
			Type:    aString,
			Doc:     "Up to 2,000 characters.",
			Default: `""`,
		},
		into:  func(f *Fields) any { return &f.Description },
		store: func(c *Client, f *Fields) { c.Settings.Description = *f.Description },
		reset: func(c *Client) { c.Settings.Description = "" },
	},
	{
		Field: Field{
			Name:     "kind",
			Type:     aString,
			Doc:      "What the client runs as; it decides the grant types that it may have.",
			Values:   []string{"web", "spa", "native", "service", "other"},
			Required: true,
			Fixed:    true,
		},
		into: func(f *Fields) any { return &f.Kind },
	},
	{
		Field: Field{
			Name:    "type",
			Type:    aString,
			Doc:     "Whether it can keep a secret: confidential or public. web and service are confidential, spa and native public, other is either.",
			Values:  []string{Confidential, PublicType},
			Derived: "by kind; other: confidential",
			Fixed:   true,
		},
		into: func(f *Fields) any { return &f.Type },
	},
	{
		Field: Field{
			Name:    "token_endpoint_auth_method",
			Type:    aString,
			Doc:     "How it authenticates; of the two with a secret either is taken, whichever is set. none for public clients alone.",
			Values:  []string{AuthBasic, AuthPost, AuthNone},
			Derived: "by type: client_secret_basic or none",
		},
		into:  func(f *Fields) any { return &f.TokenEndpointAuthMethod },
		store: func(c *Client, f *Fields) { c.storeAuthMethod(*f.TokenEndpointAuthMethod) },
		reset: func(c *Client) { c.Settings.AuthMethod = "" },
	},
	{
		Field: Field{
			Name:    "redirect_uris",
			Type:    anArray,
			Doc:     "Where browsers return to: up to 100 absolute URIs without a fragment, https save for loopback addresses; schemes of one's own for native clients only. Compared exactly, the port of an http loopback address excepted.",
			Default: "[]",
		},
		into:  func(f *Fields) any { return &f.RedirectURIs },
		store: func(c *Client, f *Fields) { c.Settings.Redirect.URIs = copied(*f.RedirectURIs) },
		reset: func(c *Client) { c.Settings.Redirect.URIs = nil },
	},
	{
		Field: Field{
			Name:    "post_logout_redirect_uris",
			Type:    anArray,
			Doc:     "Where browsers return to after a logout; up to 100, of the form of redirect_uris.",
			Default: "[]",
		},
		into:  func(f *Fields) any { return &f.PostLogoutRedirectURIs },
		store: func(c *Client, f *Fields) { c.Settings.Redirect.PostLogout = copied(*f.PostLogoutRedirectURIs) },
		reset: func(c *Client) { c.Settings.Redirect.PostLogout = nil },
	},
	{
		Field: Field{
			Name:    "allowed_origins",
			Type:    anArray,
			Doc:     "Origins, scheme://host[:port], that may call from a browser, beyond those of redirect_uris; up to 100.",
			Default: "[]",
		},
		into:  func(f *Fields) any { return &f.AllowedOrigins },
		store: func(c *Client, f *Fields) { c.Settings.Redirect.Origins = copied(*f.AllowedOrigins) },
		reset: func(c *Client) { c.Settings.Redirect.Origins = nil },
	},
	{
		Field: Field{
			Name:    "backchannel_logout_uri",
			Type:    aString,
			Doc:     "Where logout tokens are sent: an absolute URI without a fragment, https save for loopback addresses.",
			Default: "null",
		},
		into:  func(f *Fields) any { return &f.BackchannelLogoutURI },
		store: func(c *Client, f *Fields) { c.Settings.Redirect.Backchannel = *f.BackchannelLogoutURI },
		reset: func(c *Client) { c.Settings.Redirect.Backchannel = "" },
	},
	{
		Field: Field{
			Name:    "backchannel_logout_session_required",
			Type:    aBoolean,
			Doc:     "Whether logout tokens must name the session.",
			Default: "false",
		},
		into: func(f *Fields) any { return &f.BackchannelLogoutSessionRequired },
		store: func(c *Client, f *Fields) {
			c.Settings.Redirect.BackchannelSession = *f.BackchannelLogoutSessionRequired
		},
		reset: func(c *Client) { c.Settings.Redirect.BackchannelSession = false },
	},
	{
		Field: Field{
			Name:    "grant_types",
			Type:    anArray,
			Doc:     "The grants that it may use, of those of its kind; password and implicit under the security profile oauth2 only.",
			Derived: "by kind, of kind other by features, at each request",
		},
		into:  func(f *Fields) any { return &f.GrantTypes },
		store: func(c *Client, f *Fields) { c.Settings.GrantTypes = grants(*f.GrantTypes) },
		reset: func(c *Client) { c.Settings.GrantTypes = nil },
	},
	{
		Field: Field{
			Name:    "scopes",
			Type:    anArray,
			Doc:     "The scopes that it may be given, each existing: those of kind system with client_credentials, those of kind user or openid with the grants of users; up to 1,000.",
			Default: "[]",
		},
		into:  func(f *Fields) any { return &f.Scopes },
		store: func(c *Client, f *Fields) { c.Settings.Scopes.Allowed = copied(*f.Scopes) },
		reset: func(c *Client) { c.Settings.Scopes.Allowed = nil },
	},
	{
		Field: Field{
			Name:    "require_requested_scopes",
			Type:    aBoolean,
			Doc:     "Where scopes are allowed, whether a request that names none is refused; else it gets all. false under the scope policy optional only.",
			Default: "true",
		},
		into:  func(f *Fields) any { return &f.RequireRequestedScopes },
		store: func(c *Client, f *Fields) { c.Settings.Scopes.AllowUnscoped = !*f.RequireRequestedScopes },
		reset: func(c *Client) { c.Settings.Scopes.AllowUnscoped = false },
	},
	{
		Field: Field{
			Name:    "require_pkce",
			Type:    aBoolean,
			Doc:     "Whether a code is asked for with a challenge; always for public clients.",
			Default: "true",
		},
		into:  func(f *Fields) any { return &f.RequirePKCE },
		store: func(c *Client, f *Fields) { c.Settings.PKCE.Waived = !*f.RequirePKCE },
		reset: func(c *Client) { c.Settings.PKCE.Waived = false },
	},
	{
		Field: Field{
			Name:    "allowed_ips",
			Type:    anAddressList,
			Doc:     "The addresses that it may call from: up to 1,000 prefixes or addresses, as an array or in one string with commas; none: everyone.",
			Default: "[]",
		},
		into:  func(f *Fields) any { return &f.AllowedIPs },
		store: func(c *Client, f *Fields) { c.Settings.AllowedIPs = ipallow.Complete(*f.AllowedIPs) },
		reset: func(c *Client) { c.Settings.AllowedIPs = nil },
	},
	{
		Field: Field{
			Name:    "features",
			Type:    anArray,
			Doc:     "Permissions of the Configuration API and of user records; login_client stands alone, metadata is granted by the operator of the server.",
			Values:  words(features),
			Default: "[]",
		},
		into:  func(f *Fields) any { return &f.Features },
		store: func(c *Client, f *Fields) { c.Settings.Features = featureSet(*f.Features) },
		reset: func(c *Client) { c.Settings.Features = nil },
	},
	{
		Field: Field{
			Name:    "access_token_lifetime",
			Type:    aLifetime,
			Doc:     "Seconds that an access token lives, 1 to 3,153,600,000 (100 years), or never.",
			Default: "3600",
		},
		into:  func(f *Fields) any { return &f.AccessTokenLifetime },
		store: func(c *Client, f *Fields) { c.storeAccessTokenLifetime(*f.AccessTokenLifetime) },
		reset: func(c *Client) { c.Settings.AccessToken.Seconds, c.Settings.AccessToken.Never = 0, false },
	},
	{
		Field: Field{
			Name:    "access_token_format",
			Type:    aString,
			Doc:     "jwt (RFC 9068) or opaque; one that never expires is opaque.",
			Values:  []string{string(lifetime.JWT), string(lifetime.Opaque)},
			Derived: "jwt; opaque where the lifetime is never",
		},
		into:  func(f *Fields) any { return &f.AccessTokenFormat },
		store: func(c *Client, f *Fields) { c.Settings.AccessToken.Format = lifetime.Format(*f.AccessTokenFormat) },
		reset: func(c *Client) { c.Settings.AccessToken.Format = "" },
	},
	{
		Field: Field{
			Name:    "refresh_token_lifetime",
			Type:    aNumber,
			Doc:     "Seconds that a refresh token lives from its issue, 1 to 3,153,600,000; with the grant refresh_token only.",
			Default: "2592000",
		},
		into:  func(f *Fields) any { return &f.RefreshTokenLifetime },
		store: func(c *Client, f *Fields) { c.storeRefreshTokenLifetime(*f.RefreshTokenLifetime) },
		reset: func(c *Client) { c.Settings.Refresh.Seconds = 0 },
	},
	{
		Field: Field{
			Name:    "refresh_family_lifetime",
			Type:    aLimit,
			Doc:     "Seconds after which nothing is refreshed any more, 1 to 3,153,600,000, or unlimited.",
			Default: `"unlimited"`,
		},
		into:  func(f *Fields) any { return &f.RefreshFamilyLifetime },
		store: func(c *Client, f *Fields) { c.storeRefreshFamilyLifetime(*f.RefreshFamilyLifetime) },
		reset: func(c *Client) { c.Settings.Refresh.FamilySeconds = 0 },
	},
	{
		Field: Field{
			Name:    "refresh_limit",
			Type:    aLimit,
			Doc:     "How often a grant is refreshed, 0 to 2,147,483,647, or unlimited; 0: no refresh token is issued.",
			Default: `"unlimited"`,
		},
		into:  func(f *Fields) any { return &f.RefreshLimit },
		store: func(c *Client, f *Fields) { c.storeRefreshLimit(*f.RefreshLimit) },
		reset: func(c *Client) { c.Settings.Refresh.Limit = nil },
	},
	{
		Field: Field{
			Name:    "refresh_rotation",
			Type:    aBoolean,
			Doc:     "Whether each refresh gives a new refresh token; false for confidential clients only.",
			Default: "true",
		},
		into:  func(f *Fields) any { return &f.RefreshRotation },
		store: func(c *Client, f *Fields) { c.Settings.Refresh.Kept = !*f.RefreshRotation },
		reset: func(c *Client) { c.Settings.Refresh.Kept = false },
	},
	{
		Field: Field{
			Name:    "active",
			Type:    aBoolean,
			Doc:     "false kills all that it was given, for good.",
			Default: "true",
		},
		into:  func(f *Fields) any { return &f.Active },
		store: func(c *Client, f *Fields) { c.Inactive = !*f.Active },
		reset: func(c *Client) { c.Inactive = false },
	},
	{
		Field: Field{
			Name:    "rate_limit",
			Type:    aRateLimit,
			Doc:     "The requests it may make: per_second, burst (with per_second) and per_day, each 1 or more, or left out.",
			Default: "null",
		},
		into:  func(f *Fields) any { return &f.RateLimit },
		store: func(c *Client, f *Fields) { c.Settings.RateLimit = *f.RateLimit },
		reset: func(c *Client) { c.Settings.RateLimit = ratelimit.Setting{} },
	},
	{
		Field: Field{
			Name:    "tags",
			Type:    anArray,
			Doc:     "Up to 50 words of one's own, of up to 100 characters.",
			Default: "[]",
		},
		into:  func(f *Fields) any { return &f.Tags },
		store: func(c *Client, f *Fields) { c.Settings.Tags = trimmed(*f.Tags) },
		reset: func(c *Client) { c.Settings.Tags = nil },
	},
	{
		Field: Field{
			Name:    "contacts",
			Type:    anArray,
			Doc:     "Up to 20 mail addresses of who answers for it.",
			Default: "[]",
		},
		into:  func(f *Fields) any { return &f.Contacts },
		store: func(c *Client, f *Fields) { c.Settings.Contacts = trimmed(*f.Contacts) },
		reset: func(c *Client) { c.Settings.Contacts = nil },
	},
	{
		Field: Field{
			Name:     "owned_by",
			Doc:      "The administrator who made it.",
			ReadOnly: true,
		},
	},
	{
		Field: Field{
			Name:      "secret",
			Type:      aString,
			Doc:       "Its first secret, of 24 to 256 characters, given by the role owner at creation; else one is made where it has one.",
			Derived:   "made for confidential clients, and native ones with issue_secret",
			WriteOnly: true,
		},
		into: func(f *Fields) any { return &f.Secret },
	},
	{
		Field: Field{
			Name:    "issue_secret",
			Type:    aBoolean,
			Doc:     "Of kind native: it has a secret although public; checked when it is sent, and proves nothing by itself.",
			Default: "false",
		},
		into:  func(f *Fields) any { return &f.IssueSecret },
		store: func(c *Client, f *Fields) { c.Settings.IssueSecret = *f.IssueSecret },
		reset: func(c *Client) { c.Settings.IssueSecret = false },
	},
	{
		Field: Field{
			Name:     "secrets",
			Doc:      "Its secrets: id, label, hint (the last 4 characters), created_at, expires_at, last_used_at.",
			ReadOnly: true,
		},
	},
	{
		Field: Field{
			Name:     "endpoints",
			Doc:      "The URLs that it uses.",
			ReadOnly: true,
		},
	},
	{
		Field: Field{
			Name:     "created_at",
			Doc:      "When it was made.",
			ReadOnly: true,
		},
	},
	{
		Field: Field{
			Name:     "updated_at",
			Doc:      "When it was changed last.",
			ReadOnly: true,
		},
	},
	{
		Field: Field{
			Name:     "last_used_at",
			Doc:      "When it was used last, as far as is known.",
			ReadOnly: true,
		},
	},
}
