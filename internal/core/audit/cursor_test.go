package audit_test

import (
	"testing"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// FuzzCursor: what is taken for a cursor is written as one again, which is the
// same place.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "1.2", "1700000000000000.42", "0.0", "1.", ".1", "-1.5", "1.2.3", "9223372036854775808.1", "+1.1", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := audit.ParseCursor(text)
		if err != nil {
			return
		}
		if (c == audit.Cursor{}) != (text == "") {
			t.Errorf("%q is %v", text, c)
		}
		if back, err := audit.ParseCursor(c.String()); err != nil || back != c {
			t.Errorf("%q is %v, written %q, and that is %v, %v", text, c, c.String(), back, err)
		}
	})
}
