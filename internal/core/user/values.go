package user

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// reader judges a value that is not null, and gives it as it is kept; or says
// what to write instead.
type reader func(v any, length int) (clean any, refusal string)

var readers = map[Type]reader{
	String: readString, Integer: readInteger, Decimal: readDecimal, Boolean: readBoolean,
	Date: readDate, DateTime: readDateTime, JSON: readJSON,
}

func readString(v any, length int) (any, string) {
	text, ok := v.(string)
	if !ok {
		return nil, "Write a string."
	}
	if !plainText(text) {
		return nil, "Write text without control characters."
	}
	if length > 0 && utf8.RuneCountInString(text) > length {
		return nil, fmt.Sprintf("Write at most %d characters.", length)
	}
	if text == "" {
		return nil, "" // as good as none
	}
	return text, ""
}

func readInteger(v any, _ int) (any, string) {
	if n, ok := v.(json.Number); ok {
		if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
			return json.Number(strconv.FormatInt(i, 10)), ""
		}
	}
	return nil, "Write a whole number of at most 64 bits."
}

// maxDecimal bounds a decimal number, in characters.
const maxDecimal = 40

func readDecimal(v any, _ int) (any, string) {
	if n, ok := v.(json.Number); ok && len(n) <= maxDecimal {
		if _, err := n.Float64(); err == nil { // its exponent is within bounds, too
			return n, ""
		}
	}
	return nil, fmt.Sprintf("Write a number of at most %d characters.", maxDecimal)
}

func readBoolean(v any, _ int) (any, string) {
	if b, ok := v.(bool); ok {
		return b, ""
	}
	return nil, "Write true or false."
}

func readDate(v any, _ int) (any, string) {
	text, _ := v.(string)
	if day, err := time.Parse(time.DateOnly, text); err == nil && day.Year() > 0 {
		return text, ""
	}
	return nil, "Write a day as 2006-01-02."
}

// productTime is how the user-record API writes times.
const productTime = "2006-01-02 15:04:05.999999 -0700"

// keptTime is how they are kept.
const keptTime = "2006-01-02T15:04:05.999999Z"

func readDateTime(v any, _ int) (any, string) {
	text, _ := v.(string)
	for _, form := range []string{time.RFC3339, productTime} {
		if t, err := time.Parse(form, text); err == nil && t.UTC().Year() > 0 && t.UTC().Year() < 10_000 {
			return t.UTC().Format(keptTime), ""
		}
	}
	return nil, "Write a time as 2006-01-02T15:04:05Z (RFC 3339)."
}

func readJSON(v any, _ int) (any, string) {
	if !bounded(v, maxDepth) {
		return nil, fmt.Sprintf("Write JSON that is at most %d levels deep, lists of at most %d elements, and text without the character 0.", maxDepth, maxElements)
	}
	return v, ""
}

func bounded(v any, depth int) bool {
	switch v := v.(type) {
	case string:
		return utf8.ValidString(v) && !strings.ContainsRune(v, 0)
	case json.Number:
		return len(v) <= maxDecimal
	case []any:
		return depth > 0 && len(v) <= maxElements && !slices.ContainsFunc(v, func(e any) bool { return !bounded(e, depth-1) })
	case map[string]any:
		for name, member := range v {
			if depth == 0 || strings.ContainsRune(name, 0) || !bounded(member, depth-1) {
				return false
			}
		}
		return true
	default:
		return true
	}
}

// plainText reports whether a text is one that people read: line breaks and
// tabs are its only control characters.
func plainText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' })
}

func sortedNames(members map[string]any) []string { return slices.Sorted(maps.Keys(members)) }

// short bounds a name that a stranger made up before it is answered.
func short(name string) string {
	const longest = 64
	if utf8.RuneCountInString(name) > longest {
		return string([]rune(name)[:longest]) + "…"
	}
	return name
}
