package user

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/oauth"
)

// claim is one claim of OpenID Connect Core 1.0 §5.1: the scope that stands for
// it (§5.4), and where it comes from; nil: it is not known.
type claim struct {
	name, scope string
	of          func(u *User) any
}

var claims = []claim{
	{"name", "profile", fullName},
	{"given_name", "profile", attribute("givenName")},
	{"middle_name", "profile", attribute("middleName")},
	{"family_name", "profile", attribute("familyName")},
	{"nickname", "profile", attribute("nickname")},
	{"picture", "profile", attribute("picture")},
	{"website", "profile", attribute("website")},
	{"gender", "profile", attribute("gender")},
	{"birthdate", "profile", attribute("birthday")},
	{"zoneinfo", "profile", attribute("zoneinfo")},
	{"locale", "profile", attribute("locale")},
	{"updated_at", "profile", func(u *User) any { return u.UpdatedAt.Unix() }},
	{"email", "email", func(u *User) any { return text(u.Email) }},
	{"email_verified", "email", emailVerified},
	{"address", "address", address},
	{"phone_number", "phone", attribute("phoneNumber")},
	{"phone_number_verified", "phone", phoneVerified},
}

// ClaimNames gives the claims that a user may have, beside sub.
func ClaimNames() []string {
	names := make([]string, len(claims))
	for i := range claims {
		names[i] = claims[i].name
	}
	return names
}

// ScopeOf gives the scope that stands for a claim of a user (§5.4), "" where it is
// no such claim.
func ScopeOf(claim string) string {
	for i := range claims {
		if claims[i].name == claim {
			return claims[i].scope
		}
	}
	return ""
}

// Claims gives what a client is told of the user: `sub`, the claims that the
// scopes stand for, and those that were requested one by one (§5.5). One that is
// requested with values that it has not is left out, unless a scope stands for
// it; one that is not known is left out whether it is essential or not.
func (u *User) Claims(scopes []string, requested map[string]oauth.ClaimRequest) map[string]any {
	told := map[string]any{"sub": u.UUID}
	for i := range claims {
		c := &claims[i]
		request, asked := requested[c.name]
		granted := slices.Contains(scopes, c.scope)
		if !granted && !asked {
			continue
		}
		if v := c.of(u); v != nil && (granted || suits(request, v)) {
			told[c.name] = v
		}
	}
	return told
}

// suits reports whether a value is among those that are wanted (§5.5.1).
func suits(request oauth.ClaimRequest, v any) bool {
	wanted := request.Values
	if request.Value != nil {
		wanted = append([]any{request.Value}, wanted...)
	}
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w any) bool { return same(w, v) })
}

// same compares a value as it came in JSON with one of ours.
func same(wanted, have any) bool {
	switch have := have.(type) {
	case int64:
		n, ok := wanted.(json.Number)
		if !ok {
			f, isFloat := wanted.(float64)
			return isFloat && f == float64(have)
		}
		i, err := n.Int64()
		return err == nil && i == have
	case map[string]string:
		members, ok := wanted.(map[string]any)
		if !ok || len(members) != len(have) {
			return false
		}
		for name, text := range have {
			if members[name] != text {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(wanted, have)
	}
}

// text gives a string, nil where it is empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (u *User) text(name string) string {
	s, _ := u.Attributes[name].(string)
	return s
}

func attribute(name string) func(*User) any {
	return func(u *User) any { return text(u.text(name)) }
}

// fullName is the name to be shown, or what the parts of it make.
func fullName(u *User) any {
	if name := u.text("displayName"); name != "" {
		return name
	}
	return text(joined(" ", u.text("givenName"), u.text("middleName"), u.text("familyName")))
}

// Name is what the user is called; "": that is not known.
func (u *User) Name() string {
	name, _ := fullName(u).(string)
	return name
}

// joined gives the parts that are not empty.
func joined(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), separator)
}

func emailVerified(u *User) any {
	if u.Email == "" {
		return nil
	}
	return !u.EmailVerifiedAt.IsZero()
}

// phoneVerified is told only where it is known that the number was verified.
func phoneVerified(u *User) any {
	if u.text("phoneNumber") == "" || u.text("phoneNumberVerified") == "" {
		return nil
	}
	return true
}

// addressParts are the members of the claim address (§5.1.1) that are one
// attribute each.
var addressParts = []struct{ claim, attribute string }{
	{"locality", "city"},
	{"region", "stateAbbreviation"},
	{"postal_code", "zip"},
	{"country", "country"},
}

func address(u *User) any {
	from, _ := u.Attributes["primaryAddress"].(map[string]any)
	part := func(name string) string {
		s, _ := from[name].(string)
		return s
	}
	told := map[string]string{}
	for _, p := range addressParts {
		if s := part(p.attribute); s != "" {
			told[p.claim] = s
		}
	}
	if street := joined("\n", part("address1"), part("address2")); street != "" {
		told["street_address"] = street
	}
	if len(told) == 0 {
		return nil
	}
	place := joined(" ", joined(", ", part("city"), part("stateAbbreviation")), part("zip"))
	told["formatted"] = joined("\n", part("address1"), part("address2"), place, part("country"))
	return told
}
