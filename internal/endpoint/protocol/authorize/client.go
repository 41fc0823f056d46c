package authorize

import (
	"errors"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// findClient finds who asks. There is nobody to send the browser back to where
// the client is unknown, or where two are named.
func (f *flow) findClient() (err error) {
	id := f.form.Get("client_id")
	if id == "" || slices.Contains(f.form.Repeated(), "client_id") {
		return oauth.InvalidRequest("The parameter client_id is missing or repeated; send it once.")
	}
	f.client, err = f.Client(f.ctx, f.app.ID, id)
	if fault.KindOf(err) == fault.NotFound {
		f.detail = "client_id=" + id
		return oauth.InvalidRequest("There is no such client in this application; check client_id and the path of the authorization endpoint.")
	}
	if err != nil {
		return err
	}
	if f.client.Inactive {
		return oauth.InvalidRequest("The client is inactive; ask the operator to activate it.")
	}
	return nil
}

// checkRedirect finds where the answer goes: to a redirect URI that is registered
// (RFC 6749 §3.1.2.3, RFC 9700 §4.1), which may be left out where there is one
// only, and the request none of OpenID Connect (Core 1.0 §3.1.2.1).
func (f *flow) checkRedirect() error {
	redirect := f.client.Redirect(f.app)
	registered := redirect.URIs
	sent := f.form.Get("redirect_uri")
	switch {
	case len(registered) == 0:
		return oauth.InvalidRequest("The client has no redirect URI registered; ask the operator to add one.")
	case slices.Contains(f.form.Repeated(), "redirect_uri"):
		return oauth.InvalidRequest("The parameter redirect_uri is repeated; send it once.")
	case sent == "" && len(registered) > 1:
		return oauth.InvalidRequest("The parameter redirect_uri is missing; the client has several registered, so name the one.")
	case sent == "" && slices.Contains(strings.Split(f.form.Get("scope"), " "), oauth.ScopeOpenID):
		return oauth.InvalidRequest("The parameter redirect_uri is missing; OpenID Connect requires it.")
	case sent == "":
		f.target.uri = registered[0]
	case redirect.Allows(sent):
		f.target.uri = sent
	default:
		f.detail = "redirect_uri=" + sent
		return oauth.InvalidRequest("The redirect_uri does not match: it is none of those that are registered for the client, which are compared character by character. Register it, or send a registered one.")
	}
	if !slices.Contains(f.form.Repeated(), "state") {
		f.target.state = f.form.Get("state")
	}
	f.target.issuer = f.Issuer(f.app.ID)
	f.target.mode = f.modeOfErrors()
	return nil
}

// faultOf gives the text of a fault Invalid.
func faultOf(err error) (string, bool) {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Invalid {
		return "", false
	}
	return e.Message, true
}
