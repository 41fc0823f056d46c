package user

import (
	"context"
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
)

// Bounds of a password, in characters (NIST SP 800-63B §5.1.1.2: at least 8, at
// least 64 allowed, no rules of composition).
const (
	minPassword = 8
	maxPassword = 256
)

//go:embed passwords.txt
var commonPasswords string

// common are the passwords that are tried first, folded.
var common = sync.OnceValue(func() map[string]bool {
	list := map[string]bool{}
	for word := range strings.FieldsSeq(commonPasswords) {
		list[word] = true
	}
	return list
})

// fold gives a text without regard to case.
func fold(s string) string { return cases.Fold().String(s) }

// NormalPassword gives a password in the form that is hashed: NFC, so that the
// keyboard that it is typed on makes no difference.
func NormalPassword(password string) string { return norm.NFC.String(password) }

// BoundedPassword is NormalPassword of what is neither too short nor too long,
// else a fault Invalid.
func BoundedPassword(password string) (string, error) {
	if len(password) > 4*maxPassword || !utf8.ValidString(password) {
		return "", errPasswordLong
	}
	password = NormalPassword(password)
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return "", errPasswordShort
	case n > maxPassword:
		return "", errPasswordLong
	}
	return password, nil
}

// CheckPassword refuses, with a fault Invalid whose Field is "password", what
// may not be the password of a user with this address.
func CheckPassword(password, email string) error {
	password, err := BoundedPassword(password)
	if err != nil {
		return err
	}
	folded, address := fold(password), fold(norm.NFC.String(email))
	local, _, _ := strings.Cut(address, "@")
	switch {
	case address != "" && (folded == address || folded == local):
		return errPasswordEmail
	case common()[folded] || oneCharacter(folded):
		return errPasswordCommon
	}
	return nil
}

// oneCharacter reports whether a text is one character again and again.
func oneCharacter(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return strings.Trim(text, string(first)) == ""
}

var (
	errPasswordShort  = fault.Invalidf("password", "Choose a password of at least %d characters.", minPassword)
	errPasswordLong   = fault.Invalidf("password", "Choose a password of at most %d characters, in UTF-8.", maxPassword)
	errPasswordEmail  = fault.Invalidf("password", "Choose a password that is not the e-mail address.")
	errPasswordCommon = fault.Invalidf("password", "This password is among those that are tried first; choose another.")
)

// HasPassword reports whether the user's password is this one, in the ring's
// bounded queue; false for a user who has none. A fault Unavailable says that
// too many wait.
func (u *User) HasPassword(ctx context.Context, keys *key.Ring, password string) (bool, error) {
	if u.PasswordHash == "" || len(password) > 4*maxPassword {
		return false, nil
	}
	return keys.VerifySecret(ctx, u.ApplicationID, u.UUID, NormalPassword(password), []byte(u.PasswordHash), 0)
}
