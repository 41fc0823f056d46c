// Package authorize is the authorization endpoint (RFC 6749 §3.1, OpenID Connect
// Core 1.0 §3.1.2): it judges a request, sees to it that a user is signed in and
// agrees, and sends the browser back to the client. Codes and tokens are package
// token's, the pages are another surface's.
package authorize

import (
	"net/http"
	"net/url"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Pages are what a browser is shown here. Each writes a whole answer.
type Pages interface {
	// Problem says what is wrong with a request that is not answered by a redirect,
	// with the status and the Retry-After of the error. app is nil where there is
	// none. locales are the request's ui_locales. detail is what was sent, for the developer: a stranger's text, to be
	// escaped; often "".
	Problem(w http.ResponseWriter, r *http.Request, app *application.Application, locales string, problem *oauth.Error, detail string)
	// FormPost has the browser post the values to target by itself, and by a button
	// where it runs no script (OAuth 2.0 Form Post Response Mode).
	FormPost(w http.ResponseWriter, r *http.Request, app *application.Application, locales, target string, values url.Values)
	// Interstitial shows a link to target, a URI with a native client's own scheme,
	// which not every browser follows by itself.
	Interstitial(w http.ResponseWriter, r *http.Request, app *application.Application, locales, target string)
}
