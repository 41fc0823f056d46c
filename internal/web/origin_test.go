package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ostiary/ostiary/internal/web"
)

func TestFromElsewhere(t *testing.T) {
	for _, c := range []struct {
		method, host, origin, site string
		want                       bool
	}{
		{"POST", "id.example.com", "", "", false}, // no browser
		{"POST", "id.example.com", "https://id.example.com", "", false},
		{"POST", "10.0.0.7:8080", "https://id.example.com", "", false}, // behind a proxy
		{"POST", "10.0.0.7:8080", "https://id.example.com", "same-origin", false},
		{"POST", "10.0.0.7:8080", "http://id.example.com", "", true},
		{"POST", "10.0.0.7:8080", "https://evil.example", "", true},
		{"POST", "id.example.com", "https://evil.example", "", true},
		{"POST", "id.example.com", "https://id.example.com.evil.example", "", true},
		{"POST", "id.example.com", "null", "", true},
		{"POST", "id.example.com", "https://id.example.com", "cross-site", true},
		{"POST", "id.example.com", "", "same-site", true},
		{"GET", "id.example.com", "https://evil.example", "cross-site", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/", http.NoBody)
		r.Host = c.host
		for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if got := web.FromElsewhere(r, "https://id.example.com/sso"); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
