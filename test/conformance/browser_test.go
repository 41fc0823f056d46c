package conformance_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// browser is a user's: it keeps cookies, follows redirects and sends forms, and
// runs no scripts. Its user proves who he is, agrees, and says yes to signing
// out wherever he is asked.
type browser struct {
	*testing.T
	origin   string // of the server
	http     *http.Client
	email    string
	password string
	declines bool     // agrees to nothing
	asked    []string // what the user was asked to do, in order: signin, consent, logout
	language string   // of the last page that asked
}

// landing is where a browser ends: at an address of the client's, or on a page.
type landing struct {
	at     string     // the client's address, without what was sent there; "": a page of the server
	mode   string     // by which it was sent: query, fragment, form_post
	values url.Values // that were sent
	status int        // of the page
	page   string
}

func newBrowser(t *testing.T, origin string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{T: t, origin: origin, http: &http.Client{Jar: jar, CheckRedirect: stay}, email: email, password: password}
}

// open follows a link.
func (b *browser) open(address string) *landing {
	b.Helper()
	return b.follow(b.request(http.MethodGet, address, nil))
}

// post sends a form from the client's own page. Cookies with SameSite=Lax do not
// come with one.
func (b *browser) post(address string, form url.Values) *landing {
	b.Helper()
	r := b.request(http.MethodPost, address, form)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, text := b.send(&http.Client{CheckRedirect: b.http.CheckRedirect}, r)
	return b.arrive(answer, text)
}

func (b *browser) request(method, address string, form url.Values) *http.Request {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

func (b *browser) send(with *http.Client, r *http.Request) (*http.Response, string) {
	b.Helper()
	answer, err := with.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.Fatal(err)
	}
	return answer, string(text)
}

func (b *browser) follow(r *http.Request) *landing {
	b.Helper()
	answer, text := b.send(b.http, r)
	return b.arrive(answer, text)
}

// arrive goes on from an answer until there is nothing to go on to.
func (b *browser) arrive(answer *http.Response, text string) *landing {
	b.Helper()
	if to, err := answer.Location(); err == nil {
		if answer.StatusCode != http.StatusSeeOther {
			b.Errorf("redirected by %d, want 303", answer.StatusCode)
		}
		if strings.HasPrefix(to.String(), b.origin+"/") {
			return b.open(to.String())
		}
		return b.leave(to)
	}
	if next := b.answerPage(text); next != nil {
		return next
	}
	return &landing{status: answer.StatusCode, page: text}
}

// leave ends at the client.
func (b *browser) leave(to *url.URL) *landing {
	b.Helper()
	l := &landing{mode: "query"}
	sent, bare := to.RawQuery, *to
	if to.Fragment != "" {
		l.mode, sent = "fragment", to.EscapedFragment()
	}
	bare.RawQuery, bare.Fragment, bare.RawFragment = "", "", ""
	values, err := url.ParseQuery(sent)
	if err != nil || l.mode == "fragment" && to.RawQuery != "" {
		b.Fatalf("sent to %s: %v", to, err)
	}
	l.at, l.values = bare.String(), values
	return l
}

// answerPage does what a page asks for; nil where it asks for nothing.
func (b *browser) answerPage(text string) *landing {
	b.Helper()
	for _, f := range forms(text) {
		outside := !strings.HasPrefix(f.action, "/") && !strings.HasPrefix(f.action, b.origin+"/")
		switch {
		case outside:
			return &landing{at: f.action, mode: "form_post", values: f.values}
		case strings.HasSuffix(f.action, "/signin"):
			f.values.Set("email", b.email)
			f.values.Set("password", b.password)
			return b.submit("signin", text, f)
		case strings.HasSuffix(f.action, "/consent"):
			f.values.Set("answer", map[bool]string{true: "deny", false: "allow"}[b.declines])
			return b.submit("consent", text, f)
		case strings.HasSuffix(f.action, "/oauth2/logout"):
			return b.submit("logout", text, f)
		}
	}
	return nil
}

var language = regexp.MustCompile(`<html lang="([a-z]+)">`)

func (b *browser) submit(what, page string, f form) *landing {
	b.Helper()
	b.asked = append(b.asked, what)
	if m := language.FindStringSubmatch(page); m != nil {
		b.language = m[1]
	}
	if len(b.asked) > 5 {
		b.Fatalf("asked for %q, without end:\n%s", b.asked, page)
	}
	action := f.action
	if strings.HasPrefix(action, "/") {
		action = b.origin + action
	}
	return b.follow(b.request(http.MethodPost, action, f.values))
}

// wantAsked wants the user to have been asked for this, and nothing else, since
// the last time.
func (b *browser) wantAsked(what ...string) {
	b.Helper()
	if !slices.Equal(b.asked, what) {
		b.Errorf("the user was asked for %q, want %q", b.asked, what)
	}
	b.asked = nil
}

// form is one of a page: what a browser sends of it before anybody writes in it.
type form struct {
	action string
	values url.Values
}

var (
	formTag  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<input\b([^>]*)>`)
	attr     = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

func forms(page string) (list []form) {
	for _, m := range formTag.FindAllStringSubmatch(page, -1) {
		f := form{html.UnescapeString(m[1]), url.Values{}}
		for _, input := range inputTag.FindAllStringSubmatch(m[2], -1) {
			attributes := map[string]string{}
			for _, one := range attr.FindAllStringSubmatch(input[1], -1) {
				attributes[one[1]] = html.UnescapeString(one[2])
			}
			if name := attributes["name"]; name != "" {
				f.values.Set(name, attributes["value"])
			}
		}
		list = append(list, f)
	}
	return list
}
