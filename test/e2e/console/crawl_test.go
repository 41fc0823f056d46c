package console_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ostiary/ostiary/test/browser"
)

// names are what applications, clients, scopes and people may be called.
var names = map[string]string{
	"plain": "Billing sync",
	"long":  strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6),
	"markup": `"><script>document.title='run'</script><img src=x onerror="document.title='run'">` + strings.Repeat("W", 60) +
		"\u202e\u05d0\u05d1",
}

// TestEveryPageInABrowser follows every link of the console.
func TestEveryPageInABrowser(t *testing.T) {
	for name, text := range names {
		t.Run(name, func(t *testing.T) {
			s := filled(t, text)
			if s.documents = name == "plain"; !s.documents {
				s.looks = narrow
			}
			s.Go(s.url + "/console")
			s.look("signin")
			s.signIn()
			seen := s.crawl()
			if len(s.refused) > 0 {
				t.Errorf("links lead to errors: %s", strings.Join(s.refused, " "))
			}
			for _, page := range []string{
				"applications", "administrators", "audit", "apps-shop-overview", "apps-shop-clients", "apps-shop-new-client", "apps-shop-clients-x",
				"apps-shop-clients-x-endpoints", "apps-shop-clients-x-secrets", "apps-shop-clients-x-tokens", "apps-shop-clients-x-activity",
				"apps-shop-tokens", "apps-shop-users", "apps-shop-scopes", "apps-shop-resources", "apps-shop-keys", "apps-shop-audit",
				"apps-shop-administrators", "apps-shop-settings",
			} {
				if !slices.Contains(seen, page) {
					t.Errorf("no link leads to %s; there were %s", page, strings.Join(seen, " "))
				}
			}
		})
	}
}

// TestEveryPageOfTheFirstStart follows every link where nothing is made yet.
func TestEveryPageOfTheFirstStart(t *testing.T) {
	s := empty(t)
	s.looks = narrow
	s.signIn()
	seen := s.crawl()
	if len(s.refused) > 0 {
		t.Errorf("links lead to errors: %s", strings.Join(s.refused, " "))
	}
	for _, page := range []string{"apps-shop-overview", "apps-shop-new-client"} {
		if !slices.Contains(seen, page) {
			t.Errorf("no link leads to %s; there were %s", page, strings.Join(seen, " "))
		}
	}
}

// crawl looks at every page that a link leads to, one of each kind, and gives
// their names.
func (s *stage) crawl() []string {
	s.t.Helper()
	queue := []string{"/console"}
	var seen []string
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		s.Go(s.url + path)
		here, err := url.Parse(s.Where())
		if err != nil {
			s.t.Fatal(err)
		}
		name := kindOf(here.EscapedPath())
		if slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		if strings.Contains(name, "export") { // a file, which the browser keeps
			continue
		}
		s.look(name)
		switch title := s.Title(); {
		case title == "run":
			s.t.Errorf("a script ran on %s", path)
		case !s.there("nav.side") && !strings.HasPrefix(name, "account"):
			s.refused = append(s.refused, path) // the page of an error
		}
		links := browser.Get(s.Tab, chromedp.Evaluate[[]string](`[...document.querySelectorAll("a[href]")].map(a => a.href).filter(h => !h.includes("export"))`))
		for _, link := range links {
			to, err := url.Parse(link)
			if err != nil || !strings.HasPrefix(link, s.url+"/console") || slices.Contains(seen, kindOf(to.EscapedPath())) {
				continue
			}
			queue = append(queue, to.RequestURI())
		}
	}
	return seen
}

// kindOf names a page by its path; identifiers that are made up are all one.
func kindOf(path string) string {
	var parts []string
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(path, "/console"), "/"), "/") {
		const made = 16 // characters; no word of a path is as long
		if len(part) >= made {
			part = "x"
		}
		parts = append(parts, part)
	}
	if name := strings.Join(parts, "-"); name != "" {
		return name
	}
	return "home"
}
