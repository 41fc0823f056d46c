package oauth

import "encoding/json"

// Audience is the claim `aud`: a string, or an array of them (RFC 7519 §4.1.3).
type Audience []string

// UnmarshalJSON reads either.
func (a *Audience) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*a = Audience{""}
		return json.Unmarshal(text, &(*a)[0])
	}
	return json.Unmarshal(text, (*[]string)(a))
}
