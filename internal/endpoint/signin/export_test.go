package signin

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/logo"
)

// Specimen is one page in one state, made of what a test says.
type Specimen struct {
	Name string
	show func(w http.ResponseWriter, r *http.Request)
}

// Show has the page made.
func (s Specimen) Show(t testing.TB, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	r.Header = header
	s.show(w, r)
	return w
}

// Words are texts that others write.
type Words struct {
	Brand, Client, Description, Scope, Name, Email, Agent, Sent string
}

var specimenTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// Specimens are all pages in their states, with the words given in every place
// where one that others wrote can stand.
func Specimens(t testing.TB, words Words) []Specimen {
	t.Helper()
	static, err := page.Static()
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Deps{
		Issuers: func() application.Issuers { return application.Issuers{PublicURL: "https://id.example.com"} },
		Now:     func() time.Time { return specimenTime }, Static: static,
		Logos: func(string) *logo.Image { return &logo.Image{Digest: "00ff", Width: 48, Height: 24} },
	})
	if err != nil {
		t.Fatal(err)
	}
	app := &application.Application{ID: "shop", Name: words.Brand}
	app.Settings.Branding.Colour, app.Settings.Branding.Logo = "#0b6b53", "https://example.com/logo.png"
	var list []Specimen
	add := func(name, template string, data any, change ...func(*page.View)) {
		list = append(list, Specimen{name, func(w http.ResponseWriter, r *http.Request) {
			v := p.view(r, app, "")
			v.Data = data
			for _, c := range change {
				c(v)
			}
			p.write(w, r, http.StatusOK, template, v)
		}})
	}
	signInSpecimens(words, add)
	accountSpecimens(t, p, app, words, add)
	direct := func(name string, show func(w http.ResponseWriter, r *http.Request)) {
		list = append(list, Specimen{name, show})
	}
	values := map[string][]string{"state": {words.Sent}, "ui_locales": {"x"}}
	direct("problem", func(w http.ResponseWriter, r *http.Request) {
		p.Problem(w, r, app, "", oauth.InvalidRequest("The redirect_uri does not match one that is registered for this client; register it, or send one that is."), words.Sent)
	})
	direct("formpost", func(w http.ResponseWriter, r *http.Request) {
		p.FormPost(w, r, app, "", "https://app.example.com/cb", values)
	})
	direct("interstitial", func(w http.ResponseWriter, r *http.Request) {
		p.Interstitial(w, r, app, "", "com.example.app:/cb?state=x%22y")
	})
	direct("logout", func(w http.ResponseWriter, r *http.Request) {
		p.AskLogout(w, r, app, words.Client, "/shop/oauth2/logout", values)
	})
	direct("signedout", func(w http.ResponseWriter, r *http.Request) { p.SignedOut(w, r, app, "") })
	direct("server-error", func(w http.ResponseWriter, r *http.Request) { p.showError(w, r, app, errDefect) })
	return list
}

var errDefect = oauth.ServerError(nil)
