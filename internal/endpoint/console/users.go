package console

import (
	"net/http"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client/inventory"
	"github.com/ostiary/ostiary/internal/core/user"
)

func userRoutes(s *routes) {
	const one = inApplication + "/users/{user}"
	edit := to(admin.EditUsers)
	s.get(inApplication+"/users", toRead, (*visit).userList)
	s.get(inApplication+"/users/new", edit, (*visit).newUser)
	s.post(inApplication+"/users/new", edit, (*visit).createUser)
	s.get(one, toRead, (*visit).userRecord)
	s.post(one, edit, (*visit).editUser)
	s.get(one+"/signin", toRead, (*visit).userSignIn)
	s.post(one+"/password", edit, (*visit).setPassword)
	s.post(one+"/reset-link", edit, (*visit).makeResetLink)
	s.get(one+"/credential", edit, (*visit).askCredential)
	s.post(one+"/credential", edit, (*visit).removeCredential)
	s.post(one+"/session", edit, (*visit).endSession)
	s.get(one+"/sessions", edit, (*visit).askSessions)
	s.post(one+"/sessions", edit, (*visit).endSessions)
	s.get(one+"/access", toRead, (*visit).userAccess)
	s.get(one+"/consent", edit, (*visit).askConsent)
	s.post(one+"/consent", edit, (*visit).revokeConsent)
	s.get(one+"/deactivate", edit, (*visit).askDeactivation)
	s.post(one+"/deactivate", edit, func(v *visit) error { return v.switchUser(false) })
	s.get(one+"/activate", edit, (*visit).askActivation)
	s.post(one+"/activate", edit, func(v *visit) error { return v.switchUser(true) })
	s.get(one+"/delete", edit, func(v *visit) error { return v.askDeletion(http.StatusOK, nil) })
	s.post(one+"/delete", edit, (*visit).deleteUser)
}

// people are the operations on users that this administrator may use.
func (v *visit) people() *user.Operations { return v.Users.By(v.role) }

type usersData struct {
	Path    string
	Filters []*field
	Rows    []userRow
	Pager   pager
	New     string // path of the form for another one; "": not his to make
	Any     bool   // whether the list is narrowed
}

type userRow struct {
	UUID, Path, Name, Email string
	Verified, Active        bool
	Roles                   recordCell
	Created, LastSignedIn   time.Time
}

// userList is the list of users, narrowed by what the URL says.
func (v *visit) userList() error {
	query := v.r.URL.Query()
	d := usersData{Path: v.at("users"), Filters: []*field{
		{Name: "q", Label: "Search", Kind: "search", Help: "Words of the name or the address, or the uuid.", Placeholder: "name, e-mail or uuid"},
		{Name: "active", Label: "Status", Kind: "select", Options: []option{{Label: "All"}, {Value: "true", Label: "active"}, {Value: "false", Label: "inactive"}}},
		{Name: "role", Label: "Role"},
	}}
	for _, f := range d.Filters {
		f.Value = query.Get(f.Name)
		d.Any = d.Any || f.Value != ""
	}
	search := user.Search{Text: query.Get("q"), Role: query.Get("role"), Limit: perPage}
	if active := query.Get("active"); active != "" {
		on := active == "true"
		search.Active = &on
	}
	var ok bool
	if search.After, ok = user.ParsePlace(query.Get("cursor")); !ok || !inventory.ValidText(search.Text) || !inventory.ValidText(search.Role) {
		return v.redirect(d.Path) // a link that was cut, or put together by hand
	}
	found, next, err := v.people().List(v.r.Context(), v.app.ID, search)
	if err != nil {
		return err
	}
	for _, u := range found {
		d.Rows = append(d.Rows, userRow{
			UUID: u.UUID, Path: v.at("users", u.UUID), Name: clip(u.Name()), Email: clip(u.Email), Verified: !u.EmailVerifiedAt.IsZero(),
			Active: !u.Inactive, Roles: listed(u.Roles), Created: u.CreatedAt, LastSignedIn: u.LastSignedInAt,
		})
	}
	d.Pager = v.pages(d.Path, next.String(), len(found))
	if v.may(admin.EditUsers) {
		d.New = v.at("users", "new")
	}
	return v.show(http.StatusOK, "users", pageOf{Title: "Users", Section: "users", Data: d})
}

// clip bounds a text that stands in a row of many: a page of them stays under 100 KB.
func clip(text string) string {
	const most = 64 // characters
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}
