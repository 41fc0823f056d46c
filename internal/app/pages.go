package app

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/endpoint/console"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/endpoint/signin"
	"github.com/ostiary/ostiary/internal/logo"
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
	logos := logo.New(a.outbound(), a.now, logoCache)
	a.pages, err = signin.New(signin.Deps{
		Applications: a.Applications, Clients: a.Clients, Scopes: a.Scopes, Sessions: a.Sessions, Consents: a.Consents,
		Tokens: a.Tokens, SignIn: a.SignIn, Desk: authorization.NewDesk(a.Ring, a.now), Issuers: a.issuers, Now: a.now, Static: static,
		Logos: logos.Find,
	})
	if err != nil {
		return err
	}
	a.SignIn.Write(a.pages.Letter)
	return a.makeConsole(static, logos)
}

// consoleURL is where browsers find the console's host.
func (a *App) consoleURL() string {
	if a.config.ConsoleURL != "" {
		return a.config.ConsoleURL
	}
	return a.publicURL()
}

// makeConsole makes the pages for administrators. They sign in by the pages for
// users, as users of an application that no other path leads to.
func (a *App) makeConsole(static *web.Static, logos *logo.Logos) error {
	url := a.consoleURL()
	a.consolePages = a.pages.With(signin.Deps{
		Applications: application.NewRegistry(administrator.Applications{}, consoleCache), Clients: a.Clients, Scopes: a.Scopes,
		Sessions: a.Sessions, Consents: a.Consents, SignIn: a.ConsoleSignIn, Desk: authorization.NewDesk(a.Ring, a.now),
		Issuers: func() application.Issuers { return application.Issuers{PublicURL: url} }, Now: a.now, Static: static, Home: console.Home,
	})
	a.ConsoleSignIn.Write(a.consolePages.Letter)
	r := a.records()
	var err error
	a.console, err = console.New(console.Deps{
		Administrators: r.administrators, Applications: a.Applications, Settings: r.settings, Instance: r.instance,
		Clients: a.Clients, Operations: a.Operations, Inventory: r.inventory, Usage: a.Usage, Scopes: r.scopes, Resources: r.resources,
		Users: a.People, People: a.Users, Sessions: a.Sessions, SignIn: a.SignIn, OwnSignIn: a.ConsoleSignIn, Consents: a.Consents,
		Tokens: a.Tokens, Signers: a.Signers, Audit: a.Store.Audit(), Issuers: a.issuers, URL: url, Cookie: signin.ConsoleCookie(url),
		Now: a.now, Static: static, Logos: logos.Look,
	})
	return err
}

// consoleHandler is the console. Where it has a host of its own it is at no
// other, so that nothing that a page of an application's does reaches it.
func (a *App) consoleHandler(elsewhere http.Handler) http.Handler {
	all := below(a.consolePages.Surface(), a.console.Surface())
	_, host, _ := strings.Cut(a.config.ConsoleURL, "://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host != "" && r.Host != host {
			elsewhere.ServeHTTP(w, r)
			return
		}
		all.ServeHTTP(w, r)
	})
}

// below is what is below an application, or the console: the pages for who signs
// in to it, and everything else.
func below(pages, other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, below, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		segment, _, _ := strings.Cut(below, "/")
		if slices.Contains(signin.Segments, segment) {
			pages.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}
