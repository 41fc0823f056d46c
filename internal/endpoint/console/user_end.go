package console

import (
	"net/http"
	"strconv"

	"github.com/ostiary/ostiary/internal/core/client/inventory"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/web"
)

// named gives the identifier that a parameter of the form holds. The databases
// take no text that is none.
func (v *visit) named(parameter string) (string, error) {
	id := v.form.Get(parameter)
	if id == "" || !inventory.ValidText(id) {
		return "", web.ErrNotFound
	}
	return id, nil
}

// clientName gives the name of a client, its id where it is gone.
func (v *visit) clientName(id string) (string, error) {
	c, err := v.Clients.Get(v.r.Context(), v.app.ID, id)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return id, nil
	case err != nil:
		return "", err
	default:
		return c.Title(), nil
	}
}

func ofUser(u *user.User) token.Selection { return token.Selection{UserID: u.UUID} }

// liveTokens says how many live tokens there are of a selection, as far as one
// look at the list counts them.
func (v *visit) liveTokens(of token.Selection) (string, error) {
	found, err := v.Tokens.List(v.r.Context(), v.app.ID, token.Query{Selection: of, State: token.Live, Limit: token.MaxScan})
	if err != nil {
		return "", err
	}
	text := number(int64(len(found.Families)), "live token", "live tokens")
	if found.More {
		text = "at least " + text
	}
	return text, nil
}

// whatDies are the effects of whatever ends all that a user was given.
func (v *visit) whatDies(u *user.User) ([]string, error) {
	sessions, err := v.Sessions.List(v.r.Context(), v.app, u.UUID)
	if err != nil {
		return nil, err
	}
	all, err := v.given(u, len(sessions))
	if err != nil {
		return nil, err
	}
	return []string{"Dies now, for good: " + all + ".", "Who verifies JWTs offline sees it when they expire."}, nil
}

// given is all that a user was given, who has so many sessions.
func (v *visit) given(u *user.User, sessions int) (string, error) {
	tokens, err := v.liveTokens(ofUser(u))
	return number(int64(sessions), "session", "sessions") + ", " + tokens + ", and every refresh token, code and link", err
}

func (v *visit) askDeactivation() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	effects, err := v.whatDies(u)
	if err != nil {
		return err
	}
	return v.ask(http.StatusOK, v.below(u, "Deactivate this user?"), question{
		Text: called(u) + " can no longer sign in.", Effects: append(effects, "Activating the user again revives none of it."),
		Action: v.atUser(u, "deactivate"), Button: "Deactivate the user", Back: v.atUser(u),
	})
}

func (v *visit) askActivation() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	return v.ask(http.StatusOK, v.below(u, "Activate this user?"), question{
		Text: called(u) + " can sign in again.", Effects: []string{"What died when the user was deactivated stays dead."},
		Action: v.atUser(u, "activate"), Button: "Activate the user", Back: v.atUser(u),
	})
}

func (v *visit) switchUser(on bool) error {
	u, err := v.people().SetActive(v.r.Context(), v.source, v.app.ID, v.r.PathValue("user"), on)
	if err != nil {
		return err
	}
	if on {
		return v.done(v.atUser(u), "activated")
	}
	return v.done(v.atUser(u), "deactivated")
}

// askDeletion asks for the address, or the uuid of a user who has none: there is
// no undo.
func (v *visit) askDeletion(status int, problems []page.Problem) error {
	u, err := v.user()
	if err != nil {
		return err
	}
	effects, err := v.whatDies(u)
	if err != nil {
		return err
	}
	p := v.below(u, "Delete this user?")
	p.Problems = problems
	return v.ask(status, p, question{
		Text:    "The record of " + called(u) + ", credentials and consents are removed. There is no undo.",
		Effects: append(effects, "A user who is made anew has another uuid: clients take them for somebody else."),
		Action:  v.atUser(u, "delete"), Hidden: []hidden{{"revision", strconv.FormatInt(u.Revision, 10)}},
		Type: toType(u), Button: "Delete the user", Back: v.atUser(u),
	})
}

// toType is what is typed before a user is deleted.
func toType(u *user.User) string {
	if u.Email != "" {
		return u.Email
	}
	return u.UUID
}

func (v *visit) deleteUser() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	if err = v.typed(toType(u)); err == nil {
		err = v.people().Delete(v.r.Context(), v.source, v.app.ID, u.UUID, v.revision())
	}
	if err == nil {
		return v.done(v.at("users"), "deleted")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.askDeletion(status, problems)
}
