package signin

import (
	"net/http"
	"slices"

	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// showConsent asks the user whether the client may have what it asks for.
func (v *visit) showConsent() error {
	if v.request == nil {
		return errStale
	}
	if v.session == nil { // the authorization endpoint sends to the sign-in
		return v.goOn()
	}
	list, err := v.words(v.request.Scopes)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "consent", v.frame(consentData{
		Request: v.sealed, Action: v.path(v.app, consentPath), SID: v.session.SID,
		Client: v.clientName(), Description: v.client.Settings.Description, List: scopeList{"scopes", list},
		Account: v.account(), Destination: hostOf(v.request.RedirectURI), Other: with(v.at(signInPath), "other", "1"),
	}))
}

// words are scopes as users read them: what every application has, from the
// catalogue; the others as their operator described them, or else by their name.
func (v *visit) words(names []string) ([]scopeText, error) {
	var list []scopeText
	for _, name := range names {
		if standard[name] {
			list = append(list, scopeText{Key: "scope." + name})
			continue
		}
		s, err := v.Scopes.Get(v.r.Context(), v.app.ID, name)
		switch {
		case fault.KindOf(err) == fault.NotFound, err == nil && s.Description == "":
			list = append(list, scopeText{Text: name})
		case err != nil:
			return nil, err
		default:
			list = append(list, scopeText{Text: s.Description})
		}
	}
	return list, nil
}

// standard are the scopes that the catalogue has words for.
var standard = map[string]bool{"openid": true, "profile": true, "email": true, "address": true, "phone": true, "offline_access": true}

// consent takes the user's answer. One that was given for another account, which
// was signed in when the page was made, counts for nothing.
func (v *visit) consent() error {
	if v.request == nil {
		return errStale
	}
	if v.session == nil || v.session.SID != v.form.Get("sid") {
		return v.goOn()
	}
	switch {
	case v.form.Get("answer") != "allow":
		v.request.Denied = true
	case v.form.Get("remember") == "yes":
		if _, err := v.Consents.Grant(v.r.Context(), v.source, v.app.ID, v.user.UUID, v.client.ID, v.request.Scopes); err != nil {
			return err
		}
	default:
		v.request.Once = &authorization.Once{SID: v.session.SID, Scopes: slices.Clone(v.request.Scopes)}
	}
	return v.goOn()
}
