package console_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/servertest"
)

// client makes a client by the management API, of members of its document, and
// gives its id and secret.
func (r *rig) client(members string) (id, secret string) {
	r.t.Helper()
	answer := r.Do(http.MethodPost, "/api/v1/applications/"+r.ApplicationID+"/clients", r.OwnerID, r.OwnerSecret, "application/json", "{"+members+"}")
	var made struct{ ID, Secret string }
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != http.StatusCreated {
		r.t.Fatal(answer.StatusCode, err)
	}
	return made.ID, made.Secret
}

// token gives an access token by client credentials.
func (r *rig) token(id, secret string) string {
	r.t.Helper()
	answer := r.Do(http.MethodPost, strings.TrimPrefix(r.Issuer, r.URL)+"/oauth2/token", id, secret, "application/x-www-form-urlencoded", "grant_type=client_credentials")
	var given struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&given); err != nil || answer.StatusCode != http.StatusOK {
		r.t.Fatal(answer.StatusCode, err)
	}
	return given.AccessToken
}

// lives reports whether introspection knows the token.
func (r *rig) lives(text string) bool {
	r.t.Helper()
	answer := r.Do(http.MethodPost, strings.TrimPrefix(r.Issuer, r.URL)+"/oauth2/introspect", r.OwnerID, r.OwnerSecret, "application/x-www-form-urlencoded", "token="+text)
	var said struct{ Active bool }
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		r.t.Fatal(err)
	}
	return said.Active
}

// between gives what stands between two texts of the page, the first time.
func (a *answer) between(before, after string) string {
	a.t.Helper()
	_, rest, ok := strings.Cut(a.body, before)
	text, _, end := strings.Cut(rest, after)
	if !ok || !end {
		a.t.Fatalf("the page has nothing between %q and %q:\n%s", before, after, a.body)
	}
	return text
}

func TestTokensOfAClient(t *testing.T) {
	r := start(t, servertest.Options{})
	id, secret := r.client(`"name":"Billing <sync>","version":"2.1","kind":"service"`)
	page := r.at("/clients/" + id + "/tokens")
	r.get(page).shows(http.StatusOK, "No token of this client lives")
	first, second := r.token(id, secret), r.token(id, secret)
	r.Clock.Advance(time.Minute)
	third := r.token(id, secret)
	list := r.get(page).shows(http.StatusOK, "Revoke all", "client credentials", "127.0.0.1", "in 59 minutes").lacks("<sync>", "Lifetime")
	if n := strings.Count(list.body, `name="one"`); n != 3 {
		t.Errorf("%d can be revoked", n)
	}
	family := list.between(`name="one" value="`, `"`) // the newest
	viewer := r.as(admin.Viewer)
	viewer.get(page).shows(http.StatusOK, "client credentials").lacks("Revoke")
	viewer.post(page+"/revoke", "one", family, "sure", "yes").shows(http.StatusForbidden)
	viewer.post(page+"/revoke-all", "typed", "Billing <sync>").shows(http.StatusForbidden)

	r.post(page+"/revoke", "one", family).shows(http.StatusOK, "Revoke one authorization?", "Billing &lt;sync&gt; 2.1", "the last one on")
	if !r.lives(third) {
		t.Error("the question alone revokes")
	}
	other, _ := r.client(`"name":"Other","kind":"service"`)
	for _, at := range []string{r.at("/clients/" + other + "/tokens/revoke"), page + "/revoke"} {
		chosen := []string{"sure", "yes", "family", family, "family", "nonsense"}
		if r.post(at, chosen...).shows(http.StatusSeeOther); r.lives(third) != (at != page+"/revoke") {
			t.Errorf("after %s it lives: %v", at, r.lives(third))
		}
	}
	if a := r.post(page + "/revoke").shows(http.StatusSeeOther); !strings.HasSuffix(a.location, "done=nothing") {
		t.Errorf("of none: %s", a.location)
	}
	r.get(page+"?state=revoked").shows(http.StatusOK, "revoked").lacks(`name="one"`)
	r.post(page+"/revoke-all").shows(http.StatusOK, "2 live tokens die now", "Type <code>Billing &lt;sync&gt;</code>")
	r.post(page+"/revoke-all", "typed", "Billing").shows(http.StatusUnprocessableEntity, "to the letter", "2 live tokens die now")
	if !r.lives(first) {
		t.Error("something else was typed, and they die")
	}
	r.post(page+"/revoke-all", "typed", "Billing <sync>").shows(http.StatusSeeOther)
	if r.lives(first) || r.lives(second) || !r.lives(r.token(id, secret)) {
		t.Error("all die, and the client goes on")
	}
	r.get(page + "?cursor=nonsense").shows(http.StatusNotFound)
}
