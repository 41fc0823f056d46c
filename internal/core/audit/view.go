package audit

import (
	"encoding/json"
	"time"
)

// View is an event as it is answered. What is null is not there.
type View struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Actor     string          `json:"actor" doc:"client:<id>, admin:<email> or system."`
	Action    string          `json:"action" doc:"client.create, token.revoke and so on."`
	Object    string          `json:"object" doc:"client:<id>, scope:<name> and so on."`
	Address   *string         `json:"address" doc:"The address that the request came from; null: there was none."`
	RequestID *string         `json:"request_id" doc:"X-Request-Id of the answer; null: there was none."`
	Before    json.RawMessage `json:"before" doc:"The record before; null: there was none."`
	After     json.RawMessage `json:"after" doc:"The record after; null: there is none."`
	Outcome   Outcome         `json:"outcome" enum:"success,refused"`
}

// View gives the event as it is answered.
func (e *Event) View() View {
	return View{
		ID: e.ID, At: e.At, Actor: e.Actor, Action: e.Action, Object: e.Object, Address: orNull(e.Address),
		RequestID: orNull(e.RequestID), Before: e.Before, After: e.After, Outcome: e.Outcome,
	}
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
