package client

import (
	"cmp"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client/rule/ipallow"
	"github.com/ostiary/ostiary/internal/core/client/rule/refresh"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// Upper bounds of what is written, in characters, and of lists.
const (
	maxVersion     = 40
	maxDescription = 2000
	maxTag         = 100
	maxTags        = 50
	maxContact     = 254 // RFC 5321 §4.5.3.1.3
	maxContacts    = 20
	maxAllowedIPs  = 1000
	maxNames       = 100 // of grants and features, before those that are there twice are taken out
)

// kinds says of each kind which type its clients have; "": either.
var kinds = map[Kind]string{Web: Confidential, SPA: PublicType, Native: PublicType, Service: Confidential, Other: ""}

// validate gives all that is wrong with the values of a client, each beside its
// field; known has the kind of each of its scopes that exists.
func (c *Client) validate(app *application.Application, known map[string]scope.Kind) (problems fault.Problems) {
	s := &c.Settings
	subject := c.Subject(app)
	inForce := s.GrantTypes.InForce(subject)
	c.validateTexts(&problems)
	c.validateFeatures(&problems)
	c.validateAuthentication(&problems)
	validateAddresses(s.AllowedIPs, &problems)
	if len(s.GrantTypes) > maxNames {
		problems.Add("grant_types", "Write at most %d.", maxNames)
	} else {
		problems = append(problems, s.GrantTypes.Validate(subject)...)
	}
	problems = append(problems, s.Scopes.Validate(known, inForce)...)
	problems = append(problems, s.Redirect.Validate(c.Kind == Native)...)
	problems = append(problems, s.AccessToken.Validate()...)
	problems = append(problems, s.Refresh.Validate(refresh.Subject{
		Public: c.Public, Granted: slices.Contains(inForce, oauth.RefreshToken),
	})...)
	if text := s.PKCE.Validate(c.Public); text != "" {
		problems.Add("require_pkce", "%s", text)
	}
	return append(problems, s.RateLimit.Validate("rate_limit")...)
}

func (c *Client) validateTexts(problems *fault.Problems) {
	if len(c.Version) > maxVersion*utf8.UTFMax || utf8.RuneCountInString(c.Version) > maxVersion || !utf8.ValidString(c.Version) ||
		strings.ContainsFunc(c.Version, unicode.IsControl) {
		problems.Add("version", "Write at most %d characters, none of them control characters.", maxVersion)
	}
	s := &c.Settings
	if !prose(s.Description, maxDescription) {
		problems.Add("description", "Write at most %d characters, none of them control characters save line breaks and tabs.", maxDescription)
	}
	if len(s.Tags) > maxTags {
		problems.Add("tags", "Write at most %d tags.", maxTags)
	} else {
		for i, tag := range s.Tags {
			if tag == "" || utf8.RuneCountInString(tag) > maxTag || !utf8.ValidString(tag) || strings.ContainsFunc(tag, unicode.IsControl) {
				problems.Add(indexed("tags", i), "Write 1 to %d characters, none of them control characters.", maxTag)
			}
		}
	}
	if len(s.Contacts) > maxContacts {
		problems.Add("contacts", "Write at most %d addresses.", maxContacts)
		return
	}
	for i, contact := range s.Contacts {
		if !mailAddress(contact) {
			problems.Add(indexed("contacts", i), "Write a mail address, such as team@example.com, without a name.")
		}
	}
}

// prose reports whether a text is one that people read.
func prose(text string, most int) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= most &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\r\n\t", r) })
}

func mailAddress(text string) bool {
	if len(text) > maxContact {
		return false
	}
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text
}

func (c *Client) validateFeatures(problems *fault.Problems) {
	set := c.Settings.Features
	if len(set) > maxNames {
		problems.Add("features", "Write at most %d.", maxNames)
		return
	}
	for i, f := range set {
		if !KnownFeature(string(f)) {
			problems.Add(indexed("features", i), "There is no such feature; there are %s.", strings.Join(words(features), ", "))
		}
	}
	if set.Has(Metadata) {
		*problems = append(*problems, ErrMetadata)
	}
	if set.Has(LoginClient) && slices.ContainsFunc(set, func(f Feature) bool { return f != LoginClient }) {
		*problems = append(*problems, ErrLoginClient)
	}
}

func (c *Client) validateAuthentication(problems *fault.Problems) {
	s := &c.Settings
	switch {
	case s.AuthMethod == "":
	case !slices.Contains([]string{AuthBasic, AuthPost, AuthNone}, s.AuthMethod):
		problems.Add("token_endpoint_auth_method", "Choose client_secret_basic, client_secret_post or none.")
	case c.Public:
		problems.Add("token_endpoint_auth_method", "A public client has the method none.")
	case s.AuthMethod == AuthNone:
		problems.Add("token_endpoint_auth_method", "A confidential client authenticates: choose client_secret_basic or client_secret_post.")
	}
	if s.IssueSecret && c.Kind != Native {
		problems.Add("issue_secret", "This is for clients of kind native; others have a secret where they are confidential.")
	}
	if !s.IssueSecret && c.Public && len(c.Secrets) > 0 {
		problems.Add("issue_secret", "The client has secrets; retire them first.")
	}
}

func validateAddresses(entries ipallow.Setting, problems *fault.Problems) {
	if len(entries) > maxAllowedIPs {
		problems.Add("allowed_ips", "Write at most %d entries.", maxAllowedIPs)
		return
	}
	for i, entry := range entries {
		if _, ok := ipallow.Parse(entry); !ok {
			problems.Add(indexed("allowed_ips", i), "Write an address, or an address, a slash and a prefix length.")
		}
	}
}

// apart gives the problems that are not among the old ones: what an earlier
// write left, under rules or settings of its time, refuses no later one.
func apart(problems, old fault.Problems) fault.Problems {
	return slices.DeleteFunc(problems, func(p *fault.Error) bool {
		return slices.ContainsFunc(old, func(q *fault.Error) bool { return p.Field == q.Field && p.Message == q.Message })
	})
}

// inOrder puts problems in the order of the fields.
func inOrder(problems fault.Problems) fault.Problems {
	slices.SortStableFunc(problems, func(a, b *fault.Error) int { return cmp.Compare(position(a.Field), position(b.Field)) })
	return problems
}

// position gives where the field of a problem stands in the table.
func position(name string) int {
	if i := strings.IndexAny(name, "[."); i >= 0 {
		name = name[:i]
	}
	i := slices.IndexFunc(fields, func(d field) bool { return d.Name == name })
	if i < 0 {
		return len(fields)
	}
	return i
}
