package console

import (
	"net/http"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// userHead is what stands above each of a user's pages. Its template is
// "user-head".
type userHead struct {
	Title, UUID, Path string
	Email             string
	Verified, Active  bool
	Tabs              []navLink
	Switch            string // path of the question whether to switch the user off, or on; "": not his to do
	Edit              bool
}

// userTabs are the pages of a user, in order.
var userTabs = []struct{ label, path string }{{"Record", ""}, {"Sign-in", "signin"}, {"Access", "access"}}

// userData is the data of every page of a user.
type userData struct {
	Head userHead
	Tab  any
}

// user gives the user of the path, as stored now.
func (v *visit) user() (*user.User, error) {
	return v.people().Get(v.r.Context(), v.app.ID, v.r.PathValue("user"))
}

// atUser gives the path of a page of a user.
func (v *visit) atUser(u *user.User, segments ...string) string {
	return v.at(append([]string{"users", u.UUID}, segments...)...)
}

// called is what a user is called in titles: by name, address or uuid.
func called(u *user.User) string {
	for _, name := range []string{u.Name(), u.Email} {
		if name != "" {
			return clip(name)
		}
	}
	return u.UUID
}

// userPage is a page of a user: its data, whose tab it is.
func (v *visit) userPage(u *user.User, tab string, data any) pageOf {
	h := userHead{
		Title: called(u), UUID: u.UUID, Path: v.atUser(u), Email: u.Email, Verified: !u.EmailVerifiedAt.IsZero(), Active: !u.Inactive,
		Edit: v.may(admin.EditUsers),
	}
	for _, t := range userTabs {
		path := h.Path
		if t.path != "" {
			path += "/" + t.path
		}
		h.Tabs = append(h.Tabs, navLink{t.label, path, t.path == tab})
	}
	if h.Edit {
		h.Switch = v.atUser(u, "deactivate")
		if u.Inactive {
			h.Switch = v.atUser(u, "activate")
		}
	}
	return pageOf{Title: h.Title, Section: "users", Crumbs: []crumb{{"Users", v.at("users")}}, Data: userData{h, data}}
}

// below is a page below that of a user: a question, or what came of a form.
func (v *visit) below(u *user.User, title string) pageOf {
	return pageOf{Title: title, Section: "users", Crumbs: []crumb{{"Users", v.at("users")}, {called(u), v.atUser(u)}}}
}

// recordTab is the form of a user.
type recordTab struct {
	Form         *userForm
	Revision     int64 // 0: another one
	Edit         bool
	Changed      []difference
	Back, Delete string
	Created      time.Time
	Updated      time.Time
	LastSignedIn time.Time
}

func (v *visit) newUser() error { return v.showNewUser(http.StatusOK, nil) }

func (v *visit) showNewUser(status int, problems []page.Problem) error {
	f := v.userForm(nil)
	v.refill(status, f.all(), problems)
	f.unfold()
	return v.show(status, "user-new", pageOf{
		Title: "New user", Section: "users", Crumbs: []crumb{{"Users", v.at("users")}}, Problems: problems,
		Data: recordTab{Form: f, Edit: true, Back: v.at("users")},
	})
}

// unfold shows the inputs of JSON where one holds something, or was refused.
func (f *userForm) unfold() {
	for _, one := range f.JSON {
		f.Open = f.Open || len(one.Problems) > 0 || one.Value != ""
	}
}

func (v *visit) createUser() error {
	document, problems, err := v.userDocument(nil)
	if err != nil {
		return err
	}
	var fields user.Fields
	if len(problems) == 0 {
		var made *user.User
		if err = fields.Patch(document); err == nil {
			made, err = v.people().Create(v.r.Context(), v.source, v.app.ID, fields)
		}
		if err == nil {
			return v.done(v.atUser(made), "made")
		}
	}
	status, problems, err := v.refusedUser(problems, err)
	if err != nil {
		return err
	}
	return v.showNewUser(status, problems)
}

// refusedUser is refusedForm, for a form of which the console itself may have
// refused something.
func (v *visit) refusedUser(own []page.Problem, err error) (int, []page.Problem, error) {
	if len(own) > 0 {
		return http.StatusUnprocessableEntity, own, nil
	}
	return refusedForm(err)
}

func (v *visit) userRecord() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	return v.showUser(http.StatusOK, u, nil)
}

func (v *visit) showUser(status int, u *user.User, problems []page.Problem) error {
	f := v.userForm(u)
	changed := v.refill(status, f.all(), problems)
	f.unfold()
	tab := recordTab{
		Form: f, Revision: u.Revision, Edit: v.may(admin.EditUsers), Changed: changed, Back: v.at("users"),
		Created: u.CreatedAt, Updated: u.UpdatedAt, LastSignedIn: u.LastSignedInAt,
	}
	if tab.Edit {
		tab.Delete = v.atUser(u, "delete")
	}
	for _, one := range f.all() {
		one.Fixed = !tab.Edit
	}
	p := v.userPage(u, "", tab)
	p.Problems = problems
	return v.show(status, "user", p)
}

func (v *visit) editUser() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	document, problems, err := v.userDocument(u)
	if err != nil {
		return err
	}
	if len(problems) == 0 {
		if _, err = v.people().Patch(v.r.Context(), v.source, v.app.ID, u.UUID, document, v.revision()); err == nil {
			return v.done(v.atUser(u), "saved")
		}
	}
	status, problems, err := v.refusedUser(problems, err)
	if err != nil {
		return err
	}
	if u, err = v.user(); err != nil { // as it is now
		return err
	}
	return v.showUser(status, u, problems)
}
