package console

import (
	"net/http"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

func memberRoutes(s *routes) {
	const path = inApplication + "/administrators"
	s.get(path, toRead, func(v *visit) error { return v.members(http.StatusOK, nil) })
	s.post(path, to(admin.EditApplication), (*visit).grant)
}

type membersData struct {
	Rows     []memberRow
	Pager    pager
	Fields   []*field // of the form for one more; nil: not his to give
	Instance string   // path of all administrators; "": not his to see
}

type memberRow struct {
	administratorRow
	Role   admin.Role
	Choice *field // nil: not his to change
	Self   bool
}

// members lists who has a role in the application.
func (v *visit) members(status int, problems []page.Problem) error {
	at, ok := administrator.ParsePlace(v.r.URL.Query().Get("cursor"))
	if !ok {
		return v.redirect(v.at("administrators")) // a link that was cut
	}
	found, next, err := v.Administrators.In(v.r.Context(), v.app.ID, at, perPage)
	if err != nil {
		return err
	}
	d := membersData{Pager: v.pages(v.at("administrators"), next.String(), len(found))}
	for _, u := range found {
		row := memberRow{administratorRow: rowOf(u), Role: administrator.AccessOf(u).In(v.app.ID), Self: u.UUID == v.who.UUID}
		if v.may(admin.EditApplication) {
			row.Choice = &field{Value: string(row.Role)}
			for _, role := range administrator.Assignable() {
				row.Choice.Options = append(row.Choice.Options, option{Value: string(role), Label: string(role)})
			}
			row.Choice.Options = append(row.Choice.Options, option{Label: "no role"})
		}
		d.Rows = append(d.Rows, row)
	}
	if v.may(admin.EditApplication) {
		options := roleOptions("")[1:]
		d.Fields = []*field{
			{Name: "email", Label: "E-mail address", Kind: "email", Required: true, Help: "Of an account of the console. An administrator of the instance makes accounts."},
			{Name: "role", Label: "Role", Kind: "select", Options: options, Value: string(admin.Viewer)},
		}
		v.refill(status, d.Fields, problems)
	}
	if v.access.Instance {
		d.Instance = administratorsPath
	}
	return v.show(status, "members", pageOf{Title: "Administrators", Section: "administrators", Problems: problems, Data: d})
}

// grant gives a role in the application to the account of an address, another one
// to who has one, or takes it away.
func (v *visit) grant() error {
	uuid, role := v.form.Get("uuid"), admin.Role(v.form.Get("role"))
	by := v.Administrators.By(v.access)
	var err error
	if v.form.Has("email") {
		found, missing := by.Find(v.r.Context(), v.form.Get("email"))
		if err = missing; err == nil {
			uuid = found.UUID
		}
		if err == nil && role == "" {
			err = fault.Problems{errNoRole}
		}
	}
	if err == nil {
		_, err = by.Grant(v.r.Context(), v.source, v.app.ID, uuid, role)
	}
	switch {
	case err == nil && uuid == v.who.UUID && role == "" && !v.access.Instance:
		return v.redirect(Home) // there is nothing here to see for him any more
	case err == nil:
		return v.done(with(v.at("administrators"), "cursor", v.r.URL.Query().Get("cursor")), "saved")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.members(status, problems)
}
