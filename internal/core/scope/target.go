package scope

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Target is what a request that came to a gateway asks for.
type Target struct {
	Method string // "": not known; then it is opened by patterns for every method only
	Origin string // scheme and host as https://api.example.com, in lower case, without the default port; "": not known
	Path   string // unescaped, once
}

// ParseTarget reads a request target as the gateway received it: a path, or an
// http or https URL, with a query or without. What one server may read in another
// way than the next is refused, for a path that opens here must be the path that
// is served there: an escaped slash, backslash or NUL, dot segments, empty
// segments, path parameters. A refusal is an *oauth.Error.
func ParseTarget(method, text string) (Target, error) {
	t := Target{Method: method}
	if method != "" && !validMethod(method) {
		return Target{}, oauth.AccessDenied("The original request's method is malformed.")
	}
	raw, _, _ := strings.Cut(text, "?")
	if !strings.HasPrefix(raw, "/") {
		var ok bool
		if t.Origin, raw, ok = cutOrigin(raw); !ok {
			return Target{}, oauth.AccessDenied("The original request's target is neither a path nor an http or https URL.")
		}
	}
	var ok bool
	if t.Path, ok = plainPath(raw); !ok {
		return Target{}, oauth.AccessDenied("The original request's path can be read in more than one way; send no //, no . or .. segments, no semicolon, no backslash, and no escaped slash, backslash or control character.")
	}
	return t, nil
}

// validMethod reports whether a text is a method that a gateway can be asked
// for. Methods are case-sensitive (RFC 9110 §9.1); registered ones are upper case.
func validMethod(method string) bool {
	const longest = 32
	return method != "" && len(method) <= longest && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
}

// cutOrigin takes scheme and host off a URL; the path that is left is / where
// there is none.
func cutOrigin(text string) (origin, path string, ok bool) {
	scheme, rest, ok := strings.Cut(text, "://")
	if scheme = strings.ToLower(scheme); !ok || scheme != "http" && scheme != "https" {
		return "", "", false
	}
	host, path := rest, "/"
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	host = strings.ToLower(host)
	for i := range len(host) {
		if c := host[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && strings.IndexByte("-._:[]", c) < 0 {
			return "", "", false
		}
	}
	if scheme == "http" {
		host = strings.TrimSuffix(host, ":80")
	} else {
		host = strings.TrimSuffix(host, ":443")
	}
	return scheme + "://" + host, path, host != ""
}

// plainPath unescapes a path, once; false where it is none, or can be read in
// more than one way.
func plainPath(raw string) (string, bool) {
	path, ok := unescape(raw)
	if !ok || !utf8.ValidString(path) || strings.IndexByte(raw, '#') >= 0 || !strings.HasPrefix(raw, "/") || strings.Contains(path, "//") {
		return "", false
	}
	for i := range len(path) {
		if c := path[i]; c < ' ' || c == 0x7f || c == '\\' || c == ';' {
			return "", false
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return "", false
		}
	}
	return path, true
}

// unescape undoes percent-encoding; false where there is an escaped slash, or
// half an escape.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	if strings.Contains(s, "%2f") || strings.Contains(s, "%2F") {
		return "", false
	}
	plain, err := url.PathUnescape(s)
	return plain, err == nil
}

// Opens reports whether one of the scopes named opens the target. A scope that
// is not there any more opens nothing. Where no scope of the application has a
// pattern its operators have said nothing about paths, and all are open; else a
// target that is not known is not.
func (r *Registry) Opens(ctx context.Context, applicationID string, names []string, t *Target) (bool, error) {
	guarded, err := r.guarded.Load(applicationID, func() (bool, error) { return r.guards(ctx, applicationID) })
	if err != nil || !guarded {
		return err == nil, err
	}
	if t.Path == "" {
		return false, nil
	}
	for _, name := range names {
		s, err := r.Get(ctx, applicationID, name)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(s.URLPatterns, t.matches) {
			return true, nil
		}
	}
	return false, nil
}

// guards reports whether a scope of the application has a URL pattern.
func (r *Registry) guards(ctx context.Context, applicationID string) (bool, error) {
	const page = 500
	for after := ""; ; {
		list, err := r.store.List(ctx, applicationID, after, page)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(list, func(s *Scope) bool { return len(s.URLPatterns) > 0 }) {
			return true, nil
		}
		if len(list) < page {
			return false, nil
		}
		after = Key(list[len(list)-1].Name)
	}
}

// matches holds the target against a pattern: a path, or a URL, with methods
// before it or for all of them.
func (t *Target) matches(pattern string) bool {
	if methods, rest, ok := strings.Cut(pattern, " "); ok {
		if !names(methods, t.Method) {
			return false
		}
		pattern = rest
	}
	if !strings.HasPrefix(pattern, "/") {
		origin, path, ok := cutOrigin(pattern)
		if !ok || origin != t.Origin {
			return false
		}
		pattern = path
	}
	return matchPath(pattern, t.Path)
}

// names reports whether methods, with commas between them, hold a method. Where
// GET is, so is HEAD (RFC 9110 §9.3.2).
func names(methods, method string) bool {
	for m := range strings.SplitSeq(methods, ",") {
		if m == method || m == "GET" && method == "HEAD" {
			return true
		}
	}
	return false
}

// matchPath holds an unescaped path against a pattern. A star stands for any
// characters of one segment; as the whole last segment, for all that is below.
func matchPath(pattern, path string) bool {
	pattern, path = strings.TrimPrefix(pattern, "/"), strings.TrimPrefix(path, "/")
	for {
		want, patternLeft, more := strings.Cut(pattern, "/")
		if !more && want != "" && strings.Trim(want, "*") == "" {
			return true
		}
		have, pathLeft, alsoMore := strings.Cut(path, "/")
		if more != alsoMore || !matchSegment(want, have) {
			return false
		}
		if !more {
			return true
		}
		pattern, path = patternLeft, pathLeft
	}
}

// matchSegment holds an unescaped segment against one of a pattern, whose
// escapes are undone; an escaped star is a star.
func matchSegment(want, have string) bool {
	for first := true; ; first = false {
		literal, left, star := strings.Cut(want, "*")
		literal, ok := unescape(literal)
		switch {
		case !ok:
			return false
		case !star && first:
			return have == literal
		case !star:
			return strings.HasSuffix(have, literal)
		case first:
			if have, ok = strings.CutPrefix(have, literal); !ok {
				return false
			}
		default:
			_, have, ok = strings.Cut(have, literal)
			if !ok {
				return false
			}
		}
		want = left
	}
}

// validPattern reports whether a text can open anything: methods or none, and
// then a path or an http or https URL, without a query or a fragment, whose path
// ParseTarget would not refuse.
func validPattern(pattern string) bool {
	if len(pattern) > maxPattern || strings.ContainsFunc(pattern, func(r rune) bool { return r < ' ' || r > '~' || r == '?' || r == '#' }) {
		return false
	}
	if methods, rest, ok := strings.Cut(pattern, " "); ok {
		for m := range strings.SplitSeq(methods, ",") {
			if !validMethod(m) {
				return false
			}
		}
		pattern = rest
	}
	if strings.Contains(pattern, " ") {
		return false
	}
	if !strings.HasPrefix(pattern, "/") {
		var ok bool
		if _, pattern, ok = cutOrigin(pattern); !ok {
			return false
		}
	}
	_, ok := plainPath(pattern)
	return ok
}
