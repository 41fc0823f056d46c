package redirect

import (
	"slices"
	"strings"
)

// AllowsOrigin reports whether a page of an origin, as browsers send it (RFC
// 6454 §7), may call for the client: one of a redirect URI, or one of those
// listed.
func (s Setting) AllowsOrigin(origin string) bool {
	return slices.Contains(s.Origins, origin) ||
		slices.ContainsFunc(s.URIs, func(uri string) bool { return originOf(uri) == origin && origin != "" })
}

// AllOrigins gives them all, each once, in order.
func (s Setting) AllOrigins() []string {
	all := slices.Clone(s.Origins)
	for _, uri := range s.URIs {
		if origin := originOf(uri); origin != "" {
			all = append(all, origin)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// originOf gives the origin of an http or https URI that was taken, "" of any
// other: those of schemes of one's own are no page's (RFC 6454 §4).
func originOf(uri string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	scheme = strings.ToLower(scheme)
	port := map[string]string{"https": ":443", "http": ":80"}[scheme]
	if !ok || port == "" {
		return ""
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return scheme + "://" + strings.TrimSuffix(strings.ToLower(rest), port)
}
