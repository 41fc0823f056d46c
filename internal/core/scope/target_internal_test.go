package scope

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]Target{
		"/":                                {Path: "/"},
		"/orders/1?a=//..;%2f#":            {Path: "/orders/1"},
		"/caf%C3%A9/a%20b":                 {Path: "/café/a b"},
		"/100%25/%3f%23%2A":                {Path: "/100%/?#*"},
		"/%252f%252e%252e":                 {Path: "/%2f%2e%2e"}, // unescaped once, and no more
		"/.well-known/..a/b.":              {Path: "/.well-known/..a/b."},
		"/a/":                              {Path: "/a/"},
		"/café":                            {Path: "/café"},
		"https://API.example.com":          {Origin: "https://api.example.com", Path: "/"},
		"https://api.example.com?x":        {Origin: "https://api.example.com", Path: "/"},
		"HTTPS://api.example.com:443/a/b":  {Origin: "https://api.example.com", Path: "/a/b"},
		"http://api.example.com:80/":       {Origin: "http://api.example.com", Path: "/"},
		"http://[2001:db8::1]:8080/a?b=/c": {Origin: "http://[2001:db8::1]:8080", Path: "/a"},
	} {
		want.Method = "GET"
		if got, err := ParseTarget("GET", text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "a", "orders/1", "?", "*", "//", "//a", "/a//b", "/a/%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb", `/a\b`, "/a%00", "/a\x00", "/a%0ab", "/a%7f", "/a\tb",
		"/.", "/..", "/a/../b", "/a/.", "/a/..", "/%2e", "/a/%2E%2e/b", "/a/.%2e", "/a/%2e./b", "/a;b", "/a/..;/b", "/a%3bb", "/a#b", "/a%", "/a%2", "/a%zz", "/%ff", "/\xff",
		"ftp://a/b", "https://", "https:///a", "https://a@b/c", "https://a b/c", "https://a%2fb/c", `https://a\b/c`, "https://a/../b", "https:/a", "javascript:/a",
	} {
		if got, err := ParseTarget("GET", text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
	for method, want := range map[string]bool{"": true, "GET": true, "M-SEARCH": true, "get": false, "GET x": false, "G\nT": false, strings.Repeat("A", 33): false} {
		if _, err := ParseTarget(method, "/"); (err == nil) != want {
			t.Errorf("%q: %v", method, err)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, opens, not string }{
		{"/", "/", "/a //"},
		{"/orders", "/orders", "/ /order /orders/ /orders/1 /ORDERS /ordersx"},
		{"/orders/", "/orders/", "/orders /orders/1"},
		{"/orders/*", "/orders/ /orders/1 /orders/1/items /orders/1/", "/orders /ordersx /order/1 /a/orders/1"},
		{"/*", "/ /a /a/b", ""},
		{"/**", "/ /a /a/b", ""},
		{"/orders/*/items", "/orders/1/items /orders/abc/items", "/orders/1/2/items /orders/1 /orders/items /orders/1/items/2"},
		{"/orders/*/", "/orders/1/", "/orders/1 /orders/"},
		{"/a*", "/a /ab", "/ab/c /b /A"},
		{"/*.json", "/.json /a.json", "/a.jsonx /a/b.json"},
		{"/a*b*c/d", "/abc/d /axxbxxc/d /abbcc/d", "/ac/d /acb/d /abc/d/e"},
		{"/aa*a", "/aaa /aaaa", "/aa"},
		{"/caf%C3%A9/%2A", "/café/*", "/caf%C3%A9/* /café/x"},
		{"/a%2fb", "", "/a/b"},
		{"GET /a", "GET:/a HEAD:/a", "POST:/a /a get:/a"},
		{"GET,POST /a/*", "GET:/a/1 POST:/a/1 HEAD:/a/1", "PUT:/a/1 /a/1"},
		{"HEAD /a", "HEAD:/a", "GET:/a"},
		{"https://api.example.com/a/*", "https://api.example.com/a/1 https://API.example.com:443/a/1", "/a/1 http://api.example.com/a/1 https://api.example.com.evil.example/a/1 https://api.example.com:8443/a/1"},
		{"DELETE https://API.example.com:443/a", "DELETE:https://api.example.com/a", "DELETE:/a https://api.example.com/a"},
		{"http://x.example", "http://x.example http://x.example/", "http://x.example/a"},
		{"https://*.example.com/a", "", "https://api.example.com/a"},
	} {
		for text, want := range both(c.opens, c.not) {
			method := ""
			if m, rest, ok := strings.Cut(text, ":"); ok && !strings.HasPrefix(rest, "//") {
				method, text = m, rest
			}
			target := Target{Method: method, Path: text}
			if strings.Contains(text, "://") {
				var err error
				if target, err = ParseTarget(method, text); err != nil {
					t.Fatal(err)
				}
			}
			if got := target.matches(c.pattern); got != want {
				t.Errorf("%s: %s %s: %v", c.pattern, method, text, got)
			}
		}
	}
}

func both(opens, not string) map[string]bool {
	texts := map[string]bool{}
	for text := range strings.FieldsSeq(opens) {
		texts[text] = true
	}
	for text := range strings.FieldsSeq(not) {
		texts[text] = false
	}
	return texts
}

// FuzzParseTarget: what is taken is a clean path, however it was written, and
// the same for everybody who unescapes once.
func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"/", "/a/b?c", "/%2e%2e/a", "/a%2fb", "//", "/a;b", "https://a.example/b", "https://a@b/c", "/%", "/%25%32%66", "/a/./b", "\\", "/\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseTarget("", text)
		if err != nil {
			return
		}
		if clean := path.Clean(got.Path); clean != got.Path && clean+"/" != got.Path || strings.ContainsAny(got.Path, "\\;\x00\n") {
			t.Fatalf("%q is taken as %q", text, got.Path)
		}
		raw, _, _ := strings.Cut(text, "?")
		raw = raw[len(raw)-len(afterOrigin(raw)):]
		if plain, err := url.PathUnescape(raw); err != nil || plain != got.Path && (raw != "" || got.Path != "/") {
			t.Fatalf("%q is %q here, and %q elsewhere (%v)", text, got.Path, plain, err)
		}
		if got.Origin != "" {
			u, err := url.Parse(got.Origin)
			if err == nil && (u.User != nil || u.Host == "") {
				t.Fatalf("%q has the origin %q", text, got.Origin)
			}
		}
	})
}

// afterOrigin gives the path of a URL, or of a path.
func afterOrigin(raw string) string {
	if _, rest, ok := strings.Cut(raw, "://"); ok && raw[0] != '/' {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
		return ""
	}
	return raw
}

// FuzzPattern: a pattern that may be stored opens what it says, and stays below
// what stands before its first star.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{{"/a/*", "/a/b/c"}, {"GET /a", "/a"}, {"/a*b*c", "/abc"}, {"https://a.example/*", "/x"}, {"/%2A", "/*"}, {"/*/*/b", "/a/a/b"}, {"GET,", "/"}, {"/caf%C3%A9/*", "/café/1"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		target, err := ParseTarget("GET", text)
		if err != nil || !validPattern(pattern) {
			return
		}
		_, bare, ok := strings.Cut(pattern, " ")
		if !ok {
			bare = pattern
		}
		if strings.IndexByte(bare, '*') < 0 {
			exact, err := ParseTarget("", bare)
			if err != nil {
				t.Fatalf("%q is a pattern and no target: %v", pattern, err)
			}
			same := exact.Path == target.Path && (strings.HasPrefix(bare, "/") || exact.Origin == target.Origin)
			if target.matches(pattern) && !same || same && bare == pattern && !target.matches(pattern) {
				t.Fatalf("%q and %q", pattern, text)
			}
			return
		}
		if strings.HasPrefix(bare, "/") && target.matches(pattern) {
			before, _, _ := strings.Cut(bare, "*")
			if plain, ok := unescape(before); !ok || !strings.HasPrefix(target.Path, plain) {
				t.Fatalf("%q opens %q", pattern, text)
			}
		}
	})
}
