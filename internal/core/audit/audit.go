// Package audit says what an audit event is. Events are written by the store,
// in the transaction of the change that they describe; this package stores
// nothing.
package audit

import (
	"encoding/json"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary/internal/core/ident"
)

// Source is where a change comes from. It is passed, explicitly, into every
// operation that changes a record.
type Source struct {
	Actor     string     // "client:<id>", "admin:<email>", or "system"
	Address   netip.Addr // the peer's address; the zero value where there is none
	RequestID string     // the X-Request-Id of the answer; "" where there is none
}

// System is the source of changes that the server makes by itself.
func System() Source { return Source{Actor: "system"} }

// Outcome of what an event reports.
type Outcome string

// The outcomes.
const (
	Success Outcome = "success"
	Refused Outcome = "refused"
)

// Event is who changed what, when, from where, before and after. It never holds
// a secret, nor anything a secret could be computed from.
type Event struct {
	ID            string
	ApplicationID string // "" for events of the whole instance
	At            time.Time
	Actor         string
	Action        string // "client.create", "client.secret.replace", "token.revoke", …
	Object        string // "client:<id>", "settings", "family:<id>", …
	Address       string // "" where there is none
	RequestID     string
	Before, After json.RawMessage // nil where there is no such state
	Outcome       Outcome
}

// New makes a successful event of source; the caller fills in before and after.
func New(source Source, applicationID, action, object string, at time.Time) Event {
	e := Event{
		ID:            ident.Record(),
		ApplicationID: applicationID,
		At:            at,
		Actor:         source.Actor,
		Action:        action,
		Object:        object,
		RequestID:     source.RequestID,
		Outcome:       Success,
	}
	if source.Address.IsValid() {
		e.Address = source.Address.String()
	}
	return e
}
