package redirect_test

import (
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule/redirect"
)

// taken reports whether a URI is taken as a client's.
func taken(uri string, native bool) bool {
	return len(redirect.Setting{URIs: []string{uri}}.Validate(native)) == 0
}

func TestURIs(t *testing.T) {
	const (
		web    = "taken"
		native = "taken of native clients"
		never  = "refused"
	)
	for uri, want := range map[string]string{
		"https://app.example":                            web,
		"https://app.example/cb?a=1&b=%20":               web,
		"https://app.example:8443/cb":                    web,
		"https://xn--bcher-kva.example/":                 web,
		"https://192.0.2.1/cb":                           web,
		"https://[2001:db8::1]:8443/cb":                  web,
		"HTTPS://app.example/":                           web,
		"http://127.0.0.1/cb":                            web,
		"http://127.0.0.1:49152/cb":                      web,
		"http://127.1.2.3/":                              web,
		"http://[::1]/":                                  web,
		"http://localhost:3000/":                         web,
		"http://LOCALHOST/":                              web,
		"https://a.example/" + strings.Repeat("a", 2030): web,
		"com.example.app:/oauth2redirect":                native,
		"com.example.app:cb":                             native,
		"com.example.app://cb/x":                         native,
		"myapp://cb":                                     native,
		"https://a.example/" + strings.Repeat("a", 2031): never,
		"http://app.example/cb":                          never,
		"http://127.0.0.1.example/cb":                    never,
		"http://[::1%25eth0]/":                           never,
		"http://0.0.0.0/":                                never,
		"http://2130706433/":                             never,
		"https://app.example/cb#":                        never,
		"https://app.example/#frag":                      never,
		"com.example.app:/cb#x":                          never,
		"//app.example/cb":                               never,
		"/cb":                                            never,
		"app.example/cb":                                 never,
		"https:///cb":                                    never,
		"https:app.example":                              never,
		"https://":                                       never,
		"https://user@app.example/":                      never,
		"https://user:pass@app.example/":                 never,
		"https://app.example@evil.example/":              never,
		"https://*.app.example/":                         never,
		"https://app.example:0/":                         never,
		"https://app.example:65536/":                     never,
		"https://app.example:/":                          never,
		"https://app.example:x/":                         never,
		"https://app.exa mple/":                          never,
		" https://app.example/":                          never,
		"https://app.example/\n":                         never,
		"https://app.example\\@evil.example/":            never,
		"https://app.example/%zz":                        never,
		"https://bücher.example/":                        never,
		"https://[2001:db8::zz]/":                        never,
		"https://[192.0.2.1]/":                           never,
		"javascript:alert(1)":                            never,
		"JavaScript://app.example/%0aalert(1)":           never,
		"data:text/html,x":                               never,
		"vbscript:x":                                     never,
		"file:///etc/passwd":                             never,
		"blob:https://app.example/x":                     never,
		"urn:ietf:wg:oauth:2.0:oob":                      never,
		"intent://x#Intent;end":                          never,
		"com.example.app:":                               never,
		"1app:/cb":                                       never,
		"":                                               never,
	} {
		got := never
		switch {
		case taken(uri, false) && taken(uri, true):
			got = web
		case taken(uri, true):
			got = native
		}
		if got != want {
			t.Errorf("%q is %s, want it %s", uri, got, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	for origin, want := range map[string]bool{
		"https://app.example":       true,
		"https://app.example:8443":  true,
		"http://localhost:3000":     true,
		"http://[::1]:3000":         true,
		"https://app.example/":      false,
		"https://app.example:443":   false,
		"http://127.0.0.1:80":       false,
		"https://App.example":       false,
		"HTTPS://app.example":       false,
		"https://app.example?x":     false,
		"https://app.example#":      false,
		"http://app.example":        false,
		"com.example.app://cb":      false, // of native clients only
		"app.example":               false,
		"*":                         false,
		"null":                      false,
		"":                          false,
		"https://user@app.example":  false,
		"https://*.example":         false,
		"https://app.example, null": false,
	} {
		if got := len(redirect.Setting{Origins: []string{origin}}.Validate(false)) == 0; got != want {
			t.Errorf("%q: taken is %v", origin, got)
		}
	}
	if problems := (redirect.Setting{Origins: []string{"capacitor://localhost"}}).Validate(true); problems != nil {
		t.Error(problems)
	}
}

// A redirect URI is compared exactly, the port of an http loopback address
// excepted.
func TestMatch(t *testing.T) {
	for _, test := range []struct {
		registered, sent string
		want             bool
	}{
		{"https://app.example/cb", "https://app.example/cb", true},
		{"https://app.example/cb", "https://app.example/cb/", false},
		{"https://app.example/cb", "https://app.example/cb?x", false},
		{"https://app.example/cb", "https://APP.example/cb", false},
		{"https://app.example/cb", "https://app.example:443/cb", false},
		{"https://app.example/cb", "https://app.example:8443/cb", false},
		{"https://app.example/cb", "http://app.example/cb", false},
		{"https://127.0.0.1:1/cb", "https://127.0.0.1:2/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true},
		{"http://127.0.0.1:8000/cb", "http://127.0.0.1:49152/cb", true},
		{"http://127.0.0.1:8000/cb", "http://127.0.0.1/cb", true},
		{"http://[::1]:8000/cb?a=1", "http://[::1]:9/cb?a=1", true},
		{"http://127.0.0.1:8000", "http://127.0.0.1:9000", true},
		{"http://127.0.0.1:8000/cb", "http://127.0.0.1:9000/", false},
		{"http://127.0.0.1:8000/cb", "http://127.0.0.2:8000/cb", false},
		{"http://127.0.0.1/cb", "http://[::1]/cb", false},
		{"http://127.0.0.1/cb", "http://localhost/cb", false},
		{"http://localhost:8000/cb", "http://localhost:9000/cb", false}, // a name, not an address
		{"http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:/cb", false},
		{"http://127.0.0.1/:1", "http://127.0.0.1:1/", false},
		{"http://127.0.0.1/%63b", "http://127.0.0.1:1/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:1/cb#x", false},
		{"com.example.app:/cb", "com.example.app:/cb", true},
		{"com.example.app:/cb", "com.example.app:/CB", false},
	} {
		if got := redirect.Match(test.registered, test.sent); got != test.want {
			t.Errorf("Match(%q, %q) = %v", test.registered, test.sent, got)
		}
		if !(redirect.Setting{URIs: []string{"https://other.example", test.registered}}).Allows(test.registered) {
			t.Errorf("%q is not allowed to itself", test.registered)
		}
	}
}

var seeds = []string{
	"https://app.example/cb", "http://127.0.0.1:8000/cb?a=%20", "http://[::1]:1", "com.example.app:/cb", "javascript:alert(1)", "https://a@b/",
	"http://127.0.0.1:1@evil/", "https://app.example\\@evil/", "http://127.0.0.1:", "//x", "https://[::1%25a]/", "http://127.0.0.1:080/", "a:#", "HTTP://127.0.0.1:1/",
}

// What is taken has no fragment, nobody's name, and is https, this machine or a
// native client's own scheme.
func FuzzURI(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, uri string, native bool) {
		if !taken(uri, native) {
			return
		}
		lower := strings.ToLower(uri)
		if len(uri) > redirect.MaxLength || strings.ContainsAny(uri, "# \\\n\t\"<>") || strings.HasPrefix(lower, "javascript:") || strings.HasPrefix(lower, "data:") {
			t.Errorf("%q is taken", uri)
		}
		if !native && !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") {
			t.Errorf("%q is taken of a client that is not native", uri)
		}
		if !redirect.Match(uri, uri) || !taken(uri, true) {
			t.Errorf("%q does not match itself, or not of a native client", uri)
		}
	})
}

// Two that match differ in a port at most, and only on this machine.
func FuzzMatch(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed, "http://127.0.0.1:9/cb?a=%20")
	}
	f.Fuzz(func(t *testing.T, registered, sent string) {
		if !redirect.Match(registered, sent) || registered == sent {
			return
		}
		for _, uri := range []string{registered, sent} {
			if !strings.HasPrefix(uri, "http://127.") && !strings.HasPrefix(uri, "http://[") || !taken(uri, false) {
				t.Errorf("%q matches %q", registered, sent)
			}
		}
		if !redirect.Match(sent, registered) {
			t.Errorf("%q matches %q, but not the other way round", registered, sent)
		}
	})
}

func FuzzOrigin(f *testing.F) {
	for _, seed := range append(seeds, "https://app.example", "https://app.example:443", "capacitor://localhost", "null") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		if len(redirect.Setting{Origins: []string{origin}}.Validate(false)) > 0 {
			return
		}
		_, rest, ok := strings.Cut(origin, "://")
		if !ok || rest == "" || strings.ContainsAny(rest, "/?#@*") || origin != strings.ToLower(origin) {
			t.Errorf("%q is taken", origin)
		}
	})
}
