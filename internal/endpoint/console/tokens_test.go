package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

// minted stores a family of a client, for a user who may be nil, as change has it.
func (r *rig) minted(clientID string, u *user.User, change func(*token.Family)) string {
	r.t.Helper()
	c, err := r.App.Clients.Get(r.t.Context(), r.ApplicationID, clientID)
	if err != nil {
		r.t.Fatal(err)
	}
	now := r.Clock.Now()
	f := &token.Family{
		ID: token.NewID(now), ApplicationID: r.ApplicationID, ClientID: c.ID, ClientEra: c.Era, GrantType: oauth.ClientCredentials, Format: "opaque",
		IssuedAt: now, AccessExpiresAt: now.Add(time.Hour), Address: "192.0.2.1",
	}
	if u != nil {
		f.UserID, f.UserEra, f.GrantType = u.UUID, u.Era, oauth.AuthorizationCode
		f.Generation, f.RefreshGeneration, f.RefreshExpiresAt = 1, 1, now.Add(30*24*time.Hour)
	}
	change(f)
	if _, err := r.App.Store.Tokens().Mint(r.t.Context(), f); err != nil {
		r.t.Fatal(err)
	}
	return f.ID.String()
}

func asMinted(*token.Family) {}

func carrying(scopes ...string) func(*token.Family) {
	return func(f *token.Family) { f.Scopes = scopes }
}

// state is what became of a family.
func (r *rig) state(family string) token.State {
	r.t.Helper()
	id, _ := token.ParseID(family)
	f, err := r.App.Tokens.Get(r.t.Context(), r.ApplicationID, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return f.State
}

func TestTokens(t *testing.T) {
	r := start(t, servertest.Options{})
	r.get(r.at("/tokens")).shows(http.StatusOK, "No token lives")
	one, _ := r.client(`"name":"One <b>","kind":"service"`)
	two, _ := r.client(`"name":"Two","kind":"web","redirect_uris":["https://two.example.com/"]`)
	anna := r.stored(r.madeUser("email", "anna@example.com"))
	lifelong := r.minted(one, nil, func(f *token.Family) { f.AccessExpiresAt = time.Time{} })
	ofAnna := r.minted(two, anna, carrying("openid", "email"))
	over := r.minted(two, anna, func(f *token.Family) {
		f.AccessExpiresAt, f.Scopes, f.RotatedAt, f.Refreshes = r.Clock.Now().Add(time.Second), []string{"phone"}, r.Clock.Now(), 3
	})
	r.Clock.Advance(time.Minute)
	r.get(r.at("/tokens")).shows(http.StatusOK, "One &lt;b&gt;", "Two", "anna@example.com", "Lifetime", ">Expired</span>", "Unlimited", "192.0.2.1", "Revoke those ticked").
		lacks("Revoke all that match", "One <b>")

	for filter, want := range map[string][]string{
		"client=" + one:                           {lifelong},
		"client=" + two:                           {ofAnna, over},
		"user=anna%40example.com":                 {ofAnna, over},
		"user=" + anna.UUID + "&scope=phone":      {over},
		"scope=email":                             {ofAnna},
		"user=nobody%40example.com":               nil,
		"client=" + two + "&state=revoked":        nil,
		"client=nonsense%20%22%3E%3Cimg%3E":       nil,
		"client=" + one + "&state=all&scope=":     {lifelong},
		"state=live&scope=phone&client=" + two:    {over},
		"state=nonsense&client=" + two + "&user=": {ofAnna, over},
	} {
		page := r.get(r.at("/tokens?" + filter)).shows(http.StatusOK).lacks(`"><img`)
		for _, f := range []string{lifelong, ofAnna, over} {
			if has := strings.Contains(page.body, `value="`+f+`"`); has != strings.Contains(strings.Join(want, " "), f) {
				t.Errorf("%s: %s is there: %t", filter, f, has)
			}
		}
	}
	r.get(r.at("/tokens?client=Two")).shows(http.StatusOK, `placeholder="consumer key, not the name"`, "A client is found by its whole id", `<a href="`+r.at("/clients")+`">an API client</a>`)
	r.get(r.at("/tokens?scope=%00")).shows(http.StatusSeeOther)
	r.get(r.at("/tokens?cursor=x")).shows(http.StatusNotFound)
	r.get(r.at("/tokens/"+over)).shows(http.StatusOK, "Refreshed so far", "<dd>3</dd>", "phone", "anna@example.com", r.Issuer, "opaque", "Revoke…")
	r.get(r.at("/tokens/"+lifelong)).shows(http.StatusOK, "Lifetime", "the client itself", "there is none")
	r.get(r.at("/tokens/nonsense")).shows(http.StatusNotFound)
	r.get(r.at("/tokens/" + token.NewID(r.Clock.Now()).String())).shows(http.StatusNotFound)
}

func TestRevokingTokens(t *testing.T) {
	r := start(t, servertest.Options{})
	anna := r.stored(r.madeUser("email", "anna@example.com", "attributes.displayName", hostile[1]))
	one, _ := r.client(`"name":"One","kind":"web","redirect_uris":["https://one.example.com/"]`)
	var list []string
	for range 4 {
		list = append(list, r.minted(one, anna, carrying("email")))
	}
	other := r.minted(one, nil, asMinted)
	// One, from the list, which keeps its filters.
	revoke := r.at("/tokens/revoke?user=anna%40example.com&state=live")
	question := r.post(revoke, "one", list[0]).shows(http.StatusOK, "Revoke one authorization?", "anna@example.com").lacksMarkup()
	if at := question.between(`<form class="card narrow" method="post" action="`, `"`); strings.ReplaceAll(at, "&amp;", "&") != revoke {
		t.Errorf("the question is posted to %s", at)
	}
	if a := r.post(revoke, "family", list[0], "sure", "yes").shows(http.StatusSeeOther); a.location != r.at("/tokens?user=anna%40example.com&state=live&done=revoked") {
		t.Errorf("from the question to %s", a.location)
	}
	// One, from its page.
	r.post(r.at("/tokens/"+list[1]+"/revoke")).shows(http.StatusOK, "Revoke one authorization?")
	r.post(r.at("/tokens/"+list[1]+"/revoke"), "sure", "yes").shows(http.StatusSeeOther)
	r.get(r.at("/tokens/"+list[1])).shows(http.StatusOK, "revoked").lacks("Revoke…")
	// All that match.
	r.get(r.at("/tokens?user=anna%40example.com")).shows(http.StatusOK, "Revoke all that match…")
	r.get(r.at("/tokens?scope=nowhere")).shows(http.StatusOK).lacks("Revoke all that match…")
	r.get(r.at("/tokens?user=anna%40example.com&state=revoked")).shows(http.StatusOK).lacks("Revoke all that match…", "Revoke<span")
	r.post(r.at("/tokens/revoke-all"), "user", anna.UUID, "scope", "email").
		shows(http.StatusOK, "every live token that matches: 2 live tokens?", "That carry the scope email", "&#34;&gt;&lt;img", "Type <code>all that match</code>").lacksMarkup()
	r.post(r.at("/tokens/revoke-all"), "user", anna.UUID, "scope", "email", "typed", "all").shows(http.StatusUnprocessableEntity, "to the letter")
	if r.state(list[2]) != token.Live {
		t.Error("the question alone revokes")
	}
	r.post(r.at("/tokens/revoke-all"), "user", anna.UUID, "scope", "email", "typed", "all that match").shows(http.StatusSeeOther)
	for _, f := range list {
		if r.state(f) != token.Revoked {
			t.Errorf("%s is %s", f, r.state(f))
		}
	}
	if r.state(other) != token.Live {
		t.Error("more died than was meant")
	}
	if a := r.post(r.at("/tokens/revoke-all"), "typed", "all that match").shows(http.StatusSeeOther); !strings.HasSuffix(a.location, "done=nothing") || r.state(other) != token.Live {
		t.Errorf("all of an application: %s", a.location)
	}
	r.post(r.at("/tokens/revoke-all"), "client", one, "typed", "all that match").shows(http.StatusSeeOther)
	if r.state(other) != token.Revoked {
		t.Error("a client's token lives")
	}
}

// A page has so many rows, and its links keep the filters.
func TestPagesOfTokens(t *testing.T) {
	r := start(t, servertest.Options{})
	for range 51 {
		r.minted(r.OwnerID, nil, carrying("a"))
		r.Clock.Advance(time.Second)
	}
	first := r.get(r.at("/tokens?scope=a")).shows(http.StatusOK, "Next page")
	if n := strings.Count(first.body, `name="one"`); n != 50 {
		t.Errorf("%d rows", n)
	}
	next := strings.ReplaceAll(first.between(`class="button small" href="`, `"`), "&amp;", "&")
	if second := r.get(next).shows(http.StatusOK, "First page"); strings.Count(second.body, `name="one"`) != 1 {
		t.Error(second.body)
	}
	if at, err := url.Parse(next); err != nil || at.Query().Get("scope") != "a" {
		t.Error(next)
	}
}

func TestWhoRevokesTokens(t *testing.T) {
	r := start(t, servertest.Options{})
	family := r.minted(r.OwnerID, nil, asMinted)
	developer := r.as(admin.Developer)
	app, err := r.App.Applications.Get(t.Context(), r.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	name, kind := "Mine", client.Service
	mine, _, err := r.App.Operations.By(admin.Developer, "developer@example.com").CreateFrom(t.Context(), audit.System(), app, client.Fields{Name: &name, Kind: &kind}, client.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	own := r.minted(mine.ID, nil, asMinted)
	for _, other := range []*rig{developer, r.as(admin.Viewer)} {
		other.get(r.at("/tokens?client="+r.OwnerID)).shows(http.StatusOK, "First owner").lacks("Revoke")
		other.get(r.at("/tokens/" + family)).shows(http.StatusOK).lacks("Revoke…")
		other.post(r.at("/tokens/revoke"), "one", family, "sure", "yes").shows(http.StatusForbidden)
		other.post(r.at("/tokens/revoke-all"), "client", r.OwnerID, "typed", "all that match").shows(http.StatusForbidden)
		other.post(r.at("/tokens/"+family+"/revoke"), "sure", "yes").shows(http.StatusForbidden)
	}
	developer.get(r.at("/tokens/"+own)).shows(http.StatusOK, "Revoke…")
	developer.post(r.at("/tokens/"+own+"/revoke"), "sure", "yes").shows(http.StatusSeeOther)
	if r.state(own) != token.Revoked || r.state(family) != token.Live {
		t.Error(r.state(own), r.state(family))
	}
}
