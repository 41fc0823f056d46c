package resource

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/mergepatch"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Fields is a resource as people and programs write it and as it is answered.
// The zero value of each is the default.
type Fields struct {
	Identifier           string          `json:"identifier"`
	Name                 string          `json:"name"`
	Scopes               []string        `json:"scopes"`
	IntrospectingClients []string        `json:"introspecting_clients"`
	AccessTokenFormat    lifetime.Format `json:"access_token_format"`
}

// Fields gives the resource as it is answered: nothing is null.
func (r *Resource) Fields() Fields {
	f := Fields{r.Identifier, r.Name, r.Scopes, make([]string, len(r.Introspectors)), r.AccessTokenFormat}
	if f.Scopes == nil {
		f.Scopes = []string{}
	}
	for i, c := range r.Introspectors {
		f.IntrospectingClients[i] = c.ClientID
	}
	return f
}

// Patch reads a merge patch (RFC 7396) onto the fields; the error is
// fault.Problems. On the zero value it reads a whole document.
func (f *Fields) Patch(document []byte) error {
	return mergepatch.Apply(
		document,
		mergepatch.Member{Name: "identifier", Text: &f.Identifier},
		mergepatch.Member{Name: "name", Text: &f.Name},
		mergepatch.Member{Name: "scopes", List: &f.Scopes},
		mergepatch.Member{Name: "introspecting_clients", List: &f.IntrospectingClients},
		mergepatch.Member{Name: "access_token_format", Text: (*string)(&f.AccessTokenFormat)},
	)
}

// Check judges a document of a resource by itself, as it will be when it is
// written. The error is fault.Problems.
func Check(document []byte) error {
	var f Fields
	if err := f.Patch(document); err != nil {
		return err
	}
	return f.settle().OrNil()
}

// Bounds of the fields: characters, and entries of the lists.
const (
	maxName          = 255
	maxScopes        = 500
	maxIntrospectors = 100
)

// settle puts the fields in the form in which they are stored and gives all
// that is wrong with them. What its lists name is looked up by the store.
func (f *Fields) settle() (problems fault.Problems) {
	switch {
	case f.Identifier == "":
		problems.Add("identifier", "Give the resource an identifier: the URI of the API, as its clients will name it.")
	case !ValidIdentifier(f.Identifier):
		problems.Add("identifier", "Write an absolute URI without a fragment and without credentials, of at most %d characters, as https://api.example.com/orders.", maxIdentifier)
	}
	f.Name = strings.TrimSpace(f.Name)
	if utf8.RuneCountInString(f.Name) > maxName || !utf8.ValidString(f.Name) || strings.ContainsFunc(f.Name, unicode.IsControl) {
		problems.Add("name", "A name has at most %d characters, none of them control characters.", maxName)
	}
	f.Scopes = once("scopes", f.Scopes, maxScopes, oauth.ValidScopeName, &problems)
	f.IntrospectingClients = once("introspecting_clients", f.IntrospectingClients, maxIntrospectors, client.ValidID, &problems)
	switch f.AccessTokenFormat {
	case "", lifetime.JWT, lifetime.Opaque:
	default:
		problems.Add("access_token_format", "Choose jwt or opaque, or leave it to the clients with null.")
	}
	return problems
}

// once bounds a list and refuses what is in it twice, and what cannot be a name
// of the kind that it lists.
func once(field string, list []string, most int, valid func(string) bool, problems *fault.Problems) []string {
	if len(list) == 0 {
		return nil
	}
	if len(list) > most {
		problems.Add(field, "Write at most %d entries.", most)
		return list
	}
	seen := make(map[string]bool, len(list))
	for i, entry := range list {
		place := field + "[" + strconv.Itoa(i) + "]"
		switch {
		case seen[entry]:
			problems.Add(place, "This entry is there twice.")
		case !valid(entry):
			problems.Add(place, "There is none of this name in this application.")
		}
		seen[entry] = true
	}
	return list
}
