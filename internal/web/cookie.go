package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Cookie is a cookie that only the server reads, bound to what is below one of
// its URLs. Its values have the characters of base64url and dots.
type Cookie struct {
	name, path string
	secure     bool
}

// NewCookie makes a cookie for what is below base, an absolute URL without a
// slash at the end. Over https the name gets the prefix __Secure-, so that no
// answer over http can set it (RFC 6265bis §4.1.3.1).
func NewCookie(name, base string) Cookie {
	c := Cookie{name: name, path: "/"}
	if u, err := url.Parse(base); err == nil {
		c.path = u.EscapedPath() + "/"
		c.secure = u.Scheme == "https"
	}
	if c.secure {
		c.name = "__Secure-" + name
	}
	return c
}

// NewHostCookie makes a cookie for a whole host, that of base. Over https the
// name gets the prefix __Host-, so that no other host can set it (RFC 6265bis
// §4.1.3.2).
func NewHostCookie(name, base string) Cookie {
	c := Cookie{name: name, path: "/", secure: strings.HasPrefix(base, "https:")}
	if c.secure {
		c.name = "__Host-" + name
	}
	return c
}

// Read gives the value; "" where the browser sent none. Of two with one name
// browsers send that of the longer path first (RFC 6265 §5.4).
func (c Cookie) Read(r *http.Request) string {
	sent, err := r.Cookie(c.name)
	if err != nil {
		return ""
	}
	return sent.Value
}

// Write sets the value for a time; 0: until the browser is closed.
func (c Cookie) Write(w http.ResponseWriter, value string, lifetime time.Duration) {
	http.SetCookie(w, c.with(value, int(lifetime/time.Second)))
}

// Clear has the browser forget it.
func (c Cookie) Clear(w http.ResponseWriter) { http.SetCookie(w, c.with("", -1)) }

// with is the cookie as it is sent. SameSite=Lax: links and redirects from
// elsewhere find the user signed in, forms from elsewhere do not.
func (c Cookie) with(value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: Secure wherever the server is reached over https
		Name: c.name, Value: value, Path: c.path, MaxAge: maxAge,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// Name gives the name under which browsers send it.
func (c Cookie) Name() string { return c.name }
