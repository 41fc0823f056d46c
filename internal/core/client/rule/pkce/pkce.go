// Package pkce is the rule that an authorization code is bound to who asked for
// it (RFC 7636), with the method S256 alone.
package pkce

// Setting as stored. It waives the rule for a confidential client; a public one
// proves by nothing else who it is, so there it stands whatever the setting says.
type Setting struct {
	Waived bool `json:"waived,omitempty"` // require_pkce: false
}

// Required reports whether the client must send a code challenge.
func (s Setting) Required(public bool) bool { return public || !s.Waived }

// Validate gives what is wrong with the setting, "" where nothing is.
func (s Setting) Validate(public bool) string {
	if public && s.Waived {
		return "A public client always uses PKCE (RFC 9700 §2.1.1)."
	}
	return ""
}
