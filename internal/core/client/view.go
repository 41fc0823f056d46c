package client

import (
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// View is a client as it is answered: every key is always there, null where
// there is nothing, save Secret.
type View struct {
	ID                               string       `json:"id"`
	Name                             string       `json:"name"`
	Version                          string       `json:"version"`
	Description                      string       `json:"description"`
	Kind                             Kind         `json:"kind"`
	Type                             string       `json:"type"`
	TokenEndpointAuthMethod          string       `json:"token_endpoint_auth_method"`
	RedirectURIs                     []string     `json:"redirect_uris"`
	PostLogoutRedirectURIs           []string     `json:"post_logout_redirect_uris"`
	AllowedOrigins                   []string     `json:"allowed_origins"`
	BackchannelLogoutURI             *string      `json:"backchannel_logout_uri"`
	BackchannelLogoutSessionRequired bool         `json:"backchannel_logout_session_required"`
	GrantTypes                       []string     `json:"grant_types"`
	Scopes                           []string     `json:"scopes"`
	RequireRequestedScopes           bool         `json:"require_requested_scopes"`
	RequirePKCE                      bool         `json:"require_pkce"`
	AllowedIPs                       []string     `json:"allowed_ips"`
	Features                         []string     `json:"features"`
	AccessTokenLifetime              Lifetime     `json:"access_token_lifetime"`
	AccessTokenFormat                string       `json:"access_token_format"`
	RefreshTokenLifetime             int64        `json:"refresh_token_lifetime"`
	RefreshFamilyLifetime            Limit        `json:"refresh_family_lifetime"`
	RefreshLimit                     Limit        `json:"refresh_limit"`
	RefreshRotation                  bool         `json:"refresh_rotation"`
	Active                           bool         `json:"active"`
	RateLimit                        *RateLimit   `json:"rate_limit"`
	Tags                             []string     `json:"tags"`
	Contacts                         []string     `json:"contacts"`
	OwnedBy                          *string      `json:"owned_by"`
	IssueSecret                      bool         `json:"issue_secret"`
	Secrets                          []SecretView `json:"secrets"`
	Endpoints                        Endpoints    `json:"endpoints"`
	CreatedAt                        time.Time    `json:"created_at"`
	UpdatedAt                        time.Time    `json:"updated_at"`
	LastUsedAt                       *time.Time   `json:"last_used_at"`
	Secret                           string       `json:"secret,omitempty"` // only in the answer to what made it
}

// SecretView is a secret as it is answered: what it is called, never what it is.
type SecretView struct {
	ID         string     `json:"id"`
	Label      string     `json:"label"`
	Hint       string     `json:"hint"` // its last 4 characters
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// Endpoints are the URLs that a client uses.
type Endpoints struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization"`
	Token         string `json:"token"`
	Refresh       string `json:"refresh"` // that of token, for who looks for it
	Introspection string `json:"introspection"`
	Revocation    string `json:"revocation"`
	UserInfo      string `json:"userinfo"`
	EndSession    string `json:"end_session"`
	JWKS          string `json:"jwks"`
}

// Usage is when a client and its secrets were last used, as far as is known;
// the zero value knows of no use.
type Usage struct {
	Client  time.Time
	Secrets map[string]time.Time // by the id of the secret
}

// EndpointsOf gives the URLs of an application's clients.
func EndpointsOf(issuer string) Endpoints {
	return Endpoints{
		Issuer:        issuer,
		Authorization: issuer + oauth.AuthorizePath,
		Token:         issuer + oauth.TokenPath,
		Refresh:       issuer + oauth.TokenPath,
		Introspection: issuer + oauth.IntrospectPath,
		Revocation:    issuer + oauth.RevokePath,
		UserInfo:      issuer + oauth.UserInfoPath,
		EndSession:    issuer + oauth.LogoutPath,
		JWKS:          issuer + oauth.JWKSPath,
	}
}

// View gives the client as it is answered.
func (c *Client) View(app *application.Application, issuer string, used Usage) View {
	s := &c.Settings
	v := View{
		ID: c.ID, Name: c.Name, Version: c.Version, Description: s.Description, Kind: c.Kind, Type: typeOf(c.Public),
		TokenEndpointAuthMethod:          c.AuthMethod(),
		RedirectURIs:                     list(s.Redirect.URIs),
		PostLogoutRedirectURIs:           list(s.Redirect.PostLogout),
		AllowedOrigins:                   list(s.Redirect.Origins),
		BackchannelLogoutURI:             orNull(s.Redirect.Backchannel),
		BackchannelLogoutSessionRequired: s.Redirect.BackchannelSession,
		GrantTypes:                       words(s.GrantTypes.InForce(c.Subject(app))),
		Scopes:                           list(s.Scopes.Allowed),
		RequireRequestedScopes:           !s.Scopes.AllowUnscoped,
		RequirePKCE:                      s.PKCE.Required(c.Public),
		AllowedIPs:                       list(s.AllowedIPs),
		Features:                         words(s.Features),
		AccessTokenLifetime:              c.accessTokenLifetime(),
		AccessTokenFormat:                string(s.AccessToken.AccessTokenFormat()),
		RefreshTokenLifetime:             int64(s.Refresh.Lifetime() / time.Second),
		RefreshFamilyLifetime:            Limit{N: s.Refresh.FamilySeconds, Unlimited: s.Refresh.FamilySeconds == 0},
		RefreshLimit:                     Limit{Unlimited: s.Refresh.Limit == nil},
		RefreshRotation:                  !s.Refresh.Kept,
		Active:                           !c.Inactive,
		Tags:                             list(s.Tags),
		Contacts:                         list(s.Contacts),
		OwnedBy:                          orNull(s.OwnedBy),
		IssueSecret:                      s.IssueSecret,
		Secrets:                          c.SecretViews(used),
		Endpoints:                        EndpointsOf(issuer),
		CreatedAt:                        c.CreatedAt.UTC(),
		UpdatedAt:                        c.UpdatedAt.UTC(),
		LastUsedAt:                       timeOrNull(used.Client),
	}
	if s.Refresh.Limit != nil {
		v.RefreshLimit.N = *s.Refresh.Limit
	}
	if s.RateLimit != (ratelimit.Setting{}) {
		v.RateLimit = &s.RateLimit
	}
	return v
}

// SecretViews gives the client's secrets as they are answered, in the order in
// which they were made.
func (c *Client) SecretViews(used Usage) []SecretView {
	views := make([]SecretView, len(c.Secrets))
	for i := range c.Secrets {
		s := &c.Secrets[i]
		views[i] = SecretView{
			ID: s.ID, Label: s.Label, Hint: s.Hint, CreatedAt: s.CreatedAt.UTC(),
			ExpiresAt: timeOrNull(s.ExpiresAt), LastUsedAt: timeOrNull(used.Secrets[s.ID]),
		}
	}
	return views
}

// ETag gives the client's entity tag (RFC 9110 §8.8.3).
func (c *Client) ETag() string { return `"` + strconv.FormatInt(c.Revision, 10) + `"` }

// The methods of authentication at the token endpoint (RFC 7591 §2).
const (
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
	AuthNone  = "none"
)

// AuthMethod gives the method that the client is registered with. Either of the
// two with a secret is taken, whichever it is.
func (c *Client) AuthMethod() string {
	switch {
	case c.Public:
		return AuthNone
	case c.Settings.AuthMethod == "":
		return AuthBasic
	default:
		return c.Settings.AuthMethod
	}
}

func (c *Client) accessTokenLifetime() Lifetime {
	life, never := c.Settings.AccessToken.Lifetime()
	return Lifetime{Seconds: int64(life / time.Second), Never: never}
}

func typeOf(public bool) string {
	if public {
		return PublicType
	}
	return Confidential
}

// list gives a list that is an array in JSON, never null.
func list[S ~[]string](values S) []string {
	if values == nil {
		return []string{}
	}
	return values
}

// words gives named values as strings.
func words[S ~[]E, E ~string](values S) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
