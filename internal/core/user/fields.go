package user

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Fields is a user as people and programs write one. The zero value of each is
// the default.
type Fields struct {
	Email         string
	EmailVerified bool
	Attributes    map[string]any // numbers in it are json.Number
	Roles         []string
	Inactive      bool
	Password      *string // nil: as it is; "": none
}

// View is a user as the management API answers it. There is nothing in it that a
// password could be computed from.
type View struct {
	UUID           string         `json:"uuid"`
	Email          string         `json:"email"`
	EmailVerified  bool           `json:"email_verified"`
	Attributes     map[string]any `json:"attributes"`
	Roles          []string       `json:"roles"`
	Active         bool           `json:"active"`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
	LastSignedInAt *time.Time     `json:"last_signed_in_at"`
}

// View gives the user as it is answered: nothing is null but a sign-in that
// never was.
func (u *User) View() View {
	v := View{
		UUID: u.UUID, Email: u.Email, EmailVerified: !u.EmailVerifiedAt.IsZero(), Attributes: u.Attributes, Roles: u.Roles,
		Active: !u.Inactive, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
	if v.Attributes == nil {
		v.Attributes = map[string]any{}
	}
	if v.Roles == nil {
		v.Roles = []string{}
	}
	if !u.LastSignedInAt.IsZero() {
		v.LastSignedInAt = &u.LastSignedInAt
	}
	return v
}

// fields gives the user as it was written.
func (u *User) fields() Fields {
	return Fields{
		Email: u.Email, EmailVerified: !u.EmailVerifiedAt.IsZero(), Attributes: cloned(u.Attributes), Roles: slices.Clone(u.Roles),
		Inactive: u.Inactive,
	}
}

// readOnly are the members that an answer has and a write need not leave out.
var readOnly = []string{"uuid", "created_at", "updated_at", "last_signed_in_at"}

// Patch reads a merge patch (RFC 7396) onto the fields; the error is
// fault.Problems. On the zero value it reads a whole document. What is read only
// is ignored.
func (f *Fields) Patch(document []byte) error {
	var sent map[string]any
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if err := d.Decode(&sent); err != nil || sent == nil || !ends(d) {
		return fault.Problems{fault.Invalidf("", "Send a JSON object.")}
	}
	var problems fault.Problems
	for _, name := range sortedNames(sent) {
		if len(problems) == maxProblems {
			break
		}
		f.read(name, sent[name], &problems)
	}
	return problems.OrNil()
}

// ends reports whether nothing follows what was read.
func ends(d *json.Decoder) bool {
	_, err := d.Token()
	return errors.Is(err, io.EOF)
}

func (f *Fields) read(name string, v any, problems *fault.Problems) {
	switch name {
	case "email":
		email := readAs[string](name, v, "Write a string.", problems)
		if email != f.Email {
			f.EmailVerified = false // unless the document says so: its member comes after this one
		}
		f.Email = email
	case "email_verified":
		f.EmailVerified = readAs[bool](name, v, "Write true or false.", problems)
	case "active":
		f.Inactive = v != nil && !readAs[bool](name, v, "Write true or false.", problems)
	case "password":
		password := readAs[string](name, v, "Write a string.", problems)
		if v == "" {
			problems.Add(name, "Write a password, or null for none.")
		}
		f.Password = &password
	case "roles":
		list := readAs[[]any](name, v, "Write an array of strings.", problems)
		f.Roles = nil
		for i, element := range list {
			f.Roles = append(f.Roles, readAs[string](name+"["+strconv.Itoa(i)+"]", element, "Write a string.", problems))
		}
	case "attributes":
		patch := readAs[map[string]any](name, v, "Write an object.", problems)
		if v == nil {
			f.Attributes = nil
			return
		}
		f.Attributes = merged(f.Attributes, patch)
	default:
		if !slices.Contains(readOnly, name) {
			problems.Add(short(name), "There is no such field.")
		}
	}
}

// readAs gives a member as what it must be; null is the zero value.
func readAs[T any](name string, v any, refusal string, problems *fault.Problems) T {
	typed, ok := v.(T)
	if v != nil && !ok {
		problems.Add(name, "%s", refusal)
	}
	return typed
}

// merged applies a merge patch to members, as RFC 7396 §2 has it.
func merged(target map[string]any, patch map[string]any) map[string]any {
	after := make(map[string]any, len(target)+len(patch))
	maps.Copy(after, target)
	for name, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(after, name)
		case map[string]any:
			before, _ := after[name].(map[string]any)
			after[name] = merged(before, v)
		default:
			after[name] = v
		}
	}
	return after
}

// cloned copies attributes as deep as a patch may reach.
func cloned(members map[string]any) map[string]any { return merged(nil, members) }

// Bounds of the fields.
const (
	maxEmail      = 254 // bytes (RFC 5321 §4.5.3.1.3, less the angle brackets)
	maxLocal      = 64
	maxRole       = 100 // characters, as of a scope's required_role
	maxRolesCount = 100
)

// CleanEmail gives an address in the form in which it is kept; "" stays. What
// cannot be one is a fault Invalid whose Field is "email".
func CleanEmail(email string) (string, error) {
	email = norm.NFC.String(strings.TrimSpace(email))
	if email == "" {
		return "", nil
	}
	at := strings.LastIndexByte(email, '@')
	odd := func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar || strings.ContainsRune(`<>()[],;:\"`, r)
	}
	if at < 1 || at > maxLocal || at == len(email)-1 || len(email) > maxEmail || !utf8.ValidString(email) ||
		strings.ContainsFunc(email, odd) || strings.Count(email, "@") > 1 || strings.Contains(email[at:], "..") || strings.HasPrefix(email[at:], "@.") {
		return "", fault.Invalidf("email", "Write an address as name@example.com, of at most %d characters.", maxEmail)
	}
	return email, nil
}

// settle puts the fields in the form in which they are stored and gives all that
// is wrong with them.
func (f *Fields) settle(schema Schema) (problems fault.Problems) {
	email, err := CleanEmail(f.Email)
	collect(&problems, err)
	f.Email = email
	if f.Email == "" && f.EmailVerified && err == nil {
		problems.Add("email_verified", "There is no address that could be verified.")
	}
	clean, refused := schema.Clean(f.Attributes)
	problems = append(problems, refused...)
	f.Attributes = clean
	f.Roles = cleanRoles(f.Roles, &problems)
	if f.Password != nil && *f.Password != "" {
		collect(&problems, CheckPassword(*f.Password, f.Email))
	}
	return problems
}

func collect(problems *fault.Problems, err error) {
	if refusal, ok := err.(*fault.Error); ok { //nolint:errorlint // of this package itself
		*problems = append(*problems, refusal)
	}
}

// cleanRoles trims roles and drops those that are named twice.
func cleanRoles(roles []string, problems *fault.Problems) []string {
	var clean []string
	if len(roles) > maxRolesCount {
		problems.Add("roles", "Write at most %d roles.", maxRolesCount)
		return nil
	}
	for i, role := range roles {
		role = norm.NFC.String(strings.TrimSpace(role))
		if role == "" || !plainText(role) || strings.ContainsAny(role, "\r\n\t") || utf8.RuneCountInString(role) > maxRole {
			problems.Add("roles["+strconv.Itoa(i)+"]", "Write 1 to %d characters, none of them control characters.", maxRole)
		} else if !slices.Contains(clean, role) {
			clean = append(clean, role)
		}
	}
	return clean
}
