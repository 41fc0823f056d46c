package client

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// The words that stand where a number may.
const (
	neverWord     = "never"
	unlimitedWord = "unlimited"
)

// Lifetime is a number of seconds, or "never": it does not expire.
type Lifetime struct {
	Seconds int64
	Never   bool
}

var errLifetime = fault.Invalidf("", `Write a whole number of seconds, or "never".`)

// MarshalJSON writes a number or "never".
func (l Lifetime) MarshalJSON() ([]byte, error) { return numberOr(l.Seconds, l.Never, neverWord) }

// UnmarshalJSON reads what MarshalJSON writes and nothing else.
func (l *Lifetime) UnmarshalJSON(b []byte) (err error) {
	l.Seconds, l.Never, err = parseNumberOr(b, neverWord, errLifetime)
	return err
}

// Limit is a number, or "unlimited".
type Limit struct {
	N         int64
	Unlimited bool
}

var errLimit = fault.Invalidf("", `Write a whole number, or "unlimited".`)

// MarshalJSON writes a number or "unlimited".
func (l Limit) MarshalJSON() ([]byte, error) { return numberOr(l.N, l.Unlimited, unlimitedWord) }

// UnmarshalJSON reads what MarshalJSON writes and nothing else.
func (l *Limit) UnmarshalJSON(b []byte) (err error) {
	l.N, l.Unlimited, err = parseNumberOr(b, unlimitedWord, errLimit)
	return err
}

func numberOr(n int64, isWord bool, word string) ([]byte, error) {
	if isWord {
		return strconv.AppendQuote(nil, word), nil
	}
	return strconv.AppendInt(nil, n, 10), nil
}

// parseNumberOr reads an integer (not 5.0, 5e0 or "5") or the word.
func parseNumberOr(b []byte, word string, refusal error) (int64, bool, error) {
	if string(b) == `"`+word+`"` {
		return 0, true, nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, false, refusal
	}
	return n, false, nil
}

// AddressList is an allow list: an array of strings, or one string with commas
// between the addresses. It is written as an array.
type AddressList []string

var errAddressList = fault.Invalidf("", "Write an array of addresses or prefixes, or one string with commas between them.")

// UnmarshalJSON reads either form.
func (l *AddressList) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil && string(b) != "null" {
		*l = AddressList{}
		for entry := range strings.SplitSeq(text, ",") {
			if entry = strings.TrimSpace(entry); entry != "" {
				*l = append(*l, entry)
			}
		}
		if len(*l) == 0 && strings.Contains(text, ",") {
			return errAddressList // two that a script left empty: they are not everyone
		}
		return nil
	}
	entries, problems := parseStrings("", b)
	if problems != nil {
		return errAddressList
	}
	*l = entries
	return nil
}

// RateLimit is how much a client may ask for; nil members: no such limit.
type RateLimit = ratelimit.Setting
