package signin_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/endpoint/signin"
)

var plain = signin.Words{
	Brand: "Example Shop", Client: "Billing sync", Description: "Copies orders into the books.", Scope: "Read your orders", Name: "Ada's laptop",
	Email: "ada@example.com", Agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", Sent: "https://app.example.com/other",
}

// attack is a text that runs a script wherever it is not escaped.
const attack = `"'><script>alert(1)</script><img src=x onerror=alert(1)><b onclick=alert(1)>{{.}}</b>javascript:alert(1)`

var hostile = signin.Words{
	Brand: attack, Client: attack, Description: attack, Scope: attack, Name: attack, Email: attack, Agent: attack, Sent: attack,
}

// TestNoMarkupComesIn shows texts of strangers in every place that there is.
func TestNoMarkupComesIn(t *testing.T) {
	element := regexp.MustCompile(`(?i)<(script>|img|b )`)
	handler := regexp.MustCompile(`(?i)<[a-z][^>]*[\s"']on[a-z]+=`)
	quoted := regexp.MustCompile(`"[^"]*"`)
	for _, s := range signin.Specimens(t, hostile) {
		body := s.Show(t, http.Header{}).Body.String()
		body = strings.Replace(body, `<img class="logo" `, "<", 1) // the frame's own
		for _, bad := range []*regexp.Regexp{element, handler} {
			if found := bad.FindString(quoted.ReplaceAllString(body, `""`)); found != "" {
				t.Errorf("%s: %s", s.Name, found)
			}
		}
		if !strings.Contains(body, "alert(1)") {
			t.Errorf("%s: the test put nothing in", s.Name)
		}
		if strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: a value stands where html/template lets none stand", s.Name)
		}
	}
}

// TestEveryPageIsWhole in each language: made to its end, of a size, with the
// headers of pages.
func TestEveryPageIsWhole(t *testing.T) {
	shared := 0
	files, err := filepath.Glob("../page/static/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		shared += len(content)
	}
	const most = 100_000
	for _, language := range []string{"en", "de"} {
		for _, s := range signin.Specimens(t, plain) {
			w := s.Show(t, http.Header{"Accept-Language": {language}})
			body := w.Body.String()
			if !strings.Contains(body, `<html lang="`+language+`">`) || !strings.HasSuffix(strings.TrimSpace(body), "</html>") || strings.Count(body, "<h1") != 1 {
				t.Errorf("%s in %s is not whole:\n%s", s.Name, language, body)
			}
			if n := len(body) + shared; n > most {
				t.Errorf("%s weighs %d bytes", s.Name, n)
			}
			if strings.Contains(body, "style=") || strings.Contains(body, "<style") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(body) {
				t.Errorf("%s has a style or script of its own, which its policy forbids", s.Name)
			}
			if w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'self'; ") {
				t.Errorf("%s: %v", s.Name, w.Header())
			}
		}
	}
}

func texts(t *testing.T, language string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, directory := range []string{".", "../page"} {
		content, err := os.ReadFile(filepath.Join(directory, "messages", language+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(content, &all); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// TestTheLanguagesSayTheSame: no key is missing in one, and the same things are
// put in.
func TestTheLanguagesSayTheSame(t *testing.T) {
	english, german := texts(t, "en"), texts(t, "de")
	for _, key := range slices.Sorted(maps.Keys(english)) {
		if german[key] == "" {
			t.Errorf("%s is missing in German", key)
			continue
		}
		a, b := placeholder.FindAllString(english[key], -1), placeholder.FindAllString(german[key], -1)
		slices.Sort(a)
		slices.Sort(b)
		if key != "date" && !slices.Equal(a, b) {
			t.Errorf("%s: %v in English, %v in German", key, a, b)
		}
	}
	for key := range german {
		if english[key] == "" {
			t.Errorf("%s is missing in English", key)
		}
	}
}

// TestTextsAreUsed: every key that is named is in the catalogue, and every key
// in the catalogue is named. Some are put together.
func TestTextsAreUsed(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "templates/*", "../page/*.go", "../page/templates/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(content)
		}
	}
	english := texts(t, "en")
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:\bt|Say\(|\bn) ?"([a-z.]+)"`).FindAllStringSubmatch(source.String(), -1) {
		named[m[1]] = true
		if english[m[1]] == "" && english[m[1]+".one"] == "" {
			t.Errorf("%s is not in the catalogue", m[1])
		}
	}
	if len(named) < 50 {
		t.Errorf("only %d keys were found; the test looks in the wrong place", len(named))
	}
	for key := range english {
		stem := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		first, _, _ := strings.Cut(key, ".")
		composed := slices.Contains([]string{"scope", "problem", "month", "letter", "ago", "in"}, first)
		if !composed && !strings.Contains(source.String(), `"`+stem+`"`) {
			t.Errorf("nothing says %s", key)
		}
	}
}

func TestOnlyFormsForAClientLeave(t *testing.T) {
	for _, s := range signin.Specimens(t, plain) {
		policy := s.Show(t, http.Header{}).Header().Get("Content-Security-Policy")
		if leaves := s.Name == "formpost"; strings.HasSuffix(policy, "; form-action 'self'") == leaves || strings.Contains(policy, "form-action") == leaves {
			t.Errorf("%s: %s", s.Name, policy)
		}
	}
	if _, err := page.Static(); err != nil {
		t.Error(err)
	}
}

// RFC 9700 §4.17: what is meant for a client never goes to another window.
func TestNoPageTalksToOtherWindows(t *testing.T) {
	scripts, err := filepath.Glob("../page/static/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%q, %v", scripts, err)
	}
	for _, name := range scripts {
		script, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(`postMessage|opener|BroadcastChannel|window\.parent|window\.top`).Find(script); found != nil {
			t.Errorf("%s: %s", name, found)
		}
	}
}
