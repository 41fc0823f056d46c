// Package oauth holds the words of the OAuth 2.x protocol: its errors, grant
// types and scopes. It decides nothing about any client.
package oauth

import (
	"net/http"
	"strings"
	"time"
)

// Error is an error response of RFC 6749 §5.2 and its sister documents. It is
// made by the constructors below and nowhere else, so that a code and its
// status cannot be paired wrongly.
type Error struct {
	Code        string // RFC 6749 §5.2 `error`
	Description string // `error_description`: what to do next; printable ASCII without `"` and `\`
	Status      int    // HTTP status
	RetryAfter  time.Duration
	Bearer      Challenge // of an endpoint that takes an access token
	Cause       error     // for the operator's log; never shown
}

// Challenge says whether an answer asks for an access token (RFC 6750 §3).
type Challenge uint8

// The challenges.
const (
	NoChallenge    Challenge = iota
	PlainChallenge           // the request had no token: nothing is said of it
	ErrorChallenge           // with the code of what is wrong with the token
)

// Error gives code, description and cause, for logs.
func (e *Error) Error() string {
	text := e.Code + ": " + e.Description
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

func newError(status int, code, description string) *Error {
	return &Error{Status: status, Code: code, Description: printable(description)}
}

// printable keeps the characters that RFC 6749 §5.2 allows in
// error_description: %x20-21 / %x23-5B / %x5D-7E.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r < 0x20 || r == '\\' || r > 0x7e:
			return '?'
		default:
			return r
		}
	}, s)
}

// InvalidRequest: a parameter is missing, repeated or malformed, or two client
// authentication methods were used at once (RFC 6749 §5.2).
func InvalidRequest(description string) *Error {
	return newError(http.StatusBadRequest, "invalid_request", description)
}

// NotFound: there is no such endpoint. The code is RFC 6749's nearest; its own
// documents have none for this.
func NotFound(description string) *Error {
	return newError(http.StatusNotFound, "invalid_request", description)
}

// MethodNotAllowed: the endpoint is called by another method; the writer adds
// Allow.
func MethodNotAllowed(description string) *Error {
	return newError(http.StatusMethodNotAllowed, "invalid_request", description)
}

// HeadersTooLarge: the request's header fields or its target are too large (RFC
// 6585 §5).
func HeadersTooLarge(description string) *Error {
	return newError(http.StatusRequestHeaderFieldsTooLarge, "invalid_request", description)
}

// InvalidClient: client authentication failed, whatever the reason (RFC 6749
// §5.2). The writer adds WWW-Authenticate where HTTP Basic was used.
func InvalidClient(description string) *Error {
	return newError(http.StatusUnauthorized, "invalid_client", description)
}

// InvalidGrant: a code or refresh token is dead, used, of another client, or
// past its limit (RFC 6749 §5.2).
func InvalidGrant(description string) *Error {
	return newError(http.StatusBadRequest, "invalid_grant", description)
}

// UnauthorizedClient: the grant type is not one of the client's (RFC 6749 §5.2).
func UnauthorizedClient(description string) *Error {
	return newError(http.StatusBadRequest, "unauthorized_client", description)
}

// UnsupportedGrantType: the grant type is unknown, or refused by the
// application's security profile (RFC 6749 §5.2).
func UnsupportedGrantType(description string) *Error {
	return newError(http.StatusBadRequest, "unsupported_grant_type", description)
}

// InvalidScope: no scope where one is required, or one outside the allowed ones
// (RFC 6749 §5.2).
func InvalidScope(description string) *Error {
	return newError(http.StatusBadRequest, "invalid_scope", description)
}

// InvalidTarget: the resource is unknown (RFC 8707 §2).
func InvalidTarget(description string) *Error {
	return newError(http.StatusBadRequest, "invalid_target", description)
}

// UnsupportedResponseType: the response type is unknown, or refused by the
// application's security profile (RFC 6749 §4.1.2.1).
func UnsupportedResponseType(description string) *Error {
	return newError(http.StatusBadRequest, "unsupported_response_type", description)
}

// NotSupported: a parameter that this server does not take at all, by its name:
// `request`, `request_uri` or `registration` (OpenID Connect Core 1.0 §3.1.2.6).
func NotSupported(parameter, description string) *Error {
	return newError(http.StatusBadRequest, parameter+"_not_supported", description)
}

// LoginRequired: nobody is signed in, or not as the request wants it, and no
// page may be shown (OpenID Connect Core 1.0 §3.1.2.6).
func LoginRequired(description string) *Error {
	return newError(http.StatusBadRequest, "login_required", description)
}

// InteractionRequired: a page would have to be shown, for something other than
// what has a code of its own (OpenID Connect Core 1.0 §3.1.2.6).
func InteractionRequired(description string) *Error {
	return newError(http.StatusBadRequest, "interaction_required", description)
}

// ConsentRequired: the user did not agree yet, and no page may be shown (OpenID
// Connect Core 1.0 §3.1.2.6).
func ConsentRequired(description string) *Error {
	return newError(http.StatusBadRequest, "consent_required", description)
}

// AccountSelectionRequired: the user has to choose an account, and no page may
// be shown (OpenID Connect Core 1.0 §3.1.2.6).
func AccountSelectionRequired(description string) *Error {
	return newError(http.StatusBadRequest, "account_selection_required", description)
}

// UnmetAuthentication: the user cannot be authenticated as is essential to the
// client (OpenID Connect Core Error Code unmet_authentication_requirements 1.0).
func UnmetAuthentication(description string) *Error {
	return newError(http.StatusBadRequest, "unmet_authentication_requirements", description)
}

// AccessDenied: the caller's address is not on the client's list, or the user
// declined (RFC 6749 §4.1.2.1).
func AccessDenied(description string) *Error {
	return newError(http.StatusForbidden, "access_denied", description)
}

// TokenRequired: an endpoint that takes an access token was sent none (RFC 6750
// §3.1: the challenge has no code then).
func TokenRequired(description string) *Error {
	e := newError(http.StatusUnauthorized, "invalid_token", description)
	e.Bearer = PlainChallenge
	return e
}

// InvalidToken: the access token is malformed, dead or for somebody else (RFC
// 6750 §3.1).
func InvalidToken(description string) *Error {
	e := newError(http.StatusUnauthorized, "invalid_token", description)
	e.Bearer = ErrorChallenge
	return e
}

// InsufficientScope: the access token does not carry a scope that the request
// needs (RFC 6750 §3.1).
func InsufficientScope(description string) *Error {
	e := newError(http.StatusForbidden, "insufficient_scope", description)
	e.Bearer = ErrorChallenge
	return e
}

// SlowDown: a limit of the client or of the address is reached.
func SlowDown(after time.Duration, description string) *Error {
	e := newError(http.StatusTooManyRequests, "slow_down", description)
	e.RetryAfter = after
	return e
}

// TemporarilyUnavailable: the state cannot be known now.
func TemporarilyUnavailable(after time.Duration, cause error) *Error {
	e := newError(http.StatusServiceUnavailable, "temporarily_unavailable", "The server cannot reach its database now; try again.")
	e.RetryAfter, e.Cause = after, cause
	return e
}

// ServerError: a defect of the server.
func ServerError(cause error) *Error {
	e := newError(http.StatusInternalServerError, "server_error", "The server failed; tell its operator the X-Request-Id of this answer.")
	e.Cause = cause
	return e
}
