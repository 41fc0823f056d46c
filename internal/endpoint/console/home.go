package console

import (
	"net/http"

	"github.com/ostiary/ostiary/internal/core/fault"
)

const signOutPath = Home + "/signout"

func homeRoutes(s *routes) {
	s.get(Home, anybody, (*visit).home)
	s.get(inApplication, toRead, func(v *visit) error { return v.redirect(v.at("overview")) })
	s.post(signOutPath, anybody, (*visit).signOut)
	s.get(Home+"/applications", anybody, (*visit).applications)
}

// home leads to the one application that there is to see, or to the list of them.
func (v *visit) home() error {
	list, _, err := v.Instance.Seen(v.r.Context(), v.access, "", 2)
	if err != nil {
		return err
	}
	if len(list) == 1 {
		return v.redirect(Home + "/apps/" + list[0].ID + "/overview")
	}
	return v.redirect(Home + "/applications")
}

// signOut ends the session.
func (v *visit) signOut() error {
	in, _, err := v.Sessions.Find(v.r.Context(), v.self, v.Cookie.Read(v.r))
	if err == nil {
		err = v.Sessions.End(v.r.Context(), v.source, in)
	}
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	v.Cookie.Clear(v.w)
	return v.redirect(Home + "/signin")
}

// perPage is how many rows a page of a list has.
const perPage = 50

type applicationsData struct {
	Rows  []applicationRow
	Pager pager
	New   string // path of the form for another one; "": not his to make
}

type applicationRow struct {
	ID, Name, Path, Issuer, Role string
	Profile                      string
}

// applications lists those that the administrator has a role in.
func (v *visit) applications() error {
	found, more, err := v.Instance.Seen(v.r.Context(), v.access, v.r.URL.Query().Get("cursor"), perPage)
	if err != nil {
		return err
	}
	d := applicationsData{}
	for _, a := range found {
		d.Rows = append(d.Rows, applicationRow{
			a.ID, a.Name, Home + "/apps/" + a.ID + "/overview", v.Issuers().Of(a.ID), string(v.access.In(a.ID)), string(a.Settings.Profile()),
		})
	}
	if v.access.Instance {
		d.New = Home + "/applications/new"
	}
	next := ""
	if more {
		next = found[len(found)-1].ID
	}
	d.Pager = v.pages(Home+"/applications", next, len(found))
	return v.show(http.StatusOK, "applications", pageOf{Title: "Applications", Section: "applications", Data: d})
}
