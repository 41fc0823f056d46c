package console_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/ostiary/ostiary/internal/endpoint/console"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/logo"
	"github.com/ostiary/ostiary/internal/servertest"
	"github.com/ostiary/ostiary/internal/web"
)

// The preview shows the logo that was fetched, or says why there is none.
func TestPreviewOfTheLogo(t *testing.T) {
	const at = "https://example.com/logo.png"
	r := start(t, servertest.Options{})
	r.api("PATCH", "", `{"branding":{"logo":"`+at+`"}}`)
	static, err := page.Static()
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 60, 30))); err != nil {
		t.Fatal(err)
	}
	drawn, err := logo.Redraw(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var fetched *logo.Image
	failed := logo.ErrNotYet
	c, err := console.New(console.Deps{
		Applications: r.App.Applications, Sessions: r.App.Sessions, URL: r.URL, Cookie: web.NewHostCookie("ostiary-console", r.URL), Now: r.Clock.Now, Static: static,
		Logos: func(asked string) (*logo.Image, error) {
			if asked != at {
				t.Errorf("the logo at %q is asked for", asked)
			}
			return fetched, failed
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	surface := c.Surface()
	home, err := url.Parse(r.URL + console.Home)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *answer {
		w := httptest.NewRecorder()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, r.at("/settings/branding"+path), http.NoBody)
		for _, one := range r.browser.Jar.Cookies(home) {
			request.AddCookie(one)
		}
		surface.ServeHTTP(w, request)
		return &answer{t, w.Code, w.Body.String(), "", w.Header()}
	}
	get("").shows(http.StatusOK, "Your logo is being fetched", `hx-trigger="load delay:1s"`).lacks("<img")
	get("?logo=https%3A%2F%2Fexample.com%2Fother.png&colour=").shows(http.StatusOK, "once it is saved").lacks("<img")
	get("/logo/" + drawn.Digest).shows(http.StatusNotFound)
	for text, why := range map[string]error{
		"could not be fetched: the answer has the status 404":     errors.New("the answer has the status 404"),
		"could not be fetched: there is no such host":             &net.DNSError{IsNotFound: true},
		"could not be fetched: its server did not answer in time": context.DeadlineExceeded,
	} {
		failed = why
		get("").shows(http.StatusOK, text).lacks("<img", "being fetched")
	}
	fetched, failed = drawn, nil
	get("").shows(http.StatusOK, `src="`+r.at("/settings/branding/logo/"+drawn.Digest)+`" width="30" height="15" alt=""`).lacks("could not", "once it is saved")
	if a := get("/logo/" + drawn.Digest).shows(http.StatusOK); a.body != string(drawn.PNG) || a.header.Get("Content-Type") != "image/png" {
		t.Errorf("%v", a.header)
	}
	get("/logo/0123").shows(http.StatusNotFound)
}
