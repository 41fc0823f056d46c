package redirect

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// MaxLength of a URI, in bytes.
const MaxLength = 2048

// What is refused, and what to write instead.
const (
	notAbsolute = "Write an absolute URI of at most 2,048 characters: scheme, host and path, without spaces."
	hasFragment = "Leave out the fragment, all from # on (RFC 6749 §3.1.2)."
	hasUser     = "Leave out the user name before the host."
	notHTTPS    = "Use https; http is for loopback addresses only (127.0.0.1, [::1], localhost)."
	notNative   = "Use https; a scheme of one's own is for clients of kind native."
	dangerous   = "This scheme does not lead to an application; use https, or one of your own such as com.example.app."
	notOrigin   = "Write an origin as browsers send it: scheme://host or scheme://host:port, in lower case, without the scheme's own port or a slash at the end."
)

// dangerousSchemes run code, read files or belong to something other than an
// application that waits for its answer.
var dangerousSchemes = []string{
	"about", "blob", "chrome", "content", "data", "file", "filesystem", "ftp", "ftps", "intent", "javascript",
	"jar", "mailto", "resource", "sms", "tel", "urn", "vbscript", "view-source", "ws", "wss",
}

// refusal says what is wrong with a redirect URI, "" where nothing is. A native
// client may have a scheme of its own (RFC 8252 §7.1).
func refusal(uri string, native bool) string {
	if len(uri) > MaxLength || !plain(uri) {
		return notAbsolute
	}
	if strings.Contains(uri, "#") {
		return hasFragment
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return notAbsolute
	}
	if u.User != nil {
		return hasUser
	}
	switch {
	case u.Scheme == "https" || u.Scheme == "http":
		if !goodHost(u) {
			return notAbsolute
		}
		if u.Scheme == "http" && !loopback(u.Hostname()) {
			return notHTTPS
		}
		return ""
	case slices.Contains(dangerousSchemes, u.Scheme):
		return dangerous
	case !native:
		return notNative
	case u.Opaque == "" && u.Host == "" && u.Path == "":
		return notAbsolute
	default:
		return ""
	}
}

// Valid reports whether a client, native or not, can have the redirect URI.
func Valid(uri string, native bool) bool { return refusal(uri, native) == "" }

// plain reports whether a text has the characters of a URI only (RFC 3986 §2),
// which leaves out those that browsers read in ways of their own.
func plain(uri string) bool {
	for i := range len(uri) {
		if c := uri[i]; c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return false
		}
	}
	return true
}

// goodHost reports whether an http or https URI has a host, with nothing in it
// that stands for several, and a port there can be.
func goodHost(u *url.URL) bool {
	host := u.Hostname()
	if u.Opaque != "" || host == "" || strings.ContainsAny(host, "*%,;!$&'()+=") {
		return false
	}
	if strings.Contains(host, ":") || strings.HasPrefix(u.Host, "[") {
		address, err := netip.ParseAddr(host)
		if err != nil || !address.Is6() || address.Zone() != "" {
			return false
		}
	}
	return goodPort(u)
}

func goodPort(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	port := u.Port()
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// originRefusal says what is wrong with an origin (RFC 6454 §6.2), "" where
// nothing is.
func originRefusal(origin string, native bool) string {
	if text := refusal(origin, native); text != "" {
		return text
	}
	u, err := url.Parse(origin)
	switch {
	case err != nil, u.Host == "", origin != u.Scheme+"://"+u.Host, origin != strings.ToLower(origin), !goodHost(u):
		return notOrigin
	case u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80":
		return notOrigin
	default:
		return ""
	}
}

// Match reports whether a redirect URI that was sent is the registered one:
// compared exactly, save that the port of an http URI with a loopback address
// does not count, since a native application takes what port it gets (RFC 8252
// §7.3). The name localhost is no address, and leads where a resolver says.
func Match(registered, sent string) bool {
	if registered == sent {
		return true
	}
	a, ok := withoutLoopbackPort(registered)
	if !ok {
		return false
	}
	b, ok := withoutLoopbackPort(sent)
	return ok && a == b
}

// withoutLoopbackPort takes the port out of http://127.0.0.1:port/… or
// http://[::1]:port/…; false where the URI is no such one.
func withoutLoopbackPort(uri string) (string, bool) {
	if refusal(uri, false) != "" || !strings.HasPrefix(uri, "http://") {
		return "", false
	}
	u, err := url.Parse(uri)
	if err != nil {
		return "", false
	}
	address, err := netip.ParseAddr(u.Hostname())
	if err != nil || !address.Unmap().IsLoopback() {
		return "", false
	}
	// Nothing but the port is taken away: what url.Parse would write otherwise
	// (escapes, case) must not make two URIs one.
	port := u.Port()
	if port == "" {
		return uri, true
	}
	authority := "http://" + u.Host
	return strings.TrimSuffix(authority, ":"+port) + strings.TrimPrefix(uri, authority), strings.HasPrefix(uri, authority)
}
