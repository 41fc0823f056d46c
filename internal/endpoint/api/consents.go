package api

import (
	"net/http"
	"strconv"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/consent"
)

// InConsent is the path of one consent.
type InConsent struct {
	InApplication
	ID string `path:"id" doc:"The id of the consent."`
}

type writeConsent struct {
	InConsent
	IfMatch
}

type consentPage struct {
	InApplication
	Paging
	UserID   string `query:"user_id" doc:"Only what this user granted."`
	ClientID string `query:"client_id" doc:"Only what was granted to this client."`
}

func (a *api) consents(b *builder) {
	body := writable[consent.View](b, "ConsentFields", map[string]string{
		"id":         "Made by the server.",
		"user_id":    "The uuid of the user; fixed.",
		"client_id":  "The client; fixed.",
		"scopes":     "What the user granted: at least one.",
		"granted_at": "When the first of them was granted.",
		"updated_at": "When the user was last asked, or the scopes were last changed.",
	})
	fields := b.huma.OpenAPI().Components.Schemas.Map()["ConsentFields"]
	for _, name := range []string{"id", "granted_at", "updated_at"} {
		fields.Properties[name].ReadOnly = true
	}
	k := &records[consent.Consent, consent.Fields, consent.View]{
		noun: "consent", plural: "consents", parameter: "id", need: admin.EditUsers, body: body,
		summaries: summaries{
			list:   "List what users granted to clients, the oldest first",
			create: "Note what a user granted to a client elsewhere",
			get:    "Show what a user granted to a client",
			edit:   "Change the scopes that a user granted; tokens that are out keep theirs",
			remove: "Take back what a user granted to a client, and every token that the client has of the user",
		},
		core: func(*call) editor[consent.Consent, consent.Fields] { return a.Consents },
		read: (*consent.Fields).Patch,
		show: func(c *consent.Consent) (string, int64, consent.View) { return c.ID, c.Revision(), c.View() },
	}
	handle(b, operation{
		method: http.MethodGet, path: k.path(), id: "list-consents", tag: k.plural, need: admin.Read, summary: k.summaries.list,
	}, a.listConsents)
	declareOne[InConsent, writeConsent](b, k)
}

func (a *api) listConsents(c *call, in *consentPage) (*plainly[list[consent.View]], error) {
	for name, text := range map[string]string{"user_id": in.UserID, "client_id": in.ClientID} {
		if !nameable(text) {
			return nil, inQuery(name, "Write text in UTF-8.")
		}
	}
	text, err := in.place()
	if err != nil {
		return nil, err
	}
	filter := consent.Filter{UserID: in.UserID, ClientID: in.ClientID, Limit: in.Limit + 1}
	if text != "" {
		if filter.After, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, errCursor
		}
	}
	found, err := a.Consents.List(c.Context(), c.app.ID, filter)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = strconv.FormatInt(found[in.Limit-1].Sequence, 10)
	}
	views := make([]consent.View, len(found))
	for i, f := range found {
		views[i] = f.View()
	}
	return page(views, next), nil
}
