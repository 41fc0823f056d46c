// Package logout is the end of a session at a client's wish (OpenID Connect
// RP-Initiated Logout 1.0). Where it is not sure that the user wishes it, it
// asks. What the end of a session entails is package session's.
package logout

import (
	"net/http"
	"net/url"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

// Pages are what a browser is shown here. Each writes a whole answer. locales are
// the ui_locales that were sent; "": none.
type Pages interface {
	// Problem says what is wrong, with the status of the error. app is nil where
	// there is none. detail is a stranger's text, to be escaped; often "".
	Problem(w http.ResponseWriter, r *http.Request, app *application.Application, locales string, problem *oauth.Error, detail string)
	// AskLogout asks whether the user wishes to sign out, with one form whose button
	// posts the values to action. client is the name of who asks, "": nobody known.
	AskLogout(w http.ResponseWriter, r *http.Request, app *application.Application, client, action string, values url.Values)
	// SignedOut says that nobody is signed in any more.
	SignedOut(w http.ResponseWriter, r *http.Request, app *application.Application, locales string)
}

// Parts are what the endpoint works with.
type Parts struct {
	*protocol.Parts

	Sessions *session.Service
	Ring     *key.Ring // seals what the page that asks sends back
	Pages    Pages
}

// Routes of the logout endpoint.
func Routes(p *Parts) []web.Route {
	const path = "/{app}" + protocol.LogoutPath
	return []web.Route{
		{Method: http.MethodGet, Path: path, Handle: p.answer},
		{Method: http.MethodPost, Path: path, Handle: p.answer},
	}
}
