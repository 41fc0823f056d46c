package resource_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/resource"
)

// RFC 8707 §2, RFC 3986 §4.3.
func TestValidIdentifier(t *testing.T) {
	for text, want := range map[string]bool{
		"https://api.example.com":                    true,
		"https://api.example.com/":                   true,
		"HTTPS://API.example.com/Orders":             true,
		"https://api.example.com:8443/a/b?c=d&e":     true,
		"http://localhost:8080":                      true,
		"https://[2001:db8::1]:8443/a":               true,
		"https://a/%c3%A9":                           true,
		"urn:example:orders":                         true,
		"tag:example.com,2026:orders":                true,
		"api://0f8fad5b-d9cb-469f-a165-70867728950e": true,
		"x:y":                                   true,
		"https://a/" + strings.Repeat("x", 990): true,
		"https://a/" + strings.Repeat("x", 991): false,
		"":                                      false,
		"orders":                                false,
		"/orders":                               false,
		"//api.example.com":                     false,
		"api.example.com/orders":                false,
		"1x:y":                                  false,
		":y":                                    false,
		"x:":                                    false,
		"https:":                                false,
		"https://":                              false,
		"https:///a":                            false,
		"https:a":                               false,
		"https://:443/a":                        false,
		"https://a:port/":                       false,
		"https://a:443443/":                     false,
		"https://a:1:2/":                        false,
		"https://[2001:db8::1/":                 false,
		"https://[2001:db8::1]x/":               false,
		"https://[]/":                           false,
		"https://api.example.com#":              false,
		"https://api.example.com/#fragment":     false,
		"https://user:secret@api.example.com/":  false,
		"https://user@api.example.com/":         false,
		"ftp://user@host/":                      false,
		"https://api.example.com/a b":           false,
		"https://api.example.com/a\n":           false,
		"https://api.example.com/é":             false,
		"https://api.example.com/%zz":           false,
		"https://api.example.com/%2":            false,
		`https://api.example.com/"`:             false,
		`https://api.example.com\a`:             false,
		"https://api.example.com/<a>":           false,
		"https://api.example.com/\x00":          false,
		"https://api.example.com https://b.example": false,
		"javascript:alert(1)":                       true, // a URI as any other; nobody follows it
	} {
		if got := resource.ValidIdentifier(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// What is taken is an absolute URI without a fragment to net/url too, and can
// stand in a list of words.
func FuzzValidIdentifier(f *testing.F) {
	for _, seed := range []string{"https://api.example.com/a?b", "urn:a:b", "https://[::1]:1/", "https://a#b", "x:%41", "https://u:p@h", "https://:1", "a b:c", "\x00:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !resource.ValidIdentifier(text) {
			return
		}
		if strings.ContainsAny(text, " #\"\\\x00") || len(text) > 1000 {
			t.Fatalf("%q is taken", text)
		}
		parsed, err := url.Parse(text)
		if err != nil {
			if strings.Contains(err.Error(), "invalid port") || strings.Contains(text, "[") || strings.Contains(text, "%") || strings.Contains(text, "//:") {
				return // net/url is stricter about hosts than RFC 3986
			}
			t.Fatalf("%q is taken; net/url: %v", text, err)
		}
		if !parsed.IsAbs() || parsed.Fragment != "" || parsed.User != nil {
			t.Fatalf("%q is taken: %+v", text, parsed)
		}
		if s := strings.ToLower(parsed.Scheme); (s == "https" || s == "http") && parsed.Hostname() == "" {
			t.Fatalf("%q is taken, without a host", text)
		}
	})
}
