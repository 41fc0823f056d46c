package redirect_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule/redirect"
)

func TestOriginsOfAClient(t *testing.T) {
	s := redirect.Setting{
		URIs: []string{
			"https://app.example/cb", "https://app.example:443/other", "HTTPS://Upper.example?a=b", "https://port.example:8443",
			"http://127.0.0.1:80/cb", "http://[::1]:3000/", "com.example.app:/cb", "com.example.app://cb/x",
		},
		Origins: []string{"capacitor://localhost", "https://app.example"},
	}
	want := []string{
		"capacitor://localhost", "http://127.0.0.1", "http://[::1]:3000", "https://app.example", "https://port.example:8443", "https://upper.example",
	}
	if got := s.AllOrigins(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, origin := range want {
		if !s.AllowsOrigin(origin) {
			t.Errorf("%s is refused", origin)
		}
	}
	for _, origin := range []string{
		"", "null", "https://app.example/", "https://app.example:444", "http://app.example", "https://evil.example", "https://app.example.evil.example",
		"com.example.app://cb", "com.example.app:", "HTTPS://Upper.example", "http://127.0.0.1:81",
	} {
		if s.AllowsOrigin(origin) {
			t.Errorf("%s is taken", origin)
		}
	}
	if got := (redirect.Setting{}).AllOrigins(); len(got) > 0 {
		t.Errorf("nothing has the origins %q", got)
	}
}

// What is found for a URI that can be registered is what a browser sends from
// there.
func FuzzOriginOfURI(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if !taken(uri, true) {
			return
		}
		got := redirect.Setting{URIs: []string{uri}}.AllOrigins()
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		if u.Scheme != "http" && u.Scheme != "https" {
			if len(got) > 0 {
				t.Errorf("%q has the origins %q", uri, got)
			}
			return
		}
		want := u.Scheme + "://" + strings.ToLower(u.Host)
		if port := u.Port(); u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
			want = strings.TrimSuffix(want, ":"+port)
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("%q has the origins %q, want %q", uri, got, want)
		}
	})
}
