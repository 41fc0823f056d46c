package web

import (
	"net/http"
	"net/url"
)

var crossOrigin = http.NewCrossOriginProtection()

// FromElsewhere reports whether a page of another site sent a request that
// changes something, as the browser tells (Sec-Fetch-Site, else Origin). The own
// site is the host that was called, or that of publicURL: proxies are free to call
// the server by another name.
func FromElsewhere(r *http.Request, publicURL string) bool {
	if crossOrigin.Check(r) == nil {
		return false
	}
	u, err := url.Parse(publicURL)
	return err != nil || r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != u.Scheme+"://"+u.Host
}
