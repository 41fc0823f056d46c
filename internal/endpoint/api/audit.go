package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
)

// AuditEvent is an audit event as it is answered.
type AuditEvent struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Actor     string          `json:"actor" doc:"client:<id>, admin:<email> or system."`
	Action    string          `json:"action" doc:"client.create, token.revoke and so on."`
	Object    string          `json:"object" doc:"client:<id>, scope:<name> and so on."`
	Address   *string         `json:"address" doc:"The address that the request came from; null: there was none."`
	RequestID *string         `json:"request_id" doc:"X-Request-Id of the answer; null: there was none."`
	Before    json.RawMessage `json:"before" doc:"The record before; null: there was none."`
	After     json.RawMessage `json:"after" doc:"The record after; null: there is none."`
	Outcome   string          `json:"outcome" enum:"success,refused"`
}

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

func (a *api) listEvents(c *call, in *auditPage) (*plainly[list[AuditEvent]], error) {
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
	items := make([]AuditEvent, len(events))
	for i, e := range events {
		items[i] = AuditEvent{
			ID: e.ID, At: e.At, Actor: e.Actor, Action: e.Action, Object: e.Object, Address: orNull(e.Address),
			RequestID: orNull(e.RequestID), Before: e.Before, After: e.After, Outcome: string(e.Outcome),
		}
	}
	if next == (audit.Cursor{}) {
		return page(items, ""), nil
	}
	return page(items, strconv.FormatInt(next.At, 10)+"."+strconv.FormatInt(next.Sequence, 10)), nil
}

// after opens the cursor: the time and the number of the last event.
func (in *auditPage) after() (audit.Cursor, error) {
	text, err := in.place()
	if err != nil || text == "" {
		return audit.Cursor{}, err
	}
	at, sequence, _ := strings.Cut(text, ".")
	var after audit.Cursor
	if after.At, err = strconv.ParseInt(at, 10, 64); err == nil {
		after.Sequence, err = strconv.ParseInt(sequence, 10, 64)
	}
	if err != nil || after == (audit.Cursor{}) {
		return audit.Cursor{}, errCursor
	}
	return after, nil
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
