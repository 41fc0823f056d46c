package page_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ostiary/ostiary/internal/endpoint/page"
)

func catalogue(t *testing.T) *page.Catalogue {
	t.Helper()
	c, err := page.ReadCatalogue(fstest.MapFS{
		"en.json": {Data: []byte(`{"hello": "Hello {name}, {name}!", "date": "{day} {month} {year}, {time}", "month.3": "March", "ago.now": "now",
			"ago.minutes.one": "1 minute", "ago.minutes.other": "{n} minutes", "ago.hours.one": "1 hour", "ago.hours.other": "{n} hours",
			"ago.days.one": "1 day", "ago.days.other": "{n} days", "in.now": "soon", "in.hours.one": "in 1 hour", "in.days.other": "in {n} days"}`)},
		"de.json": {Data: []byte(`{"hello": "Hallo {name}"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestALanguageIsChosen(t *testing.T) {
	c := catalogue(t)
	for _, x := range []struct{ preferred, accept, want string }{
		{"", "", "en"},
		{"de", "", "de"},
		{"de-AT fr", "", "de"},
		{"fr de", "en", "de"},
		{"fr", "de-CH,en;q=0.5", "de"},
		{"", "fr, de;q=0.8, en;q=0.9", "en"},
		{"", "fr", "en"},
		{"no-such-thing !! ", "de", "de"},
		{"", ";;;q=", "en"},
		{strings.Repeat("fr ", 1000) + "de", "", "en"},
		{"", strings.Repeat("de,", 1000), "de"},
	} {
		if got := c.Choose(strings.Fields(x.preferred), x.accept); got != x.want {
			t.Errorf("%.40q, %.40q: %s, want %s", x.preferred, x.accept, got, x.want)
		}
	}
}

func TestTexts(t *testing.T) {
	c := catalogue(t)
	for _, x := range []struct{ name, want string }{
		{"Ada", "Hallo Ada"},
		{"{name}", "Hallo {name}"},
		{"A\u202egnirts\r\n", "Hallo Agnirts"},
		{"\u05d0\u2069\u202e", "Hallo \u2068\u05d0\u2069"},
	} {
		if got, err := c.Text("de", "hello", "name", x.name); err != nil || got != x.want {
			t.Errorf("%q: %q, %v, want %q", x.name, got, err, x.want)
		}
	}
	if _, err := c.Text("de", "other"); err == nil {
		t.Error("a key that is not there gives a text")
	}
	if got, err := c.Say("en", page.Say("hello", "name", "x")); err != nil || got != "Hello x, x!" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestMoments(t *testing.T) {
	c := catalogue(t)
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))
	if got := c.Date("en", now); got != "4 March 2026, 04:06" {
		t.Errorf("date %q", got)
	}
	for since, want := range map[time.Duration]string{
		-72 * time.Hour: "in 3 days", -time.Hour: "in 1 hour", -time.Second: "soon", 0: "now", 59 * time.Second: "now", time.Minute: "1 minute", 59 * time.Minute: "59 minutes",
		time.Hour: "1 hour", 25 * time.Hour: "1 day", 72 * time.Hour: "3 days",
	} {
		if got, err := c.Ago("en", now, now.Add(-since)); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", since, got, err, want)
		}
	}
}

func TestAKeyIsInOneCatalogue(t *testing.T) {
	one := fstest.MapFS{"en.json": {Data: []byte(`{"a": "1"}`)}}
	if _, err := page.ReadCatalogue(one, one); err == nil {
		t.Error("a key in two sources is taken")
	}
}

// TestASet makes a page of a surface in the kit's frame.
func TestASet(t *testing.T) {
	static, err := page.Static()
	if err != nil {
		t.Fatal(err)
	}
	set, err := page.NewSet(
		static,
		fstest.MapFS{
			"wrong.html": {Data: []byte(`{{define "title"}}{{nothing}}{{end}}`)},
			"hello.html": {Data: []byte(`{{define "title"}}{{t "hello" "name" .Data}}{{end}}{{define "content"}}<h1>{{template "part" .Data}}</h1>{{end}}`)},
			"x.part":     {Data: []byte(`{{define "part"}}{{t "hello" "name" .}}{{end}}`)},
		},
		fstest.MapFS{"en.json": {Data: []byte(`{"hello": "Hello {name}"}`)}, "de.json": {Data: []byte(`{"hello": "Hallo {name}"}`)}},
	)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	r.Header.Set("Accept-Language", "de")
	w := httptest.NewRecorder()
	v := &page.View{Language: set.Language(nil, r), Brand: "<Brand>", Data: "<b>"}
	if err := set.Write(w, http.StatusTeapot, "hello", v); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="de">`, "<title>Hallo &lt;b&gt; · &lt;Brand&gt;</title>", "<h1>Hallo &lt;b&gt;</h1>", `href="/static/page.`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page has no %s:\n%s", want, w.Body)
		}
	}
	if w.Code != http.StatusTeapot || w.Header().Get("Content-Language") != "de" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if err := set.Write(httptest.NewRecorder(), http.StatusOK, "other", v); err == nil {
		t.Error("a page that is not there is written")
	}
	if err := set.Write(httptest.NewRecorder(), http.StatusOK, "wrong", v); err == nil {
		t.Error("a page whose template is wrong is written")
	}
	if err := set.Parse(); err == nil || !strings.Contains(err.Error(), "wrong.html") {
		t.Errorf("a template is wrong, but Parse gives %v", err)
	}
}
