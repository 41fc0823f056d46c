package signin_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/endpoint/signin"
	"github.com/ostiary/ostiary/internal/logo"
	"github.com/ostiary/ostiary/internal/servertest"
)

// TestTheLogoIsServedFromHere, drawn anew, and only while it is the one of the
// application.
func TestTheLogoIsServedFromHere(t *testing.T) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 60, 30))); err != nil {
		t.Fatal(err)
	}
	drawn, err := logo.Redraw(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	s := servertest.Start(t, servertest.Options{})
	static, err := page.Static()
	if err != nil {
		t.Fatal(err)
	}
	const url = "https://example.com/logo.png"
	pages, err := signin.New(signin.Deps{
		Applications: s.App.Applications, Sessions: s.App.Sessions, SignIn: s.App.SignIn, Static: static, Now: s.Clock.Now,
		Issuers: func() application.Issuers { return application.Issuers{PublicURL: s.URL} },
		Logos: func(asked string) *logo.Image {
			if asked != url {
				t.Errorf("the logo at %q is asked for", asked)
			}
			return drawn
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	surface := pages.Surface()
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		surface.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/"+s.ApplicationID+path, http.NoBody))
		return w
	}
	if w := get("/signin"); w.Code != http.StatusOK || bytes.Contains(w.Body.Bytes(), []byte("<img")) {
		t.Errorf("without a logo: %d\n%s", w.Code, w.Body)
	}
	_, err = s.App.Applications.Change(t.Context(), s.ApplicationID, func(a *application.Application) (audit.Event, error) {
		a.Settings.Branding.Logo = url
		return audit.New(audit.System(), a.ID, "application.update", "application:"+a.ID, s.Clock.Now()), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	path := "/signin/logo/" + drawn.Digest
	if w := get("/signin"); !bytes.Contains(w.Body.Bytes(), []byte(`src="/`+s.ApplicationID+path+`" width="30" height="15" alt=""`)) {
		t.Errorf("the page has no logo:\n%s", w.Body)
	}
	if w := get(path); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/png" || !bytes.Equal(w.Body.Bytes(), drawn.PNG) {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := get("/signin/logo/0123"); w.Code != http.StatusNotFound {
		t.Errorf("another digest: %d", w.Code)
	}
}
