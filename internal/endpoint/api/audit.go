package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
)

type auditPage struct {
	InApplication
	Paging
	Actor  string    `query:"actor" doc:"Only events of this actor."`
	Action string    `query:"action" doc:"Only this action; one that ends with a full stop, as client., stands for all that begin so."`
	Object string    `query:"object" doc:"Only events about this object."`
	Since  time.Time `query:"since" doc:"Only events at or after this time (RFC 3339)."`
	Until  time.Time `query:"until" doc:"Only events before this time (RFC 3339)."`
}

func (a *api) audit(b *builder) {
	handle(b, operation{
		method: http.MethodGet, path: "/applications/{app}/audit", id: "list-audit-events", tag: "audit", need: admin.Read,
		summary: "List audit events, the newest first",
	}, a.listEvents)
}

func (a *api) listEvents(c *call, in *auditPage) (*plainly[list[audit.View]], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"actor": in.Actor, "action": in.Action, "object": in.Object} {
		if strings.ContainsRune(text, 0) || strings.ToValidUTF8(text, "") != text {
			return nil, inQuery(name, "Write text in UTF-8.")
		}
	}
	events, next, err := a.Audit.Search(c.Context(), c.app.ID, audit.Filter{
		Actor: in.Actor, Action: in.Action, Object: in.Object, Since: in.Since, Until: in.Until, After: after, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	items := make([]audit.View, len(events))
	for i := range events {
		items[i] = events[i].View()
	}
	return page(items, next.String()), nil
}

// after opens the cursor: the time and the number of the last event.
func (in *auditPage) after() (audit.Cursor, error) {
	text, err := in.place()
	if err != nil {
		return audit.Cursor{}, err
	}
	after, err := audit.ParseCursor(text)
	if err != nil {
		return audit.Cursor{}, errCursor
	}
	return after, nil
}
