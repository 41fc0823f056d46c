package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

type clientSettingsData struct {
	Path     string
	Revision int64
	Base     string // what the form was made of
	Sections []formSection
	Fixed    string // why it cannot be changed; "": it can
	Stale    bool   // somebody else changed the client meanwhile
	Changes  []clientChange
	LastUsed time.Time
}

// clientSettings is the first page of a client: its form, or for whoever may not
// change it, what is in it.
func (v *visit) clientSettings() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	f, err := v.clientForm(found.Kind, found)
	if err != nil {
		return err
	}
	return v.showClientSettings(http.StatusOK, f, &view, nil, clientSettingsData{})
}

func (v *visit) showClientSettings(status int, f *clientForm, view *client.View, problems []page.Problem, d clientSettingsData) error {
	base, err := json.Marshal(f.base)
	if err != nil {
		return err
	}
	d.Path, d.Base, d.Fixed = v.at("clients", view.ID), string(base), v.whyFixed(f.client)
	if d.Revision == 0 {
		d.Revision = f.client.Revision
	}
	if view.LastUsedAt != nil {
		d.LastUsed = *view.LastUsedAt
	}
	if d.Fixed == "" {
		d.Sections = f.sections(problems)
		name := &field{Name: "name", Label: "Name", Value: view.Name, Fixed: true, Help: "Fixed when the client was made."}
		d.Sections[0].Fields = slices.Insert(d.Sections[0].Fields, 0, name)
	} else {
		d.Sections = f.facts()
	}
	p := v.clientPage(f.client, view, "", d)
	p.Problems = summary(problems, fieldsOf(d.Sections)...)
	return v.show(status, "client-settings", p)
}

// whyFixed says why a client is not the administrator's to change; "": it is.
func (v *visit) whyFixed(c *client.Client) string {
	switch {
	case v.operations().MayEdit(c):
		return ""
	case !v.may(admin.EditOwnClients):
		return "Your role reads, and changes nothing here."
	case !v.may(admin.EditClients) && c.Settings.OwnedBy != v.who.Email:
		return "Your role changes the clients that you made; you did not make this one."
	default:
		return "It has features, or scopes that begin with " + scope.Prefix + ": only an owner of the application changes it."
	}
}

// editClient writes what the form says other than there was. Where somebody else
// changed the client meanwhile nothing is written: the page says what he
// changed, and the next attempt is onto what there is now.
func (v *visit) editClient() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	f, err := v.clientForm(found.Kind, found)
	if err != nil {
		return err
	}
	f.take(v.form)
	d := clientSettingsData{}
	revision := v.revision()
	if revision != nil {
		d.Revision = *revision
	}
	if v.form.Get("add") != "" {
		f.addAddress()
		return v.showClientSettings(http.StatusOK, f, &view, nil, d)
	}
	patch, err := f.patch()
	if err != nil {
		return err
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = v.operations().Patch(v.r.Context(), v.source, v.app, found.ID, text, revision)
	switch {
	case err == nil:
		return v.done(v.at("clients", found.ID), "saved")
	case fault.KindOf(err) == fault.Precondition:
		return v.changedMeanwhile(f)
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.showClientSettings(status, f, &view, problems, d)
}

// changedMeanwhile shows the form over what there is now.
func (v *visit) changedMeanwhile(f *clientForm) error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	changes, err := f.merge(found)
	if err != nil {
		return err
	}
	return v.showClientSettings(http.StatusPreconditionFailed, f, &view, nil, clientSettingsData{Stale: true, Changes: changes})
}

// endpointRow is a URL that a client uses.
type endpointRow struct{ Label, Help, URL string }

type clientEndpointsData struct {
	Rows     []endpointRow
	Snippets snippets
}

// clientEndpoints are the URLs that the client uses.
func (v *visit) clientEndpoints() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	snippets, err := v.snippets(&view, "")
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "client-endpoints", v.clientPage(found, &view, "endpoints", clientEndpointsData{endpointRows(&view), snippets}))
}

func endpointRows(view *client.View) []endpointRow {
	e := &view.Endpoints
	return []endpointRow{
		{"Issuer", "What iss of its tokens says.", e.Issuer},
		{"Authorization", "Where users' browsers are sent to sign in.", e.Authorization},
		{"Token", "Where codes and secrets become tokens.", e.Token},
		{"Refresh", "The same: a refresh token is one more grant.", e.Refresh},
		{"Introspection", "Where an API asks whether a token is good (RFC 7662).", e.Introspection},
		{"Revocation", "Where a token is taken back (RFC 7009).", e.Revocation},
		{"User info", "Who the user of a token is.", e.UserInfo},
		{"End session", "Where users' browsers are sent to sign out.", e.EndSession},
		{"JWKS", "The keys that verify JWTs.", e.JWKS},
		{"Discovery", "All of these, for libraries that find out by themselves.", e.Issuer + oauth.DiscoveryPath},
	}
}
