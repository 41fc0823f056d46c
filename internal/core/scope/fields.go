package scope

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/mergepatch"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Fields is a scope as people and programs write it and as it is answered. The
// zero value of each is the default.
type Fields struct {
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	Kind         Kind     `json:"kind"`
	RequiredRole string   `json:"required_role"`
	URLPatterns  []string `json:"url_patterns"`
}

// Fields gives the scope as it is answered: nothing is null.
func (s *Scope) Fields() Fields {
	f := Fields{s.Name, s.Description, s.Kind, s.RequiredRole, s.URLPatterns}
	if f.URLPatterns == nil {
		f.URLPatterns = []string{}
	}
	return f
}

// Patch reads a merge patch (RFC 7396) onto the fields; the error is
// fault.Problems. On the zero value it reads a whole document.
func (f *Fields) Patch(document []byte) error {
	return mergepatch.Apply(
		document,
		mergepatch.Member{Name: "name", Text: &f.Name},
		mergepatch.Member{Name: "description", Text: &f.Description},
		mergepatch.Member{Name: "kind", Text: (*string)(&f.Kind)},
		mergepatch.Member{Name: "required_role", Text: &f.RequiredRole},
		mergepatch.Member{Name: "url_patterns", List: &f.URLPatterns},
	)
}

// Check judges a document of a scope by itself, as it will be when it is
// written; stored are the patterns that the scope has. The error is
// fault.Problems.
func Check(document []byte, stored []string) error {
	var f Fields
	if err := f.Patch(document); err != nil {
		return err
	}
	return f.settle(stored).OrNil()
}

// Bounds of the fields, in characters, and of the list.
const (
	maxName        = 128
	maxDescription = 2000
	maxRole        = 100
	maxPattern     = 1000
	maxPatterns    = 100
)

func validName(name string) bool { return len(name) <= maxName && oauth.ValidScopeName(name) }

// settle puts the fields in the form in which they are stored and gives all
// that is wrong with them. Patterns that are stored already are not judged again.
func (f *Fields) settle(stored []string) (problems fault.Problems) {
	switch {
	case f.Name == "":
		problems.Add("name", "Give the scope a name.")
	case !validName(f.Name):
		problems.Add("name", "A scope name has 1 to %d printable ASCII characters, none of them a space, a quotation mark or a backslash.", maxName)
	case strings.HasPrefix(Key(f.Name), Prefix):
		problems.Add("name", "Names that begin with %s are the server's own; choose another.", Prefix)
	}
	if !plainText(f.Description, maxDescription) {
		problems.Add("description", "Write at most %d characters, none of them control characters.", maxDescription)
	}
	switch f.Kind {
	case "":
		f.Kind = Any
	case Any, User, System:
	case OpenID:
		problems.Add("kind", "The kind openid is that of the built-in scopes; choose user, system or any.")
	default:
		problems.Add("kind", "Choose user, system or any.")
	}
	f.RequiredRole = norm.NFC.String(strings.TrimSpace(f.RequiredRole)) // as roles of users are kept
	if !plainText(f.RequiredRole, maxRole) || strings.ContainsAny(f.RequiredRole, "\n\t") {
		problems.Add("required_role", "Write at most %d characters, none of them control characters.", maxRole)
	}
	if len(f.URLPatterns) > maxPatterns {
		problems.Add("url_patterns", "Write at most %d patterns.", maxPatterns)
	}
	for i, pattern := range f.URLPatterns {
		if !slices.Contains(stored, pattern) && !validPattern(pattern) {
			problems.Add("url_patterns["+strconv.Itoa(i)+"]", "Write a path that begins with /, or an http or https URL, after methods where it is for these only, as GET,POST /orders/*; it has at most %d printable ASCII characters, no query and no fragment, no //, no . or .. segment, no semicolon, no backslash and no escaped slash.", maxPattern)
		}
	}
	return problems
}

// plainText reports whether a text is one that people read: line breaks and
// tabs are its only control characters.
func plainText(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
}
