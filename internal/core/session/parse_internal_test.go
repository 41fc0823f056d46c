package session

import (
	"strings"
	"testing"
)

func FuzzIDOf(f *testing.F) {
	good, _ := newCookie()
	for _, seed := range []string{"", good, good + "A", good[:42], good[:42] + "\n", good[:42] + "=", strings.Repeat("_", 43), strings.Repeat("é", 43)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := idOf(text)
		if ok != (id != ID{}) || ok && len(text) != 43 {
			t.Fatalf("%q is taken: %v", text, ok)
		}
		if other, again := idOf(text + "A"); again && other == id {
			t.Fatalf("%q has the id of another", text)
		}
	})
}

// Each cookie has its own id, which is not the cookie.
func TestCookies(t *testing.T) {
	seen := map[ID]bool{}
	for range 100 {
		text, id := newCookie()
		got, ok := idOf(text)
		if !ok || got != id || seen[id] {
			t.Fatalf("%q: %v", text, ok)
		}
		seen[id] = true
	}
}
