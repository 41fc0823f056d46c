package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// WriteHTML answers with a page that nobody keeps, frames or leaks the address
// of. Scripts, styles and images come from this server and from files only.
// Browsers hold form-action against every redirect that follows the sending of
// a form, so targets names the origins that one may end at.
func WriteHTML(w http.ResponseWriter, status int, body []byte, targets ...string) {
	actions := "'self'"
	if named := slices.DeleteFunc(slices.Clone(targets), func(t string) bool { return t == "" }); len(named) > 0 {
		actions += " " + strings.Join(named, " ")
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action "+actions)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who has gone needs no answer
}

// FormTarget gives the source expression (CSP 3 §2.3.1) of the origin that a
// URI leads to; "" for one that is not http or https, which no form may reach.
// The grammar has no IPv6 addresses: for those it is any host at that port.
func FormTarget(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(u.Host, "; ,'\"") {
		return ""
	}
	if strings.HasPrefix(u.Host, "[") {
		host := "*"
		if port := u.Port(); port != "" {
			host = "*:" + port
		}
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + u.Host
}
