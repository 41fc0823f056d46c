// Package signin is the pages that users see: signing in, registering, a
// forgotten password, consent, their own account, and the pages on which the
// authorization endpoint ends where it does not redirect. It knows how things
// are shown and what a form sends; who may sign in, what a session is and what
// was consented to is known in the core.
package signin

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/logo"
	"github.com/ostiary/ostiary/internal/web"
)

//go:embed templates messages
var files embed.FS

// Deps is what the pages ask.
type Deps struct {
	Applications *application.Registry
	Clients      *client.Registry
	Scopes       *scope.Registry
	Sessions     *session.Service
	Consents     *consent.Service
	Tokens       *token.Service
	SignIn       *signin.Service
	Desk         *authorization.Desk
	Issuers      func() application.Issuers
	Now          func() time.Time
	Static       *web.Static // of package page

	// Logos gives the logo at a URL; nil: there is none to show.
	Logos func(url string) *logo.Image

	// Home is where who signed in goes on to, and whence the pages lead back: the
	// console. "": the own account, as users have it.
	Home string
}

// Pages makes the pages. It is safe for concurrent use.
type Pages struct {
	Deps
	set *page.Set
}

// New reads the templates and texts.
func New(d Deps) (*Pages, error) {
	templates, err := fs.Sub(files, "templates")
	if err != nil {
		return nil, err
	}
	messages, err := fs.Sub(files, "messages")
	if err != nil {
		return nil, err
	}
	set, err := page.NewSet(d.Static, templates, messages)
	if err != nil {
		return nil, err
	}
	return &Pages{Deps: d, set: set}, nil
}

// With gives the same pages upon other services: for administrators.
func (p *Pages) With(d Deps) *Pages { return &Pages{Deps: d, set: p.set} }

// Languages are those that the pages are written in.
func (p *Pages) Languages() []string { return p.set.Languages() }

// path gives the path of a page of an application.
func (p *Pages) path(app *application.Application, below string) string {
	issuers := p.Issuers()
	return strings.TrimPrefix(issuers.Of(app.ID), issuers.PublicURL) + below
}

// nobody is whose page it is where there is no application.
const nobody = "Ostiary"

// view is the frame of a page. locales are those of the authorization request,
// as it was sent.
func (p *Pages) view(r *http.Request, app *application.Application, locales string) *page.View {
	v := &page.View{Language: p.set.Language(strings.Fields(locales), r), Brand: nobody, Now: p.Now()}
	if app == nil {
		return v
	}
	v.Brand, v.Home = brand(app), p.Home
	if colour, ok := strings.CutPrefix(app.Settings.Branding.Colour, "#"); ok {
		v.Colours = p.path(app, coloursPath+"/"+colour)
	}
	if image := p.logo(app); image != nil {
		v.Logo = &page.Picture{Path: p.path(app, logoPath+"/"+image.Digest), Width: image.Width, Height: image.Height}
	}
	return v
}

func (p *Pages) logo(app *application.Application) *logo.Image {
	if app.Settings.Branding.Logo == "" {
		return nil
	}
	return p.Logos(app.Settings.Branding.Logo)
}

// serveLogo serves the logo as it is now; its path says which one that is.
func (p *Pages) serveLogo(w http.ResponseWriter, r *http.Request) error {
	app, err := p.Applications.Get(r.Context(), r.PathValue("app"))
	if err != nil {
		return err
	}
	image := p.logo(app)
	if image == nil || image.Digest != r.PathValue("digest") {
		return web.ErrNotFound
	}
	web.WriteForGood(w, "image/png", image.PNG)
	return nil
}

// colours is the style sheet of a colour. It says nothing about any
// application, so that no name of one can be tried out here.
func (p *Pages) colours(w http.ResponseWriter, r *http.Request) error {
	css, ok := page.Colours(":root", "#"+r.PathValue("colour"))
	if !ok {
		return web.ErrNotFound
	}
	web.WriteForGood(w, "text/css; charset=utf-8", []byte(css))
	return nil
}
