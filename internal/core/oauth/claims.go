package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
)

// ClaimsRequest is the parameter `claims` (OpenID Connect Core 1.0 §5.5): what
// the client wants to be told one by one, beside what its scopes stand for. It
// is kept as JSON with the grant.
type ClaimsRequest struct {
	UserInfo map[string]ClaimRequest `json:"userinfo,omitempty"`
	IDToken  map[string]ClaimRequest `json:"id_token,omitempty"`
}

// ClaimRequest is how one claim is asked for (§5.5.1). The zero value, which is
// null in the parameter, asks for it without more.
type ClaimRequest struct {
	Essential bool  `json:"essential,omitempty"`
	Value     any   `json:"value,omitempty"`  // the one that is wanted; nil: any
	Values    []any `json:"values,omitempty"` // those that are wanted, best first; nil: any
}

// Wants gives the values that are wanted of a claim that is text, best first;
// none: any will do.
func (c ClaimRequest) Wants() []string {
	var texts []string
	for _, v := range append([]any{c.Value}, c.Values...) {
		if text, ok := v.(string); ok && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// Only gives the request without the claims that keep refuses; nil where none is
// left.
func (c *ClaimsRequest) Only(keep func(claim string) bool) *ClaimsRequest {
	if c == nil {
		return nil
	}
	narrowed := ClaimsRequest{only(c.UserInfo, keep), only(c.IDToken, keep)}
	if narrowed.UserInfo == nil && narrowed.IDToken == nil {
		return nil
	}
	return &narrowed
}

func only(all map[string]ClaimRequest, keep func(string) bool) map[string]ClaimRequest {
	var kept map[string]ClaimRequest
	for name, request := range all {
		if keep(name) {
			if kept == nil {
				kept = make(map[string]ClaimRequest)
			}
			kept[name] = request
		}
	}
	return kept
}

const (
	maxClaims      = 4096 // bytes of the parameter
	maxClaimNames  = 100  // in each of the two lists
	maxClaimLength = 256  // bytes of a name
)

var errMoreThanOne = errors.New("oauth: more than one JSON value")

// ParseClaims reads the parameter `claims`; nil where it is empty or asks for
// nothing. Members that are not understood are ignored (§5.5). The error is an
// *Error.
func ParseClaims(text string) (*ClaimsRequest, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // nothing is asked for
	}
	if len(text) > maxClaims {
		return nil, InvalidRequest("The parameter claims is too long; send at most 4096 characters.")
	}
	var c *ClaimsRequest
	if err := one([]byte(text), &c); err != nil || c == nil {
		return nil, InvalidRequest("The parameter claims is not well-formed; send a JSON object as OpenID Connect Core 1.0, 5.5, has it.")
	}
	for _, list := range []map[string]ClaimRequest{c.UserInfo, c.IDToken} {
		if len(list) > maxClaimNames {
			return nil, InvalidRequest("The parameter claims asks for too much; name at most 100 claims in each list.")
		}
		for name := range list {
			if name == "" || len(name) > maxClaimLength {
				return nil, InvalidRequest("A name in the parameter claims is empty or too long; use at most 256 characters.")
			}
		}
	}
	if len(c.UserInfo) == 0 && len(c.IDToken) == 0 {
		return nil, nil //nolint:nilnil // nothing is asked for
	}
	return c, nil
}

// one reads a text that is one JSON value. Numbers stay as they were written.
func one(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errMoreThanOne
	}
	return nil
}
