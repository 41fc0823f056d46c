package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
)

// tokenTable is a list of token families. Its template is "token-rows".
type tokenTable struct {
	Rows     []tokenRow
	OfClient bool   // all are of one client, which is not named
	Revoke   string // path that those to revoke are posted to: revokeChosen takes them; "": not his to do
}

type tokenRow struct {
	ID, Path       string
	Client, User   crumb // a Path of "": it is gone, or there is none
	Grant          string
	Scopes         []string // the first ones
	MoreScopes     int
	Issued         time.Time
	Expires        time.Time // of the access token; zero: never
	Expired        bool      // it is
	Code           bool      // nothing but a code, until it is redeemed
	Left           string    // refreshes; "": there is no refresh token
	RefreshExpires time.Time
	Refreshed      time.Time
	Address        string
	State          token.State
	Why            string
}

// shownScopes is how many of its scopes a row names.
const shownScopes = 3

// tokenRows makes rows of families, with the names of their clients and the
// addresses of their users, from memory where they are.
func (v *visit) tokenRows(families []token.Standing) ([]tokenRow, error) {
	rows := make([]tokenRow, len(families))
	for i, f := range families {
		row := &rows[i]
		*row = tokenRow{
			ID: f.ID.String(), Path: v.at("tokens", f.ID.String()), Client: crumb{Label: f.ClientID}, User: crumb{Label: f.UserID}, Grant: inSentence(string(f.GrantType)),
			Issued: f.IssuedAt, Expires: f.AccessExpiresAt,
			Expired: !f.Never() && !v.Now().Before(f.AccessExpiresAt),
			Code:    f.GrantType == oauth.AuthorizationCode && f.Generation == 0, Left: leftOf(f.Left),
			Refreshed: f.RotatedAt, Address: f.Address, State: f.State, Why: f.Why,
		}
		row.MoreScopes = max(0, len(f.Scopes)-shownScopes)
		for _, name := range f.Scopes[:min(len(f.Scopes), shownScopes)] {
			row.Scopes = append(row.Scopes, clip(name))
		}
		if f.RefreshGeneration > 0 {
			row.RefreshExpires = f.RefreshExpiresAt
		}
		if err := v.nameTokenOwners(row, f.Family); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// inSentence writes the name of a grant so that it breaks between words.
func inSentence(grant string) string { return strings.ReplaceAll(grant, "_", " ") }

func (v *visit) nameTokenOwners(row *tokenRow, f *token.Family) error {
	c, err := v.Clients.Get(v.r.Context(), v.app.ID, f.ClientID)
	switch {
	case err == nil:
		row.Client = crumb{clip(c.Title()), v.at("clients", c.ID)}
	case fault.KindOf(err) != fault.NotFound:
		return err
	}
	if f.UserID == "" {
		return nil
	}
	u, err := v.People.Get(v.r.Context(), v.app.ID, f.UserID)
	switch {
	case err == nil:
		row.User.Path = v.at("users", u.UUID)
		if u.Email != "" {
			row.User.Label = clip(u.Email)
		}
	case fault.KindOf(err) != fault.NotFound:
		return err
	}
	return nil
}

// leftOf says how many refreshes are left.
func leftOf(limit *client.Limit) string {
	switch {
	case limit == nil:
		return ""
	case limit.Unlimited:
		return "Unlimited"
	default:
		return count(limit.N)
	}
}

// revokeChosen takes back the families that the form names, those of one client
// where clientID is not "": it asks first, on page p, and leads back.
func (v *visit) revokeChosen(p pageOf, clientID, back string) error {
	chosen, err := v.chosenFamilies(clientID)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return v.done(back, "nothing")
	}
	if v.checked("sure") {
		for _, f := range chosen {
			if _, err := v.Tokens.RevokeFamily(v.r.Context(), v.source, v.app.ID, f.ID); err != nil {
				return err
			}
		}
		return v.done(back, "revoked")
	}
	q := question{Action: v.r.URL.RequestURI(), Button: "Revoke", Back: back, Hidden: []hidden{{"sure", "yes"}}}
	for _, f := range chosen {
		q.Hidden = append(q.Hidden, hidden{"family", f.ID.String()})
	}
	rows, err := v.tokenRows(chosen)
	if err != nil {
		return err
	}
	q.Text, q.Effects = effectsOfRevoking(rows)
	q.Effects = append(q.Effects, "Their access and refresh tokens are refused at once; there is no undo.")
	if end := lastJWT(chosen); !end.IsZero() {
		q.Effects = append(q.Effects, offline(end))
	}
	return v.ask(http.StatusOK, p, q)
}

// chosenFamilies are those that the form names and that live: the one whose
// button was pressed, or those that are ticked, a page of them at most.
func (v *visit) chosenFamilies(clientID string) ([]token.Standing, error) {
	names := v.form["family"]
	if one := v.form.Get("one"); one != "" {
		names = []string{one}
	}
	var chosen []token.Standing
	for _, name := range names[:min(len(names), perPage)] {
		id, ok := token.ParseID(name)
		if !ok {
			continue
		}
		f, err := v.Tokens.Get(v.r.Context(), v.app.ID, id)
		if fault.KindOf(err) == fault.NotFound {
			continue // it has ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		if f.State == token.Live && (clientID == "" || f.ClientID == clientID) {
			chosen = append(chosen, f)
		}
	}
	return chosen, nil
}

// effectsOfRevoking says what is about to be revoked, and names the first ones.
func effectsOfRevoking(rows []tokenRow) (text string, effects []string) {
	const named = 10
	text = "Revoke one authorization?"
	if len(rows) > 1 {
		text = "Revoke " + strconv.Itoa(len(rows)) + " authorizations?"
	}
	for i := range rows[:min(len(rows), named)] {
		r := &rows[i]
		line := r.Client.Label
		if r.User.Label != "" {
			line += ", for " + r.User.Label
		}
		effects = append(effects, line+", "+r.Grant+", issued "+written(r.Issued))
	}
	if len(rows) > named {
		effects = append(effects, "and "+strconv.Itoa(len(rows)-named)+" more")
	}
	return text, effects
}

// lastJWT is when the last of the families' JWTs ends that can be verified
// without asking; zero: there is none.
func lastJWT(families []token.Standing) (end time.Time) {
	for _, f := range families {
		if f.Format == lifetime.JWT && !f.Never() && f.AccessExpiresAt.After(end) {
			end = f.AccessExpiresAt
		}
	}
	return end
}

// offline says what becomes of JWTs, of which the last expires at end.
func offline(end time.Time) string {
	return "Who verifies JWTs offline, without asking, sees it only when they expire: the last one on " + written(end) + "."
}

// written is a moment in a sentence.
func written(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }
