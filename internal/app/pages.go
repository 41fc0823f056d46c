package app

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/endpoint/signin"
	"github.com/ostiary/ostiary/internal/web"
)

// makePages makes the pages for users, and what serves the files that they are
// drawn with.
func (a *App) makePages() error {
	static, err := page.Static()
	if err != nil {
		return err
	}
	a.static = web.NewSurface("static", writeBare, static.Routes()...)
	a.pages, err = signin.New(signin.Deps{
		Applications: a.Applications, Clients: a.Clients, Scopes: a.Scopes, Sessions: a.Sessions, Consents: a.Consents,
		SignIn: a.SignIn, Desk: authorization.NewDesk(a.Ring, a.now), Issuers: a.issuers, Now: a.now, Static: static,
	})
	if err != nil {
		return err
	}
	a.SignIn.Write(a.pages.Letter)
	return nil
}

// belowApplications is what is below an application: pages for users, and the
// protocol.
func belowApplications(pages, protocol http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, below, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		segment, _, _ := strings.Cut(below, "/")
		if slices.Contains(signin.Segments, segment) {
			pages.ServeHTTP(w, r)
			return
		}
		protocol.ServeHTTP(w, r)
	})
}
