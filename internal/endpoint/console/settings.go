package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

func settingRoutes(s *routes) {
	const path = inApplication + "/settings"
	s.get(path, toRead, func(v *visit) error { return v.settings(http.StatusOK, nil) })
	s.post(path, to(admin.EditApplication), (*visit).editSettings)
	s.get(path+"/branding", toRead, func(v *visit) error { return v.branding(http.StatusOK, nil) })
	s.post(path+"/branding", to(admin.EditApplication), (*visit).editBranding)
	s.get(path+"/branding/colours/{colour}", toRead, (*visit).previewColours)
	s.get(path+"/branding/logo/{digest}", toRead, (*visit).previewLogo)
}

// settingText is what the page says of a setting of the core's table.
type settingText struct {
	name, label, help string
	words             map[string]string // of each word that may be chosen
}

// settingGroups are the settings as the page shows them.
var settingGroups = []struct {
	title string
	list  []settingText
}{
	{"Security", []settingText{
		{"security_profile", "Security profile", "What clients may be allowed at all.", map[string]string{
			"oauth2.1": "OAuth 2.1: no password grant, no implicit grant", "oauth2": "OAuth 2.0: clients may be allowed the grants password and implicit",
		}},
		{"scope_policy", "Scope policy", "Whether a client may be let off naming the scopes that it wants.", map[string]string{
			"enforced": "Enforced: every request names its scopes", "optional": "Optional: a client may be set up to get all of its scopes",
		}},
		{"secret_policy", "Secret policy", "Acts on secrets that are made from now on.", map[string]string{
			"once": "Once: a secret is shown when it is made, and never again", "revealable": "Revealable: owners may see it again; each look is audited",
		}},
		{"signing_algorithm", "Signing algorithm", "A change makes a key of the other algorithm, which signs at once.", map[string]string{
			"ES256": "ES256: small and fast", "RS256": "RS256: for verifiers that know nothing else", "EdDSA": "EdDSA: Ed25519",
		}},
	}},
	{"Lifetimes", []settingText{
		{"session_lifetime", "Session lifetime", "How long a user stays signed in after the last proof of who it is. A shorter one acts on sessions that are there.", nil},
		{"code_lifetime", "Authorization code lifetime", "How long a code can be redeemed.", nil},
		{"refresh_retry_window", "Refresh retry window", "How long a refresh whose answer was lost may be repeated.", nil},
	}},
	{"Users", []settingText{
		{"registration", "Registration", "People may make accounts by themselves, by a link that is sent to their address.", nil},
		{"claims_in_id_token", "Claims in the id_token", "The claims of the granted scopes stand in the id_token, and not only at userinfo.", nil},
	}},
	{"Those who come from other products", []settingText{
		{"legacy_paths", "Legacy paths", "The default application is served at /oauth2/token, /integration/rest/oAuth/getToken and the like too.", nil},
		{"legacy_token_query", "Token parameters in the query string", "The token endpoint takes them there too. Query strings end up in logs of proxies.", nil},
		{"vendor_name", "Vendor name", "The name that the texts of the Configuration API bear.", nil},
	}},
}

type settingsData struct {
	Tabs     []navLink
	Groups   []settingGroup
	Changed  []difference
	Revision int64
	Fixed    bool
	Issuer   string
	ID       string
	Delete   string // path of the question; "": not his to do, or
	Stays    string // why it cannot be deleted
}

type settingGroup struct {
	Title  string
	Fields []*field
}

// settingTabs are the pages of the settings.
func (v *visit) settingTabs(branding bool) []navLink {
	return []navLink{{"Settings", v.at("settings"), !branding}, {"Branding", v.at("settings", "branding"), branding}}
}

// settingValues are the settings of an application as text, by their names.
func settingValues(app *application.Application) (map[string]string, error) {
	text, err := json.Marshal(app.View(""))
	if err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	values := map[string]string{}
	for name, m := range members {
		switch m := m.(type) {
		case float64:
			values[name] = strconv.FormatFloat(m, 'f', -1, 64)
		case bool:
			if m {
				values[name] = "true"
			}
		case string:
			values[name] = m
		}
	}
	return values, nil
}

// settingFields makes the inputs of the settings that the core's table has.
func (v *visit) settingFields() ([]settingGroup, []*field, error) {
	values, err := settingValues(v.app)
	if err != nil {
		return nil, nil, err
	}
	defaults, err := settingValues(&application.Application{})
	if err != nil {
		return nil, nil, err
	}
	table := map[string]application.Setting{}
	for _, s := range application.Table() {
		table[s.Name] = s
	}
	name := &field{Name: "name", Label: "Name", Required: true, Value: values["name"], Help: "As administrators see it, and users where there is no branding."}
	groups, all := []settingGroup{{"Application", []*field{name}}}, []*field{name}
	for _, g := range settingGroups {
		group := settingGroup{Title: g.title}
		for _, t := range g.list {
			s := table[t.name]
			group.Fields = append(group.Fields, settingField(&s, &t, values[t.name], defaults[t.name]))
		}
		groups, all = append(groups, group), append(all, group.Fields...)
	}
	for _, f := range all {
		f.Fixed = !v.may(admin.EditApplication)
	}
	return groups, all, nil
}

func settingField(s *application.Setting, t *settingText, value, standard string) *field {
	f := &field{Name: t.name, Label: t.label, Help: t.help, Value: value}
	switch {
	case s.Words != nil:
		f.Kind = "radios"
		for _, w := range s.Words {
			f.Options = append(f.Options, option{Value: w, Label: t.words[w]})
		}
		f.Options[0].Help = "The default."
	case s.Truth:
		f.Kind = "box"
	case s.Most > 0:
		f.Kind, f.Unit, f.Placeholder = "number", "seconds", standard
		f.Help += fmt.Sprintf(" %s to %s seconds; left empty: %s.", count(s.Least), count(s.Most), standard)
	default:
		f.Placeholder = standard
		f.Help += " Left empty: " + standard + "."
	}
	return f
}

func (v *visit) settings(status int, problems []page.Problem) error {
	groups, inputs, err := v.settingFields()
	if err != nil {
		return err
	}
	d := settingsData{
		Tabs: v.settingTabs(false), Groups: groups, Revision: v.app.Revision, Fixed: !v.may(admin.EditApplication),
		Issuer: v.Issuers().Of(v.app.ID), ID: v.app.ID,
	}
	d.Changed = v.refill(status, inputs, problems)
	if !d.Fixed {
		if d.Stays = messageOf(v.Instance.Deletable(v.app.ID)); d.Stays == "" {
			d.Delete = v.at("delete")
		}
	}
	return v.show(status, "settings", pageOf{Title: "Settings", Section: "settings", Problems: problems, Data: d})
}

// settingsPatch is the form as the management API would take it.
func (v *visit) settingsPatch() (map[string]json.RawMessage, error) {
	_, inputs, err := v.settingFields()
	if err != nil {
		return nil, err
	}
	patch := map[string]json.RawMessage{}
	for _, f := range inputs {
		text := strings.TrimSpace(v.form.Get(f.Name))
		var value any = text
		switch n, err := strconv.ParseInt(text, 10, 64); {
		case f.Kind == "box":
			value = text == "true"
		case f.Kind == "number" && err == nil:
			value = n
		case text == "" && f.Name != "name":
			value = nil // the default
		}
		if patch[f.Name], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	return patch, nil
}

func (v *visit) editSettings() error {
	patch, err := v.settingsPatch()
	if err != nil {
		return err
	}
	return v.patchApplication(patch, v.at("settings"), v.settings)
}

// patchApplication changes the application of the page by a form, and answers with
// the page again where that is refused.
func (v *visit) patchApplication(patch map[string]json.RawMessage, path string, again func(int, []page.Problem) error) error {
	_, err := v.Settings.Patch(v.r.Context(), v.source, v.app.ID, patch, v.revision())
	if err == nil {
		return v.done(path, "saved")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	// What is stored by now is what the page compares with.
	if v.app, err = v.Applications.Get(v.r.Context(), v.app.ID); err != nil {
		return err
	}
	return again(status, problems)
}
