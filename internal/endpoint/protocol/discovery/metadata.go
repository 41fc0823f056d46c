package discovery

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
)

// metadata of an authorization server: RFC 8414 §2, OpenID Connect Discovery 1.0
// §3, RFC 9207 §3, RP-Initiated Logout 1.0 §2.1, Back-Channel Logout 1.0 §2.1.
type metadata struct {
	Issuer            string            `json:"issuer"`
	Token             string            `json:"token_endpoint"`
	TokenAuth         []string          `json:"token_endpoint_auth_methods_supported"`
	Keys              string            `json:"jwks_uri"`
	Scopes            []string          `json:"scopes_supported,omitempty"`
	ResponseTypes     []string          `json:"response_types_supported"`
	GrantTypes        []oauth.GrantType `json:"grant_types_supported"`
	Introspection     string            `json:"introspection_endpoint"`
	IntrospectionAuth []string          `json:"introspection_endpoint_auth_methods_supported"`
	Revocation        string            `json:"revocation_endpoint"`
	RevocationAuth    []string          `json:"revocation_endpoint_auth_methods_supported"`

	*connect
}

// connect is what is said of the grants that a user takes part in.
type connect struct {
	Authorization      string               `json:"authorization_endpoint"`
	UserInfo           string               `json:"userinfo_endpoint"`
	EndSession         string               `json:"end_session_endpoint"`
	ResponseModes      []oauth.ResponseMode `json:"response_modes_supported"`
	ChallengeMethods   []string             `json:"code_challenge_methods_supported"`
	IssuerInAnswer     bool                 `json:"authorization_response_iss_parameter_supported"`
	Subjects           []string             `json:"subject_types_supported"`
	IDTokenAlgorithms  []string             `json:"id_token_signing_alg_values_supported"`
	Claims             []string             `json:"claims_supported"`
	ClaimTypes         []string             `json:"claim_types_supported"`
	ClaimsParameter    bool                 `json:"claims_parameter_supported"`
	Request            bool                 `json:"request_parameter_supported"`
	RequestURI         bool                 `json:"request_uri_parameter_supported"` // true where it is absent
	ACR                []string             `json:"acr_values_supported"`
	Prompts            []string             `json:"prompt_values_supported"`
	Languages          []string             `json:"ui_locales_supported,omitempty"`
	Backchannel        bool                 `json:"backchannel_logout_supported"`
	BackchannelSession bool                 `json:"backchannel_logout_session_supported"`
}

// ofTokens are the claims of an ID token that are not its user's.
var ofTokens = []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "c_hash"}

// connect describes the endpoints of users; nil where no grant leads there.
func (e *endpoint) connect(issuer string, b basis) *connect {
	if !slices.Contains(e.offer.GrantTypes, oauth.AuthorizationCode) {
		return nil
	}
	return &connect{
		Authorization:      issuer + protocol.AuthorizePath,
		UserInfo:           issuer + protocol.UserInfoPath,
		EndSession:         issuer + protocol.LogoutPath,
		ResponseModes:      oauth.ResponseModes,
		ChallengeMethods:   []string{oauth.S256},
		IssuerInAnswer:     true,
		Subjects:           []string{"public"},
		IDTokenAlgorithms:  []string{b.algorithm},
		Claims:             slices.Concat(ofTokens, user.ClaimNames()),
		ClaimTypes:         []string{"normal"},
		ClaimsParameter:    true,
		ACR:                []string{session.OneFactor, session.TwoFactors},
		Prompts:            []string{"none", "login", "consent", "select_account"},
		Languages:          e.offer.Languages,
		Backchannel:        true,
		BackchannelSession: true,
	}
}

func (e *endpoint) make(applicationID string, b basis) (*described, error) {
	issuer := e.Issuer(applicationID)
	secret := []string{"client_secret_basic", "client_secret_post"}
	withNone := []string{"client_secret_basic", "client_secret_post", "none"}
	m := metadata{
		Issuer:            issuer,
		Token:             issuer + protocol.TokenPath,
		TokenAuth:         secret,
		Keys:              issuer + protocol.JWKSPath,
		Scopes:            b.scopes.Names,
		ResponseTypes:     []string{},
		GrantTypes:        e.offer.grants(b.profile),
		Introspection:     issuer + protocol.IntrospectPath,
		IntrospectionAuth: secret,
		Revocation:        issuer + protocol.RevokePath,
		RevocationAuth:    withNone,
		connect:           e.connect(issuer, b),
	}
	if m.connect != nil {
		m.TokenAuth = withNone // a public client has a code
		m.ResponseTypes = responseTypes(b.profile)
		m.Scopes = slices.Concat(scope.OpenIDNames(), b.scopes.Names)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write the metadata of %s: %w", applicationID, err)
	}
	sum := sha256.Sum256(body)
	return &described{newDocument(body, `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`), b}, nil
}

// grants gives those that a profile admits, in the order of their names.
func (o *Offer) grants(profile application.SecurityProfile) []oauth.GrantType {
	grants := slices.Clone(o.GrantTypes)
	if profile != application.OAuth2 {
		return slices.DeleteFunc(grants, func(g oauth.GrantType) bool { return g == oauth.Password })
	}
	if slices.Contains(grants, oauth.AuthorizationCode) {
		grants = append(grants, oauth.Implicit)
	}
	slices.Sort(grants)
	return grants
}

func responseTypes(profile application.SecurityProfile) []string {
	if profile != application.OAuth2 {
		return []string{string(oauth.ResponseCode)}
	}
	types := make([]string, len(oauth.ResponseTypes))
	for i, t := range oauth.ResponseTypes {
		types[i] = string(t)
	}
	return types
}
