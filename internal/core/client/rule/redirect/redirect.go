// Package redirect is the rule of where a browser is sent with a code or after a
// logout, which origins may call for a client, and where logout tokens go. It
// judges and compares addresses; it fetches none.
package redirect

import (
	"fmt"
	"slices"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// MaxURIs is how many entries each list may have.
const MaxURIs = 100

// Setting as stored. The zero value sends nobody anywhere.
type Setting struct {
	URIs               []string `json:"uris,omitempty"`                // redirect_uris
	PostLogout         []string `json:"post_logout,omitempty"`         // post_logout_redirect_uris
	Origins            []string `json:"origins,omitempty"`             // allowed_origins
	Backchannel        string   `json:"backchannel,omitempty"`         // backchannel_logout_uri; "": none
	BackchannelSession bool     `json:"backchannel_session,omitempty"` // backchannel_logout_session_required
}

// Allows reports whether a redirect URI that was sent is one of the client's.
func (s Setting) Allows(uri string) bool {
	return slices.ContainsFunc(s.URIs, func(registered string) bool { return Match(registered, uri) })
}

// Validate gives what is wrong with the setting of a client, native or not.
func (s Setting) Validate(native bool) (problems fault.Problems) {
	for _, field := range []struct {
		name    string
		values  []string
		refusal func(value string, native bool) string
	}{
		{"redirect_uris", s.URIs, refusal},
		{"post_logout_redirect_uris", s.PostLogout, refusal},
		{"allowed_origins", s.Origins, originRefusal},
	} {
		if len(field.values) > MaxURIs {
			problems.Add(field.name, "Write at most %d.", MaxURIs)
			continue
		}
		for i, value := range field.values {
			if text := field.refusal(value, native); text != "" {
				problems.Add(fmt.Sprintf("%s[%d]", field.name, i), "%s", text)
			}
		}
	}
	if s.Backchannel != "" {
		if text := refusal(s.Backchannel, false); text != "" {
			problems.Add("backchannel_logout_uri", "%s", text)
		}
	}
	return problems
}
