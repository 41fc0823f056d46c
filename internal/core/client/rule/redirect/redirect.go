// Package redirect is the rule of where a browser is sent with a code or after a
// logout, which origins may call for a client, and where logout tokens go. It
// judges and compares addresses; it fetches none.
package redirect

// Setting as stored.
type Setting struct {
	URIs               []string `json:"uris,omitempty"`                // redirect_uris
	PostLogout         []string `json:"post_logout,omitempty"`         // post_logout_redirect_uris
	Origins            []string `json:"origins,omitempty"`             // allowed_origins
	Backchannel        string   `json:"backchannel,omitempty"`         // backchannel_logout_uri; "": none
	BackchannelSession bool     `json:"backchannel_session,omitempty"` // backchannel_logout_session_required
}
