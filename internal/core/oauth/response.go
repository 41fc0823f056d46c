package oauth

import (
	"slices"
	"strings"
)

// ResponseType is a value of the parameter `response_type`, its words in the
// order of the constants.
type ResponseType string

// The response types (RFC 6749 §3.1.1, OAuth 2.0 Multiple Response Type Encoding
// Practices §3).
const (
	ResponseCode         ResponseType = "code"
	ResponseToken        ResponseType = "token"
	ResponseIDToken      ResponseType = "id_token"
	ResponseIDTokenToken ResponseType = "id_token token"
)

// ResponseTypes are all there are.
var ResponseTypes = []ResponseType{ResponseCode, ResponseIDToken, ResponseIDTokenToken, ResponseToken}

// ParseResponseType reads the parameter `response_type`, whose words are in any
// order (RFC 6749 §3.1.1); false where it is none of ours.
func ParseResponseType(s string) (ResponseType, bool) {
	words := strings.Split(s, " ")
	slices.Sort(words)
	t := ResponseType(strings.Join(words, " "))
	return t, slices.Contains(ResponseTypes, t)
}

// Grant is the grant type that a client needs for it.
func (t ResponseType) Grant() GrantType {
	if t == ResponseCode {
		return AuthorizationCode
	}
	return Implicit
}

// AccessToken reports whether the answer holds an access token.
func (t ResponseType) AccessToken() bool { return t == ResponseToken || t == ResponseIDTokenToken }

// IDToken reports whether the answer holds an ID token.
func (t ResponseType) IDToken() bool { return t == ResponseIDToken || t == ResponseIDTokenToken }

// ResponseMode is a value of the parameter `response_mode`.
type ResponseMode string

// The response modes (OAuth 2.0 Multiple Response Type Encoding Practices §2.1,
// OAuth 2.0 Form Post Response Mode).
const (
	ModeQuery    ResponseMode = "query"
	ModeFragment ResponseMode = "fragment"
	ModeFormPost ResponseMode = "form_post"
)

// ResponseModes are all there are.
var ResponseModes = []ResponseMode{ModeFormPost, ModeFragment, ModeQuery}

// DefaultMode is the mode of an answer to a request that names none. Unknown
// response types count too, since errors are answered: what could hold a token
// does not go into a query.
func DefaultMode(responseType string) ResponseMode {
	for word := range strings.SplitSeq(responseType, " ") {
		if word == "token" || word == "id_token" {
			return ModeFragment
		}
	}
	return ModeQuery
}
