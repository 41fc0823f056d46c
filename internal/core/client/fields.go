package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Fields is an API client as people and programs write it: the body of POST and
// PUT, a line of an import, an entry of `ostiary apply`. nil (null, or absent)
// always means the default, never "no limit". It is read by ParseFields.
type Fields struct {
	ID                               *string      `json:"id,omitempty"`
	Name                             *string      `json:"name,omitempty"`
	Version                          *string      `json:"version,omitempty"`
	Description                      *string      `json:"description,omitempty"`
	Kind                             *Kind        `json:"kind,omitempty"`
	Type                             *string      `json:"type,omitempty"`
	TokenEndpointAuthMethod          *string      `json:"token_endpoint_auth_method,omitempty"`
	RedirectURIs                     *[]string    `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs           *[]string    `json:"post_logout_redirect_uris,omitempty"`
	AllowedOrigins                   *[]string    `json:"allowed_origins,omitempty"`
	BackchannelLogoutURI             *string      `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired *bool        `json:"backchannel_logout_session_required,omitempty"`
	GrantTypes                       *[]string    `json:"grant_types,omitempty"`
	Scopes                           *[]string    `json:"scopes,omitempty"`
	RequireRequestedScopes           *bool        `json:"require_requested_scopes,omitempty"`
	RequirePKCE                      *bool        `json:"require_pkce,omitempty"`
	AllowedIPs                       *AddressList `json:"allowed_ips,omitempty"`
	Features                         *[]string    `json:"features,omitempty"`
	AccessTokenLifetime              *Lifetime    `json:"access_token_lifetime,omitempty"`
	AccessTokenFormat                *string      `json:"access_token_format,omitempty"`
	RefreshTokenLifetime             *int64       `json:"refresh_token_lifetime,omitempty"`
	RefreshFamilyLifetime            *Limit       `json:"refresh_family_lifetime,omitempty"`
	RefreshLimit                     *Limit       `json:"refresh_limit,omitempty"`
	RefreshRotation                  *bool        `json:"refresh_rotation,omitempty"`
	Active                           *bool        `json:"active,omitempty"`
	RateLimit                        *RateLimit   `json:"rate_limit,omitempty"`
	Tags                             *[]string    `json:"tags,omitempty"`
	Contacts                         *[]string    `json:"contacts,omitempty"`
	Secret                           *string      `json:"secret,omitempty"`
	IssueSecret                      *bool        `json:"issue_secret,omitempty"`
}

// The two client types of RFC 6749 §2.1.
const (
	Confidential = "confidential"
	PublicType   = "public"
)

var errNoObject = fault.Invalidf("", "Send a JSON object.")

// ParseFields reads a JSON object strictly: names are case-sensitive, an unknown
// one is refused, an integer is 5 and neither 5.0 nor "5", and null is absence.
// What is read only is accepted and ignored, since people send back what they
// got. All refusals are given at once, as fault.Problems.
func ParseFields(document []byte) (Fields, error) {
	members, err := parseMembers(document)
	if err != nil {
		return Fields{}, err
	}
	var f Fields
	problems := f.read(members)
	return f, problems.OrNil()
}

func parseMembers(document []byte) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil || members == nil {
		return nil, errNoObject
	}
	return members, nil
}

// read sets the members that are there.
func (f *Fields) read(members map[string]json.RawMessage) (problems fault.Problems) {
	for i := range fields {
		if raw, ok := members[fields[i].Name]; ok && !fields[i].ReadOnly {
			problems = append(problems, fields[i].read(raw, f)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.ContainsFunc(fields, func(known field) bool { return known.Name == name }) {
			problems.Add(shortName(name), "There is no such field.")
		}
	}
	return problems
}

// shortName bounds a name that a stranger made up before it is answered.
func shortName(name string) string {
	const longest = 64
	if utf8.RuneCountInString(name) > longest {
		return string([]rune(name)[:longest]) + "…"
	}
	return name
}

// read sets the field that a member of a document is of.
func (d *field) read(raw json.RawMessage, f *Fields) (problems fault.Problems) {
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		return nil
	}
	target := d.into(f)
	if list, ok := target.(**[]string); ok {
		values, problems := parseStrings(d.Name, raw)
		if problems == nil {
			*list = &values
		}
		return problems
	}
	if err := json.Unmarshal(raw, target); err != nil {
		return append(problems, inField(d.Name, err, "Write "+d.Type+"."))
	}
	var word string
	if d.Values != nil && (json.Unmarshal(raw, &word) != nil || !slices.Contains(d.Values, word)) {
		problems.Add(d.Name, "Choose one of %s.", strings.Join(d.Values, ", "))
	}
	return problems
}

// inField gives a refusal of a field's value its place: that of the field, or of
// the member of it that it names. text is for an error that says nothing to the
// caller.
func inField(name string, err error, text string) *fault.Error {
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return fault.Invalidf(name, "%s", text)
	}
	if refused.Field != "" {
		name += "." + refused.Field
	}
	return fault.Invalidf(name, "%s", refused.Message)
}

// parseStrings reads an array of strings; each problem has its place in the
// name of its field.
func parseStrings(name string, raw []byte) ([]string, fault.Problems) {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil || elements == nil {
		return nil, fault.Problems{fault.Invalidf(name, "Write an array of strings.")}
	}
	var problems fault.Problems
	values := make([]string, len(elements))
	for i, element := range elements {
		if len(element) == 0 || element[0] != '"' || json.Unmarshal(element, &values[i]) != nil {
			problems.Add(indexed(name, i), "Write a string.")
		}
	}
	return values, problems
}
