package protocol_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkEndpoints is what a request costs behind the HTTP server, the commit
// of one that issues a token included; a request and its writer are 9 of the
// allocations.
func BenchmarkEndpoints(b *testing.B) {
	r := newRig(b)
	jwt, opaque := r.client(), r.client(opaque)
	jwtText, opaqueText := r.mint(jwt, ""), r.mint(opaque, "")
	forged := opaqueText[:45] + "AAAA" + opaqueText[49:]
	for _, c := range []struct {
		name, method, path, body string
		caller                   creds
	}{
		{"token jwt", "POST", r.path("/oauth2/token"), "grant_type=client_credentials", jwt},
		{"token opaque", "POST", r.path("/oauth2/token"), "grant_type=client_credentials", opaque},
		{"introspect jwt", "POST", r.path("/oauth2/introspect"), "token=" + jwtText, jwt},
		{"introspect opaque", "POST", r.path("/oauth2/introspect"), "token=" + opaqueText, opaque},
		{"introspect forged", "POST", r.path("/oauth2/introspect"), "token=" + forged, opaque},
		{"metadata", "GET", r.path("/.well-known/openid-configuration"), "", jwt},
		{"jwks", "GET", r.path("/oauth2/jwks"), "", jwt},
	} {
		b.Run(c.name, func(b *testing.B) {
			authorization, form := []string{c.caller.basic()}, []string{"application/x-www-form-urlencoded"}
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					q := httptest.NewRequestWithContext(b.Context(), c.method, c.path, strings.NewReader(c.body))
					q.Header["Authorization"], q.Header["Content-Type"] = authorization, form
					r.handler.ServeHTTP(&discard{http.Header{}}, q)
				}
			})
		})
	}
}
