package authorize

import (
	"slices"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// checkResponse finds what is asked for, and how it is sent. Tokens from this
// endpoint are for the profile oauth2 (RFC 9700 §2.1.2 advises against them), and
// never go into a query, which servers log and pass on (OAuth 2.0 Multiple
// Response Type Encoding Practices §3).
func (f *flow) checkResponse() error {
	text := f.form.Get("response_type")
	if text == "" {
		return oauth.InvalidRequest("The parameter response_type is missing; send response_type=code.")
	}
	kind, ok := oauth.ParseResponseType(text)
	if !ok || kind != oauth.ResponseCode && f.app.Settings.Profile() != application.OAuth2 {
		return oauth.UnsupportedResponseType("This application does not give this response type; the metadata document names those that it gives.")
	}
	f.response = kind
	if !slices.Contains(f.client.Settings.GrantTypes.InForce(f.client.Subject(f.app)), kind.Grant()) {
		return oauth.UnauthorizedClient("This client is not registered for the grant type " + string(kind.Grant()) + "; ask the operator to add it.")
	}
	mode := oauth.ResponseMode(f.form.Get("response_mode"))
	switch {
	case mode == "":
		return nil
	case !slices.Contains(oauth.ResponseModes, mode):
		return oauth.InvalidRequest("The response_mode is unknown; send query, fragment or form_post, or leave it out.")
	case mode == oauth.ModeQuery && kind != oauth.ResponseCode:
		return oauth.InvalidRequest("Tokens are not sent in a query; send response_mode=fragment or form_post.")
	case mode == oauth.ModeFormPost && !f.target.web():
		return oauth.InvalidRequest("A form cannot be posted to a redirect URI of this scheme; leave response_mode out.")
	default:
		return nil
	}
}

// modeOfErrors is how an error is sent: as the answer would be, where that can
// be, else as such an answer is by default.
func (f *flow) modeOfErrors() oauth.ResponseMode {
	standard := oauth.DefaultMode(f.form.Get("response_type"))
	if slices.Contains(f.form.Repeated(), "response_mode") {
		return standard
	}
	mode := oauth.ResponseMode(f.form.Get("response_mode"))
	switch {
	case !slices.Contains(oauth.ResponseModes, mode),
		mode == oauth.ModeQuery && standard == oauth.ModeFragment,
		mode == oauth.ModeFormPost && !f.target.web():
		return standard
	default:
		return mode
	}
}

// checkPKCE binds the code to who asked for it (RFC 7636 §4.3, OAuth 2.1
// §4.1.1). Where it was not asked for, a request that uses it is held to it all
// the same, so that nobody can take it out on the way.
func (f *flow) checkPKCE() error {
	if f.response != oauth.ResponseCode {
		return nil
	}
	challenge, method := f.form.Get("code_challenge"), f.form.Get("code_challenge_method")
	switch {
	case challenge == "" && method != "":
		return oauth.InvalidRequest("There is a code_challenge_method without code_challenge; send both.")
	case challenge == "" && f.client.Settings.PKCE.Required(f.client.Public):
		return oauth.InvalidRequest("The parameter code_challenge is missing; this client uses PKCE (RFC 7636) with code_challenge_method=S256.")
	case challenge == "":
		return nil
	case method != oauth.S256:
		return oauth.InvalidRequest("The code_challenge_method is not supported; send code_challenge_method=S256.")
	case !oauth.ValidChallenge(challenge):
		return oauth.InvalidRequest("The code_challenge is not well-formed: it is the SHA-256 of the verifier, in base64url without padding, 43 characters.")
	}
	f.challenge = challenge
	return nil
}
