package store

import (
	"hash/fnv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fold gives the key by which names are unique without regard to case. Folding
// can undo the composition of NFC, so it is composed once more.
func fold(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}

// lockNumber gives the number of an advisory lock of PostgreSQL on the thing
// that parts name. It is the same on every node; two things that share one are
// only ever made to wait for each other.
func lockNumber(parts ...string) int64 {
	h := fnv.New64a()
	for _, part := range parts {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	return int64(h.Sum64()) //nolint:gosec // all 64 bits are meant
}

// storable reports whether texts can be a column: PostgreSQL takes neither the
// character 0 nor what is no UTF-8, and fails where SQLite finds nothing.
func storable(texts ...string) bool {
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
			return false
		}
	}
	return true
}

// micros gives t as it is stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant is the inverse of micros.
func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
