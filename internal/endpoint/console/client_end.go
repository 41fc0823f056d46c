package console

import (
	"net/http"
	"strconv"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

func clientEndRoutes(s *routes) {
	edit := to(admin.EditOwnClients)
	s.get(inClient+"/deactivate", edit, (*visit).askDeactivate)
	s.post(inClient+"/deactivate", edit, func(v *visit) error { return v.setActive(false) })
	s.get(inClient+"/activate", edit, (*visit).askActivate)
	s.post(inClient+"/activate", edit, func(v *visit) error { return v.setActive(true) })
	s.get(inClient+"/delete", edit, func(v *visit) error { return v.askDelete(http.StatusOK, nil) })
	s.post(inClient+"/delete", edit, (*visit).deleteClient)
	s.post(inApplication+"/deactivate", edit, (*visit).deactivateMany)
}

// editable gives the client of the path, if it is the administrator's to change.
func (v *visit) editable() (*client.Client, client.View, error) {
	found, view, err := v.client()
	if err == nil && !v.operations().MayEdit(found) {
		err = errNotYours
	}
	return found, view, err
}

// askDeactivate says what dies, and asks.
func (v *visit) askDeactivate() error {
	found, _, err := v.editable()
	if err != nil {
		return err
	}
	dying, effects, err := v.dying(found, mostDying)
	if err != nil {
		return err
	}
	return v.ask(http.StatusOK, v.belowClient(found, "Deactivate"), question{
		Text: "Deactivate " + found.Title() + ": " + dying + " now?",
		Effects: append([]string{
			"Every code, access token and refresh token that it was given is refused at once, for good: activating the client again revives none.",
			"It gets no token until it is activated again. Its settings and secrets stay.",
		}, effects...),
		Action: v.r.URL.Path, Button: "Deactivate", Back: v.at("clients", found.ID),
	})
}

func (v *visit) askActivate() error {
	found, _, err := v.editable()
	if err != nil {
		return err
	}
	return v.ask(http.StatusOK, v.belowClient(found, "Activate"), question{
		Text:    "Activate " + found.Title() + "?",
		Effects: []string{"It may get tokens again, with the secrets that it has.", "What died when it was deactivated stays dead."},
		Action:  v.r.URL.Path, Button: "Activate", Back: v.at("clients", found.ID),
	})
}

func (v *visit) setActive(active bool) error {
	found, _, err := v.client()
	if err != nil {
		return err
	}
	if _, err := v.operations().SetActive(v.r.Context(), v.source, v.app.ID, found.ID, active); err != nil {
		return err
	}
	what := "deactivated"
	if active {
		what = "activated"
	}
	return v.done(v.at("clients", found.ID), what)
}

// askDelete says what is lost, and asks for the name.
func (v *visit) askDelete(status int, problems []page.Problem) error {
	found, _, err := v.editable()
	if err != nil {
		return err
	}
	if found.Settings.Features.Has(client.Owner) {
		return fault.Conflictf("%s Whoever has its secret governs this application; take the feature away first, with the secret of another owner.", client.ErrOwnerDeleted.Message)
	}
	dying, effects, err := v.dying(found, mostDying)
	if err != nil {
		return err
	}
	p := v.belowClient(found, "Delete")
	p.Problems = problems
	return v.ask(status, p, question{
		Text: "Delete " + found.Title() + ": " + dying + " now?",
		Effects: append([]string{
			"Its settings and secrets are gone, and what users granted to it. Its history stays in the audit log.",
			"There is no undo. Deactivating it keeps everything but its tokens.",
		}, effects...),
		Action: v.r.URL.Path, Hidden: []hidden{{"revision", strconv.FormatInt(found.Revision, 10)}}, Type: found.Name,
		Button: "Delete", Back: v.at("clients", found.ID),
	})
}

func (v *visit) deleteClient() error {
	found, _, err := v.client()
	if err != nil {
		return err
	}
	if err = v.typed(found.Name); err == nil {
		err = v.operations().DeleteAt(v.r.Context(), v.source, v.app.ID, found.ID, v.revision())
	}
	if err == nil {
		return v.done(v.at("clients"), "deleted")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.askDelete(status, problems)
}

// deactivateMany switches off those clients of a page of the list that are
// ticked: it asks first, each with what dies of it.
func (v *visit) deactivateMany() error {
	chosen, missing, err := v.chosenClients()
	if err != nil {
		return err
	}
	back := v.filteredClients()
	switch {
	case len(chosen) == 0:
		return v.done(back, "nothing")
	case !v.checked("sure"):
		return v.askDeactivateMany(chosen)
	}
	for _, c := range chosen {
		_, err := v.operations().SetActive(v.r.Context(), v.source, v.app.ID, c.ID, false)
		switch fault.KindOf(err) {
		case fault.Denied, fault.NotFound:
			missing = true
		default:
			if err != nil {
				return err
			}
		}
	}
	if missing {
		return v.done(back, "some")
	}
	return v.done(back, "deactivated")
}

// chosenClients are those of the form that are active and his to change; missing
// says that there were others.
func (v *visit) chosenClients() (chosen []*client.Client, missing bool, err error) {
	names := v.form["client"]
	for _, id := range names[:min(len(names), perPage)] {
		if !client.ValidID(id) {
			continue
		}
		c, err := v.Clients.Get(v.r.Context(), v.app.ID, id)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, false, err
		}
		if err != nil || !v.operations().MayEdit(c) {
			missing = true
			continue
		}
		if !c.Inactive {
			chosen = append(chosen, c)
		}
	}
	return chosen, missing, nil
}

func (v *visit) askDeactivateMany(chosen []*client.Client) error {
	q := question{
		Text:   "Deactivate " + chosen[0].Title() + "?",
		Action: v.r.URL.RequestURI(), Hidden: []hidden{{"sure", "yes"}}, Button: "Deactivate", Back: v.filteredClients(),
	}
	if len(chosen) > 1 {
		q.Text = "Deactivate " + strconv.Itoa(len(chosen)) + " API clients?"
	}
	for _, c := range chosen {
		dying, _, err := v.dying(c, mostOfOneOf)
		if err != nil {
			return err
		}
		q.Effects = append(q.Effects, c.Title()+": "+dying+" now")
		q.Hidden = append(q.Hidden, hidden{"client", c.ID})
	}
	q.Effects = append(q.Effects,
		"Activating a client again revives none of its tokens.",
		"Who verifies JWTs offline, without asking, sees it only when they expire.")
	return v.ask(http.StatusOK, pageOf{Title: "Deactivate API clients", Section: "clients", Crumbs: []crumb{{"API clients", v.at("clients")}}}, q)
}
