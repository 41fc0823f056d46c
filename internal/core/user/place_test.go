package user_test

import (
	"testing"

	"github.com/ostiary/ostiary/internal/core/user"
)

func FuzzParsePlace(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"s":5}`, `{"s":-1}`, `{"s":1,"t":"a"}`, "[]", `{"s":1,"t":"\u0000"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := user.ParsePlace(text)
		if !ok {
			return
		}
		if at.Sequence < 0 {
			t.Errorf("a place before the beginning: %+v", at)
		}
		if back, ok := user.ParsePlace(at.String()); !ok || back != at {
			t.Errorf("%+v comes back as %+v, %t", at, back, ok)
		}
	})
}
