package console

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

func applicationRoutes(s *routes) {
	s.get(Home+"/applications/new", toRun, func(v *visit) error { return v.newApplication(http.StatusOK, nil) })
	s.post(Home+"/applications/new", toRun, (*visit).makeApplication)
	s.get(inApplication+"/delete", to(admin.EditApplication), func(v *visit) error { return v.askDeleteApplication(http.StatusOK, nil) })
	s.post(inApplication+"/delete", to(admin.EditApplication), (*visit).deleteApplication)
}

// formData is a form of inputs and nothing else. Its template is "form".
type formData struct {
	Lead, Button, Back string
	Fields             []*field
	Revision           int64
	Changed            []difference
}

// presets are the ways to set an application up.
var presets = []option{
	{Value: "", Label: "None", Help: "The strict defaults: OAuth 2.1, secrets shown once."},
	{Value: "akamai", Label: "Akamai Identity Cloud", Help: "Secrets can be seen again by owners."},
	{Value: "appdirect", Label: "AppDirect", Help: "OAuth 2.0 with the password and implicit grants admitted; its paths are served too."},
	{Value: "webmethods", Label: "webMethods Integration Cloud", Help: "OAuth 2.0, secrets can be seen again, its paths and parameters in the query string are served too."},
}

func (v *visit) newApplication(status int, problems []page.Problem) error {
	inputs := []*field{
		{Name: "name", Label: "Name", Required: true, Help: "As administrators see it, and users where it has no branding. It can be changed."},
		{
			Name: "id", Label: "Id", Mono: true, Placeholder: "made for you",
			Help: "Part of every URL of the application, and of its issuer: 3 to 40 characters of a-z, 0-9 and -. It cannot be changed.",
		},
		{Name: "preset", Label: "Set up for those who come from", Kind: "radios", Options: presets},
	}
	v.refill(status, inputs, problems)
	return v.show(status, "form", pageOf{
		Title: "New application", Section: "applications", Crumbs: []crumb{{"Applications", Home + "/applications"}}, Problems: problems,
		Data: formData{
			Lead:   "An application has clients, users, scopes and tokens of its own, and is an OAuth issuer.",
			Button: "Make the application", Back: Home + "/applications", Fields: inputs,
		},
	})
}

type applicationMade struct {
	Name, Path, Issuer string
	Once               secretMade // of its owner
}

func (v *visit) makeApplication() error {
	raw, err := json.Marshal(v.form.Get("name"))
	if err != nil {
		return err
	}
	draft := instance.Draft{ID: v.form.Get("id"), Preset: v.form.Get("preset")}
	var problems fault.Problems
	var refused *fault.Error
	if draft.Name, refused = application.CleanName(raw); refused != nil {
		problems = append(problems, refused)
	}
	err = problems.OrNil()
	if err == nil {
		var made *application.Application
		var owner instance.OwnerClient
		if made, owner, err = v.Instance.Create(v.r.Context(), v.source, draft); err == nil {
			return v.show(http.StatusOK, "application-made", pageOf{
				Title: "Application made", Section: "applications", Crumbs: []crumb{{"Applications", Home + "/applications"}},
				Data: applicationMade{made.Name, Home + "/apps/" + made.ID + "/overview", v.Issuers().Of(made.ID), secretOf(made, owner.ID, owner.Secret)},
			})
		}
	}
	status, list, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.newApplication(status, list)
}

// askDeleteApplication asks before an application is deleted, with what it was
// used for of late.
func (v *visit) askDeleteApplication(status int, problems []page.Problem) error {
	if err := v.Instance.Deletable(v.app.ID); err != nil {
		return err
	}
	counts, err := v.Usage.Totals(v.r.Context(), v.app.ID, v.Now().Add(-30*24*time.Hour), v.Now())
	if err != nil {
		return err
	}
	issued := int64(0)
	for i := range counts {
		if counts[i].Issued() {
			issued += counts[i].N
		}
	}
	return v.ask(status, pageOf{
		Title: "Delete this application?", Section: "settings", Crumbs: []crumb{{"Settings", v.at("settings")}}, Problems: problems,
	}, question{
		Text: "The application " + v.app.Name + " will be deleted, with everything in it.",
		Effects: []string{
			count(issued) + " tokens were issued in the last 30 days; all that still live are dead at once.",
			"Its clients, users, scopes, keys, sessions and settings are removed.",
			"There is no undo.",
		},
		Action: v.at("delete"), Hidden: []hidden{{"revision", strconv.FormatInt(v.app.Revision, 10)}}, Type: v.app.ID,
		Button: "Delete the application", Back: v.at("settings"),
	})
}

func (v *visit) deleteApplication() error {
	err := v.typed(v.app.ID)
	if err == nil {
		err = v.Instance.Delete(v.r.Context(), v.source, v.app.ID, v.revision())
	}
	if err == nil {
		return v.done(Home+"/applications", "deleted")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	if v.app, err = v.Applications.Get(v.r.Context(), v.app.ID); err != nil { // as it is now
		return err
	}
	return v.askDeleteApplication(status, problems)
}
