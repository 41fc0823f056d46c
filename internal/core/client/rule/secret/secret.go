// Package secret is the rule of what a client's secrets may be: those that
// somebody chose, their labels, how many there are and how long one that was
// replaced goes on working. Digests and seals are package key's.
package secret

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds.
const (
	Max        = 10  // secrets of a client at a time
	MinLength  = 24  // characters of one that somebody chose
	MaxLength  = 256 // so that a header of 8 KiB holds it however it is escaped
	MaxLabel   = 100 // characters
	MaxOverlap = 168 // hours that a replaced secret may still work: a week
	StrongBits = 128 // of estimated entropy; from here on a plain HMAC is as good as a slow hash
	MadeBits   = 104 // the same where LooksMade: the estimate of 32 random characters of 31 is 130 on average, and seldom below 115
)

// Refusal says what is wrong with a secret that somebody chose, "" where
// nothing is. Printable ASCII is what HTTP Basic carries alike everywhere.
func Refusal(text string) string {
	if len(text) < MinLength || len(text) > MaxLength || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Sprintf("A secret has %d to %d printable ASCII characters without spaces.", MinLength, MaxLength)
	}
	return ""
}

// LooksMade reports whether a program drew a text rather than a person chose it:
// letters and digits change places in it again and again, as they do 12 times in
// 32 random characters, while people put their digits together.
func LooksMade(text string) bool {
	const least = 4
	changes, was := 0, ' '
	for _, r := range text {
		is := ' '
		switch {
		case '0' <= r && r <= '9':
			is = '0'
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z':
			is = 'a'
		}
		if is != ' ' && was != ' ' && is != was {
			changes++
		}
		was = is
	}
	return changes >= least
}

// LabelRefusal says what is wrong with a label, "" where nothing is.
func LabelRefusal(label string) string {
	if !utf8.ValidString(label) || utf8.RuneCountInString(label) > MaxLabel || strings.ContainsFunc(label, unicode.IsControl) {
		return fmt.Sprintf("Write at most %d characters, none of them control characters.", MaxLabel)
	}
	return ""
}
