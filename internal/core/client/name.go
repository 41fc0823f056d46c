package client

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// maxName is the longest name, in characters.
const maxName = 255

// What is wrong with a name.
var (
	ErrNoName  = fault.Invalidf("name", "Give the client a name.")
	ErrBadName = fault.Invalidf("name", "A name has at most %d characters, none of them control characters.", maxName)
)

// CleanName trims a name and refuses one that cannot be a client's, with
// ErrNoName or ErrBadName.
func CleanName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", ErrNoName
	case !utf8.ValidString(name), utf8.RuneCountInString(name) > maxName, strings.ContainsFunc(name, unicode.IsControl):
		return "", ErrBadName
	default:
		return name, nil
	}
}

// maxID is the longest client id, in bytes.
const maxID = 128

// ValidID reports whether a client can have this id: [A-Za-z0-9._~-]{1,128}.
func ValidID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("._~-", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// reservedIDs cannot be given to a client that is made: in the paths of the
// management API they are something else, or are resolved away by whoever sends
// the request (RFC 3986 §5.2.4).
var reservedIDs = []string{"import", "export", ".", ".."}

// IDRefusal says why a client that is made cannot have an id; "" where it can.
func IDRefusal(id string) string {
	switch {
	case !ValidID(id):
		return fmt.Sprintf("Write 1 to %d characters of A-Z, a-z, 0-9 and . _ ~ -.", maxID)
	case slices.Contains(reservedIDs, id):
		return "Choose another id: " + strings.Join(reservedIDs, ", ") + " have a meaning of their own in the paths of the API."
	default:
		return ""
	}
}
