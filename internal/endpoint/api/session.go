package api

import (
	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/web"
)

// errOrigin says that the page of another site sent a write: the browser adds the
// cookie to it, and the administrator knows nothing of it.
var errOrigin = fault.Deniedf("With a session of the console, writes are taken from pages of this host only.")

// session takes an administrator by the console's cookie: with the role that he
// has in the application of the path. Where the path has none, those of the
// instance may do all, and the others see their applications.
func (a *api) session(c *call, cookie string) error {
	if web.FromElsewhere(c.Request, a.ConsoleURL) {
		return errOrigin
	}
	_, who, err := a.Sessions.Find(c.Context(), administrator.Application(), cookie)
	if fault.KindOf(err) == fault.NotFound {
		return unauthenticated("")
	}
	if err != nil {
		return err
	}
	c.actor, c.email, c.access = administrator.Actor(who), who.Email, administrator.AccessOf(who)
	c.instance = c.access.Instance
	id := c.PathValue("app")
	switch c.role = c.access.In(id); {
	case id == "" && c.role == "":
		c.role = admin.Viewer
		return nil
	case id == "":
		return nil
	case c.role == "":
		return unauthenticated("")
	}
	if c.app, err = a.application(c, id); err == nil && c.app == nil {
		return unauthenticated("")
	}
	return err
}
