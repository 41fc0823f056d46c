package console

import (
	"net/http"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

func keyRoutes(s *routes) {
	s.get(inApplication+"/keys", toRead, (*visit).keys)
	s.get(inApplication+"/keys/rotate", to(admin.EditApplication), func(v *visit) error { return v.askRotate(http.StatusOK, nil) })
	s.post(inApplication+"/keys/rotate", to(admin.EditApplication), (*visit).rotate)
	s.get(inApplication+"/keys/{key}/withdraw", to(admin.EditApplication), func(v *visit) error { return v.askWithdraw(http.StatusOK, nil) })
	s.post(inApplication+"/keys/{key}/withdraw", to(admin.EditApplication), (*visit).withdraw)
}

type keysData struct {
	Rows                    []keyRow
	Algorithm, JWKS         string
	Rotate, Now, Algorithms string // paths; "": not his to do
}

type keyRow struct {
	ID, Algorithm, State            string
	Published, Signs, Until, Needed time.Time
	Withdraw                        string // path; "": not his to do, or it is not retired
}

// keys lists the signing keys, the newest first.
func (v *visit) keys() error {
	found, err := v.Signers.Keys(v.r.Context(), v.app.ID)
	if err != nil {
		return err
	}
	d := keysData{Algorithm: v.app.Settings.Algorithm(), JWKS: v.Issuers().Of(v.app.ID) + oauth.JWKSPath}
	for i := len(found) - 1; i >= 0; i-- {
		k := &found[i]
		row := keyRow{k.ID, k.Algorithm, k.State(v.Now()), k.CreatedAt, k.ActiveAt, k.RetiredAt, k.NeededUntil, ""}
		if row.State == "retired" && v.may(admin.EditApplication) {
			row.Withdraw = v.at("keys", k.ID, "withdraw")
		}
		d.Rows = append(d.Rows, row)
	}
	if v.may(admin.EditApplication) {
		d.Rotate, d.Now, d.Algorithms = v.at("keys", "rotate"), v.at("keys", "rotate")+"?immediately=true", v.at("settings")+"#field-signing_algorithm"
		if waiting(found, v.Now()) != nil {
			d.Rotate = ""
		}
	}
	return v.show(http.StatusOK, "keys", pageOf{Title: "Signing keys", Section: "keys", Data: d})
}

// waiting is the key that is published and does not sign yet; nil: there is none.
func waiting(keys []key.SigningKey, now time.Time) *key.SigningKey {
	for i := range keys {
		if now.Before(keys[i].ActiveAt) {
			return &keys[i]
		}
	}
	return nil
}

// askRotate asks before the next key begins, ahead of the schedule or at once.
func (v *visit) askRotate(status int, problems []page.Problem) error {
	q := question{
		Text: "The next signing key of " + v.app.Name + " will be published now, and sign once everybody has had the time to learn of it.",
		Effects: []string{
			"Nobody has to do anything: whoever verifies tokens by the JWK set finds the key there before it signs.",
			"Tokens that are out stay good until they expire.",
		},
		Action: v.at("keys", "rotate"), Button: "Publish the next key", Back: v.at("keys"),
	}
	if v.form.Get("immediately") != "" {
		q.Text = "Another signing key of " + v.app.Name + " will sign at once. This is for a key that leaked."
		q.Effects = []string{
			"Whoever has remembered the JWK set refuses new tokens until it fetches the set again.",
			"The old key stays in the set until what it signed has expired: tokens that are out stay good. If it leaked, withdraw it then.",
		}
		q.Hidden, q.Button = []hidden{{"immediately", "true"}}, "Rotate at once"
	}
	return v.ask(status, pageOf{
		Title: "Rotate the signing key?", Section: "keys", Crumbs: []crumb{{"Signing keys", v.at("keys")}}, Problems: problems,
	}, q)
}

func (v *visit) rotate() error {
	_, err := v.Signers.Rotate(v.r.Context(), v.source, v.app.ID, v.app.Settings.Algorithm(), v.checked("immediately"))
	if err == nil {
		return v.done(v.at("keys"), "rotated")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.askRotate(status, problems)
}

// askWithdraw asks before a key that leaked goes out of the set.
func (v *visit) askWithdraw(status int, problems []page.Problem) error {
	k, err := v.Signers.Key(v.r.Context(), v.app.ID, v.r.PathValue("key"))
	if err != nil {
		return err
	}
	return v.ask(status, pageOf{
		Title: "Withdraw the signing key?", Section: "keys", Crumbs: []crumb{{"Signing keys", v.at("keys")}}, Problems: problems,
	}, question{
		Text: "The signing key " + k.ID + " goes out of the JWK set of " + v.app.Name + " now. This is for a key that leaked.",
		Effects: []string{
			"Every JWT that it signed is refused here from now on, and elsewhere once the set is fetched again: 15 minutes at most where its answer is kept.",
			"Refresh tokens stay good: clients that have one get new tokens with it. Opaque tokens stay good too.",
			"It cannot be put back.",
		},
		Action: v.at("keys", k.ID, "withdraw"), Button: "Withdraw the key", Back: v.at("keys"),
	})
}

func (v *visit) withdraw() error {
	err := v.Signers.Withdraw(v.r.Context(), v.source, v.app.ID, v.r.PathValue("key"))
	if err == nil {
		return v.done(v.at("keys"), "withdrawn")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.askWithdraw(status, problems)
}
