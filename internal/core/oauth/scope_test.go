package oauth_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/oauth"
)

func TestParseScope(t *testing.T) {
	for _, c := range []struct {
		in      string
		want    []string
		refused bool
	}{
		{in: "", want: nil},
		{in: "a", want: []string{"a"}},
		{in: "b a b", want: []string{"b", "a"}},
		{in: "  a   b ", want: []string{"a", "b"}},
		{in: "https://api.example.com/read!#[]~", want: []string{"https://api.example.com/read!#[]~"}},
		{in: `a"b`, refused: true},
		{in: `a\b`, refused: true},
		{in: "a\tb", refused: true},
		{in: "é", refused: true},
		{in: strings.Repeat("a", oauth.MaxScopeLength), want: []string{strings.Repeat("a", oauth.MaxScopeLength)}},
		{in: strings.Repeat("a", oauth.MaxScopeLength+1), refused: true},
	} {
		got, err := oauth.ParseScope(c.in)
		if (err != nil) != c.refused || !slices.Equal(got, c.want) {
			t.Errorf("%.40q: got %q, %v; want %q, refused %v", c.in, got, err, c.want, c.refused)
		}
	}
}

func FuzzParseScope(f *testing.F) {
	for _, seed := range []string{"", "a b", "  ", "a a", "\x00", `"`, "é", strings.Repeat("x ", 3000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		scopes, err := oauth.ParseScope(s)
		if err != nil {
			return
		}
		again, err := oauth.ParseScope(strings.Join(scopes, " "))
		if err != nil || !slices.Equal(again, scopes) {
			t.Fatalf("%q gave %q, and that %q, %v", s, scopes, again, err)
		}
		for i, name := range scopes {
			if !oauth.ValidScopeName(name) || slices.Contains(scopes[:i], name) {
				t.Fatalf("%q gave %q", s, scopes)
			}
		}
	})
}

func TestDescriptionsKeepToTheCharactersOfRFC6749(t *testing.T) {
	e := oauth.InvalidRequest("say \"x\"\\\n é, then ~")
	if want := "say 'x'?? ?, then ~"; e.Description != want {
		t.Fatalf("got %q, want %q", e.Description, want)
	}
}
