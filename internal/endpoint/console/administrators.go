package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

const (
	administratorsPath = Home + "/administrators"
	oneAdministrator   = administratorsPath + "/{uuid}"
)

func administratorRoutes(s *routes) {
	s.get(administratorsPath, toRun, (*visit).administrators)
	s.get(administratorsPath+"/new", toRun, func(v *visit) error { return v.newAdministrator(http.StatusOK, nil) })
	s.post(administratorsPath+"/new", toRun, (*visit).makeAdministrator)
	s.get(oneAdministrator, toRun, func(v *visit) error { return v.administrator(http.StatusOK, nil) })
	s.post(oneAdministrator, toRun, (*visit).editAdministrator)
	s.post(oneAdministrator+"/link", toRun, (*visit).linkAdministrator)
	for _, verb := range []string{"sessions", "deactivate", "activate", "delete"} {
		s.get(oneAdministrator+"/"+verb, toRun, func(v *visit) error { return v.askAdministrator(http.StatusOK, verb, nil) })
		s.post(oneAdministrator+"/"+verb, toRun, func(v *visit) error { return v.endAdministrator(verb) })
	}
}

type administratorsData struct {
	Rows  []administratorRow
	Pager pager
}

type administratorRow struct {
	UUID, Email, Path string
	Instance, Active  bool
	Roles             []string // "owner of default"
	More              int
	SignedIn          time.Time
}

func rowOf(u *user.User) administratorRow {
	const most = 5
	access := administrator.AccessOf(u)
	row := administratorRow{
		UUID: u.UUID, Email: u.Email, Path: administratorsPath + "/" + u.UUID, Instance: access.Instance, Active: !u.Inactive, SignedIn: u.LastSignedInAt,
	}
	for _, id := range access.Applications() {
		if len(row.Roles) == most {
			row.More = len(access.Roles) - most
			break
		}
		row.Roles = append(row.Roles, string(access.Roles[id])+" of "+id)
	}
	return row
}

// administrators lists all accounts of the console.
func (v *visit) administrators() error {
	var after user.Place
	if text := v.form.Get("cursor"); text != "" {
		if json.Unmarshal([]byte(text), &after) != nil {
			return v.redirect(administratorsPath) // a link that was cut
		}
	}
	found, next, err := v.Administrators.List(v.r.Context(), after, perPage)
	if err != nil {
		return err
	}
	d := administratorsData{}
	for _, u := range found {
		d.Rows = append(d.Rows, rowOf(u))
	}
	cursor := ""
	if next != (user.Place{}) {
		text, err := json.Marshal(next)
		if err != nil {
			return err
		}
		cursor = string(text)
	}
	d.Pager = v.pages(administratorsPath, cursor, len(found))
	return v.show(http.StatusOK, "administrators", pageOf{Title: "Administrators", Section: "administrators", Data: d})
}

// roleOptions are the roles in an application, with what each may do.
func roleOptions(none string) []option {
	help := map[admin.Role]string{
		admin.Owner: "everything", admin.Manager: "clients, scopes, users and tokens", admin.Developer: "the clients that he makes", admin.Viewer: "reads",
	}
	list := []option{{Value: "", Label: none}}
	for _, role := range administrator.Assignable() {
		list = append(list, option{Value: string(role), Label: string(role) + ": " + help[role]})
	}
	return list
}

// accessInputs are those of what an administrator may do: what there is, and room
// for a role in one more application.
func (v *visit) accessInputs(a administrator.Access) ([]*field, error) {
	inputs := []*field{{
		Name: "instance", Label: "Administrator of the instance", Kind: "box",
		Help: "Makes applications and administrators, and is owner of every application.",
	}}
	if a.Instance {
		inputs[0].Value = "true"
	}
	for _, id := range a.Applications() {
		inputs = append(inputs, &field{Name: rolePrefix + id, Label: "Role in " + id, Kind: "select", Options: roleOptions("none"), Value: string(a.Roles[id])})
	}
	const most = 100
	found, err := v.Instance.Applications(v.r.Context(), "", most+1)
	if err != nil {
		return nil, err
	}
	where := &field{Name: "application", Label: "Role in another application"}
	if len(a.Roles) == 0 {
		where.Label = "Role in one application"
	}
	if len(found) > most {
		where.Mono, where.Help = true, "Its id."
	} else {
		where.Kind, where.Options = "select", []option{{Label: "none"}}
		for _, app := range found {
			if a.Roles[app.ID] == "" {
				where.Options = append(where.Options, option{Value: app.ID, Label: app.Name + " (" + app.ID + ")"})
			}
		}
	}
	return append(inputs, where, &field{Name: "role", Label: "Role there", Kind: "select", Options: roleOptions("none")}), nil
}

// rolePrefix begins the names of the inputs of roles; the id of the application
// follows.
const rolePrefix = "role."

var (
	errNoRole        = fault.Invalidf("role", "Choose the role in the application.")
	errNoApplication = fault.Invalidf("application", "There is no such application.")
)

// accessTyped reads what a form says that an administrator may do.
func (v *visit) accessTyped() (administrator.Access, error) {
	a := administrator.Access{Instance: v.checked("instance"), Roles: map[string]admin.Role{}}
	for name := range v.form {
		if id, ok := strings.CutPrefix(name, rolePrefix); ok && v.form.Get(name) != "" {
			a.Roles[id] = admin.Role(v.form.Get(name))
		}
	}
	if id := v.form.Get("application"); id != "" {
		if v.form.Get("role") == "" {
			return a, fault.Problems{errNoRole}
		}
		if _, err := v.Applications.Get(v.r.Context(), id); fault.KindOf(err) == fault.NotFound {
			return a, fault.Problems{errNoApplication}
		} else if err != nil {
			return a, err
		}
		a.Roles[id] = admin.Role(v.form.Get("role"))
	}
	for id, role := range a.Roles {
		if !slices.Contains(administrator.Assignable(), role) {
			return a, fault.Problems{fault.Invalidf(rolePrefix+id, "Choose one of the roles.")}
		}
	}
	return a, nil
}

func (v *visit) newAdministrator(status int, problems []page.Problem) error {
	inputs, err := v.accessInputs(administrator.Access{})
	if err != nil {
		return err
	}
	inputs = append([]*field{{
		Name: "email", Label: "E-mail address", Kind: "email", Required: true, Help: "With which the administrator signs in. It cannot be changed.",
	}}, inputs...)
	v.refill(status, inputs, problems)
	return v.show(status, "form", pageOf{
		Title: "New administrator", Section: "administrators", Crumbs: []crumb{{"Administrators", administratorsPath}}, Problems: problems,
		Data: formData{
			Lead:   "The next page shows a link by which the administrator chooses a password.",
			Button: "Make the administrator", Back: administratorsPath, Fields: inputs,
		},
	})
}

func (v *visit) makeAdministrator() error {
	access, err := v.accessTyped()
	if err == nil {
		var u *user.User
		if u, err = v.Administrators.By(v.access).Create(v.r.Context(), v.source, v.form.Get("email"), access); err == nil {
			return v.showLink(u, "Administrator made")
		}
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.newAdministrator(status, problems)
}

type administratorLink struct {
	Email, Link, Path string
	Expires           time.Time
}

// showLink makes a link by which an administrator chooses a password, and shows
// it: only here, on the answer to the form that asked for it.
func (v *visit) showLink(u *user.User, title string) error {
	token, expires, err := v.OwnSignIn.ResetLink(v.r.Context(), v.source, v.self, u)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "administrator-link", pageOf{
		Title: title, Section: "administrators", Crumbs: []crumb{{"Administrators", administratorsPath}},
		Data: administratorLink{u.Email, with(v.URL+Home+oauth.LinkPath, "token", token), administratorsPath + "/" + u.UUID, expires},
	})
}

type administratorData struct {
	administratorRow
	Fields   []*field
	Changed  []difference
	Revision int64
	Self     bool
}

// theAdministrator is the one of the path.
func (v *visit) theAdministrator() (*user.User, error) {
	return v.Administrators.Get(v.r.Context(), v.r.PathValue("uuid"))
}

func (v *visit) administrator(status int, problems []page.Problem) error {
	u, err := v.theAdministrator()
	if err != nil {
		return err
	}
	inputs, err := v.accessInputs(administrator.AccessOf(u))
	if err != nil {
		return err
	}
	d := administratorData{administratorRow: rowOf(u), Fields: inputs, Revision: u.Revision, Self: u.UUID == v.who.UUID}
	d.Changed = v.refill(status, inputs, problems)
	return v.show(status, "administrator", pageOf{
		Title: u.Email, Section: "administrators", Crumbs: []crumb{{"Administrators", administratorsPath}}, Problems: problems, Data: d,
	})
}

func (v *visit) editAdministrator() error {
	access, err := v.accessTyped()
	if err == nil {
		if _, err = v.Administrators.By(v.access).SetAccess(v.r.Context(), v.source, v.r.PathValue("uuid"), access, v.revision()); err == nil {
			return v.done(v.r.URL.Path, "saved")
		}
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.administrator(status, problems)
}

func (v *visit) linkAdministrator() error {
	u, err := v.theAdministrator()
	if err != nil {
		return err
	}
	return v.showLink(u, "A link for "+u.Email)
}

// askAdministrator asks before an account is signed out, switched off or on, or
// deleted.
func (v *visit) askAdministrator(status int, verb string, problems []page.Problem) error {
	u, err := v.theAdministrator()
	if err != nil {
		return err
	}
	sessions, err := v.Sessions.List(v.r.Context(), v.self, u.UUID)
	if err != nil {
		return err
	}
	ending := number(int64(len(sessions)), "session ends", "sessions end") + " now."
	path := administratorsPath + "/" + u.UUID
	q := question{Text: u.Email + " will be deactivated.", Button: "Deactivate", Action: path + "/" + verb, Back: path, Effects: []string{
		ending, "Nobody signs in to the account until it is activated again.",
	}}
	name := title(verb) + " this administrator?"
	switch verb {
	case "sessions":
		name, q.Text, q.Button, q.Effects = "End all sessions?", u.Email+" will be signed out everywhere.", "End all sessions", []string{ending}
	case "activate":
		q.Text, q.Button, q.Effects = u.Email+" will be active again.", "Activate", []string{"The roles are those of before; sessions that ended stay ended."}
	case "delete":
		q.Text, q.Button, q.Type = u.Email+" will be deleted.", "Delete the administrator", u.Email
		q.Effects = []string{ending, "Clients that were made with it stay, and so do audit events.", "There is no undo."}
	}
	return v.ask(status, pageOf{
		Title: name, Section: "administrators", Problems: problems,
		Crumbs: []crumb{{"Administrators", administratorsPath}, {u.Email, path}},
	}, q)
}

func (v *visit) endAdministrator(verb string) error {
	u, err := v.theAdministrator()
	if err != nil {
		return err
	}
	by, path, done := v.Administrators.By(v.access), administratorsPath+"/"+u.UUID, "signedout"
	switch {
	case verb == "sessions":
		_, err = v.Sessions.EndAll(v.r.Context(), v.source, administrator.ApplicationID, u.UUID, "")
	case verb != "delete":
		if verb == "activate" {
			done = "saved"
		}
		_, err = by.SetActive(v.r.Context(), v.source, u.UUID, verb == "activate")
	default:
		path, done = administratorsPath, "deleted"
		if err = v.typed(u.Email); err == nil {
			err = by.Delete(v.r.Context(), v.source, u.UUID)
		}
	}
	if err == nil {
		return v.done(path, done)
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.askAdministrator(status, verb, problems)
}
