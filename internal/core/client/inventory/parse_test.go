package inventory_test

import (
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/inventory"
)

func FuzzParsePlace(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"s":5}`, `{"s":-1}`, `{"n":"a","v":"1"}`, `{"s":1,"u":7}`, "[]", `{"n":"\u0000"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := inventory.ParsePlace(text)
		if err != nil {
			return
		}
		if at.Sequence < 0 {
			t.Errorf("a place before the beginning: %+v", at)
		}
		if back, err := inventory.ParsePlace(at.String()); err != nil || back != at {
			t.Errorf("%+v comes back as %+v, %v", at, back, err)
		}
	})
}
