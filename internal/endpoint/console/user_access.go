package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
)

// accessTab is to whom a user gave access.
type accessTab struct {
	Consents []consentRow
	Pager    pager
	Tokens   string // path of the list of the user's tokens
	Live     string // how many of them are live
}

type consentRow struct {
	ID, Client, Path string
	Scopes           recordCell
	Granted, Updated time.Time
	Revoke           string // path of the question
}

func (v *visit) userAccess() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	filter := consent.Filter{UserID: u.UUID, Limit: perPage + 1}
	if cursor := v.form.Get("cursor"); cursor != "" {
		if filter.After, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return v.redirect(v.atUser(u, "access")) // a link that was cut
		}
	}
	found, err := v.Consents.List(v.r.Context(), v.app.ID, filter)
	if err != nil {
		return err
	}
	next := ""
	if len(found) > perPage {
		found = found[:perPage]
		next = strconv.FormatInt(found[perPage-1].Sequence, 10)
	}
	tab := accessTab{
		Tokens: with(v.at("tokens"), "user", u.UUID, "state", "live"), Pager: v.pages(v.atUser(u, "access"), next, len(found)),
	}
	if tab.Live, err = v.liveTokens(ofUser(u)); err != nil {
		return err
	}
	for _, c := range found {
		row := consentRow{
			ID: c.ID, Client: c.ClientID, Path: v.at("clients", c.ClientID), Scopes: listed(c.Scopes), Granted: c.GrantedAt, Updated: c.UpdatedAt,
			Revoke: with(v.atUser(u, "consent"), "id", c.ID),
		}
		if row.Client, err = v.clientName(c.ClientID); err != nil {
			return err
		}
		tab.Consents = append(tab.Consents, row)
	}
	return v.show(http.StatusOK, "user-access", v.userPage(u, "access", tab))
}

// consent gives a consent of the user: the one that the form, or the query, names.
func (v *visit) consent(u *user.User) (*consent.Consent, error) {
	id, err := v.named("id")
	if err != nil {
		return nil, err
	}
	c, err := v.Consents.Get(v.r.Context(), v.app.ID, id)
	if err == nil && c.UserID != u.UUID {
		err = fault.NotFoundf("There is no such consent.")
	}
	return c, err
}

func (v *visit) askConsent() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	c, err := v.consent(u)
	if err != nil {
		return err
	}
	name, err := v.clientName(c.ClientID)
	if err != nil {
		return err
	}
	return v.ask(http.StatusOK, v.below(u, "Take this consent back?"), question{
		Text: "What " + called(u) + " granted to " + name + " is taken back.",
		Effects: []string{
			"Every token that the client has of this user dies now.",
			"The client asks for the user's consent again the next time.",
		},
		Action: v.atUser(u, "consent"), Hidden: []hidden{{"id", c.ID}}, Button: "Take it back", Back: v.atUser(u, "access"),
	})
}

func (v *visit) revokeConsent() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	c, err := v.consent(u)
	if err != nil {
		return err
	}
	err = v.Consents.Revoke(v.r.Context(), v.source, v.app.ID, u.UUID, c.ClientID)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return v.done(v.atUser(u, "access"), "revoked")
}
