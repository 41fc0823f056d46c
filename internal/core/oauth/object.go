package oauth

import (
	"strconv"
	"unicode/utf8"
)

// Object writes one flat JSON object without reflection: the claims of a token,
// or an answer of the hot path (a tenth of encoding/json's time, no allocation
// where the buffer is large enough). Members are added in order; Close ends it.
type Object []byte

// NewObject begins an object in a buffer of the capacity given, in bytes.
func NewObject(capacity int) Object { return append(make(Object, 0, capacity), '{') }

// String adds a member that is a string.
func (o Object) String(name, value string) Object {
	return appendString(o.member(name), value)
}

// Words adds a member that is a string of words with a space between each, as
// `scope` is (RFC 6749 §3.3); nothing where there are none.
func (o Object) Words(name string, words []string) Object {
	if len(words) == 0 {
		return o
	}
	o = append(o.member(name), '"')
	for i, w := range words {
		if i > 0 {
			o = append(o, ' ')
		}
		o = escape(o, w)
	}
	return append(o, '"')
}

// Strings adds a member that is an array of strings, or a string where there is
// one, as `aud` is (RFC 7519 §4.1.3).
func (o Object) Strings(name string, values []string) Object {
	if len(values) == 1 {
		return o.String(name, values[0])
	}
	return o.List(name, values)
}

// List adds a member that is an array of strings, as `amr` is (OpenID Connect
// Core 1.0 §2).
func (o Object) List(name string, values []string) Object {
	o = append(o.member(name), '[')
	for i, v := range values {
		if i > 0 {
			o = append(o, ',')
		}
		o = appendString(o, v)
	}
	return append(o, ']')
}

// Int adds a member that is a number.
func (o Object) Int(name string, value int64) Object {
	return strconv.AppendInt(o.member(name), value, 10)
}

// Bool adds a member that is true or false.
func (o Object) Bool(name string, value bool) Object {
	return strconv.AppendBool(o.member(name), value)
}

// Value adds a member that is JSON already.
func (o Object) Value(name string, value []byte) Object {
	return append(o.member(name), value...)
}

// Close ends the object and gives it.
func (o Object) Close() []byte { return append(o, '}') }

func (o Object) member(name string) Object {
	if len(o) > 1 {
		o = append(o, ',')
	}
	return append(appendString(o, name), ':')
}

func appendString(dst []byte, s string) []byte {
	return append(escape(append(dst, '"'), s), '"')
}

// escape writes the inside of a JSON string (RFC 8259 §7). What is not UTF-8
// becomes U+FFFD, as in encoding/json.
func escape(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for {
		plain := 0
		for plain < len(s) && s[plain] >= 0x20 && s[plain] < utf8.RuneSelf && s[plain] != '"' && s[plain] != '\\' {
			plain++
		}
		dst, s = append(dst, s[:plain]...), s[plain:]
		if s == "" {
			return dst
		}
		switch c := s[0]; {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s)
			dst, s = utf8.AppendRune(dst, r), s[n:]
		case c < 0x20:
			dst, s = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15]), s[1:]
		default:
			dst, s = append(dst, '\\', c), s[1:]
		}
	}
}
