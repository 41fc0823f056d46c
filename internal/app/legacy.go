package app

import (
	"net/http"

	"github.com/ostiary/ostiary/internal/core/oauth"
)

// legacyPaths are the paths at which clients of other products look for an
// authorization server, and the endpoints of ours below an issuer.
var legacyPaths = map[string]string{
	"/oauth2/authorize":                 oauth.AuthorizePath,
	"/oauth2/token":                     oauth.TokenPath,
	"/integration/rest/oAuth/authorize": oauth.AuthorizePath,
	"/integration/rest/oAuth/getToken":  oauth.TokenPath,
}

// legacy serves the default application at the paths of other products while its
// setting legacy_paths is on; to all else nothing is there.
func (a *App) legacy(protocol, elsewhere http.Handler) http.Handler {
	id := a.defaultApplication()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		endpoint, ok := legacyPaths[r.URL.Path]
		if !ok || r.URL.RawPath != "" || id == "" {
			elsewhere.ServeHTTP(w, r)
			return
		}
		// What cannot be read here cannot be read there: the endpoint says so in its
		// own form.
		app, err := a.Applications.Get(r.Context(), id)
		if err == nil && !app.Settings.LegacyPaths {
			elsewhere.ServeHTTP(w, r)
			return
		}
		r = moved(r, "", "")
		r.URL.Path = "/" + id + endpoint
		protocol.ServeHTTP(w, r)
	})
}
