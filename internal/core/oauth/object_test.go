package oauth_test

import (
	"encoding/json"
	"testing"

	"github.com/ostiary/ostiary/internal/core/oauth"
)

func TestObjectWritesItsMembersInOrder(t *testing.T) {
	got := oauth.NewObject(64).
		Bool("active", true).
		Words("scope", []string{"a", "b:c"}).
		Words("nothing", nil).
		Strings("aud", []string{"one"}).
		Strings("auds", []string{"one", "two"}).
		Int("exp", -5).
		Close()
	want := `{"active":true,"scope":"a b:c","aud":"one","auds":["one","two"],"exp":-5}`
	if string(got) != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestObjectAllocatesItsBufferOnly(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		oauth.NewObject(256).String("iss", "https://id.example.com/app").Int("exp", 1).Close()
	})
	if n > 1 {
		t.Fatalf("%v allocations, want at most 1", n)
	}
}

func FuzzObjectString(f *testing.F) {
	for _, seed := range []string{"", "plain", `"`, `\`, "\x00\x1f", "é€😀", "\xff\xfe", "\u2028", "a\xc3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		document := oauth.NewObject(16).String(s, s).Close()
		var got map[string]string
		if err := json.Unmarshal(document, &got); err != nil {
			t.Fatalf("%q is no JSON: %v", document, err)
		}
		want := string([]rune(s)) // U+FFFD for each byte that is not UTF-8
		if got[want] != want {
			t.Fatalf("%q came back as %q", want, got)
		}
	})
}
