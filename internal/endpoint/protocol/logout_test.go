package protocol_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// signedIn reports whether the browser's user is, as a silent request finds out.
func (b *browser) signedIn() bool {
	b.Helper()
	v := url.Values{
		"client_id": {"spa"}, "response_type": {"code"}, "redirect_uri": {page + "/cb"}, "scope": {"openid"}, "prompt": {"none"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	answer, text := b.do("GET", b.server.Issuer+"/oauth2/authorize?"+v.Encode(), nil, nil)
	to, err := answer.Location()
	if err != nil {
		b.Fatalf("%d: %s", answer.StatusCode, text)
	}
	return to.Query().Get("code") != ""
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// Without a hint the user is asked, by a form that no other site can send.
func TestLogoutAsks(t *testing.T) {
	b, _, u := flow(t)
	out := b.server.Issuer + "/oauth2/logout"
	sent := url.Values{"client_id": {"spa"}, "post_logout_redirect_uri": {page + "/bye?a=b"}, "state": {"xyz"}}
	answer, text := b.do("GET", out+"?"+sent.Encode(), nil, nil)
	if answer.StatusCode != http.StatusBadRequest || strings.Contains(answer.Header.Get("Location"), "app.example") {
		t.Errorf("one that is not registered: %d %v %s", answer.StatusCode, answer.Header, text)
	}
	sent.Set("post_logout_redirect_uri", page+"/bye")
	answer, text = b.do("GET", out+"?"+sent.Encode(), nil, nil)
	form := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(text, -1) {
		form.Set(field[1], field[2])
	}
	if answer.StatusCode != http.StatusOK || form.Get("confirmed") == "" || !b.signedIn() {
		t.Fatalf("%d %v: %s", answer.StatusCode, form, text)
	}
	other := newBrowser(t, b.server)
	other.signIn(u)
	_, text = other.do("GET", out, nil, nil)
	theirs := hidden.FindStringSubmatch(text)
	for _, yes := range []string{"", "yes", "AAAA", form.Get("confirmed") + "A", theirs[2]} {
		forged := url.Values{"confirmed": {yes}}
		if b.do("POST", out, forged, nil); !b.signedIn() || !other.signedIn() {
			t.Fatalf("signed out by %q", yes)
		}
	}
	if b.do("GET", out+"?"+form.Encode(), nil, nil); !b.signedIn() {
		t.Fatal("signed out by a link")
	}
	answer, _ = b.do("POST", out, form, nil)
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != page+"/bye?state=xyz" || b.signedIn() {
		t.Errorf("%d to %q", answer.StatusCode, answer.Header.Get("Location"))
	}
	if cleared := answer.Header.Get("Set-Cookie"); !strings.HasPrefix(cleared, "ostiary=;") {
		t.Errorf("the cookie: %q", cleared)
	}
	// Nobody is signed in: there is nothing to ask.
	answer, _ = b.do("GET", out+"?"+sent.Encode(), nil, nil)
	if answer.Header.Get("Location") != page+"/bye?state=xyz" {
		t.Errorf("%d to %q", answer.StatusCode, answer.Header.Get("Location"))
	}
	if answer, _ := b.do("GET", out, nil, nil); answer.StatusCode != http.StatusOK {
		t.Errorf("without parameters: %d", answer.StatusCode)
	}
}

func TestLogoutEndsInTheLanguageItBeganIn(t *testing.T) {
	b, _, _ := flow(t)
	out := b.server.Issuer + "/oauth2/logout"
	_, text := b.do("GET", out+"?ui_locales=de", nil, nil)
	form := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(text, -1) {
		form.Set(field[1], field[2])
	}
	if answer, text := b.do("POST", out, form, nil); b.signedIn() || !strings.Contains(text, "Sie sind abgemeldet") {
		t.Errorf("%d %s", answer.StatusCode, text)
	}
}

// What is wrong is shown, and leads nowhere.
func TestLogoutRefusals(t *testing.T) {
	b, metadata, _ := flow(t)
	register(t, b.server, `{"id":"other","name":"other","kind":"spa","post_logout_redirect_uris":["https://other.example/"],"scopes":["openid"]}`)
	id, _ := b.tokens(metadata, b.code(metadata, nil))["id_token"].(string)
	out := b.server.Issuer + "/oauth2/logout?"
	for name, sent := range map[string]url.Values{
		"nobody's URI":             {"post_logout_redirect_uri": {page + "/bye"}},
		"an unknown client":        {"client_id": {"nobody"}},
		"another client's hint":    {"client_id": {"other"}, "id_token_hint": {id}},
		"another client's URI":     {"id_token_hint": {id}, "post_logout_redirect_uri": {"https://other.example/"}},
		"a hint that is none":      {"id_token_hint": {"a.b.c"}, "post_logout_redirect_uri": {page + "/bye"}},
		"a parameter that repeats": {"id_token_hint": {id, id}},
	} {
		answer, text := b.do("GET", out+sent.Encode(), nil, nil)
		if answer.StatusCode != http.StatusBadRequest || answer.Header.Get("Location") != "" || !b.signedIn() {
			t.Errorf("%s: %d %v %s", name, answer.StatusCode, answer.Header, text)
		}
	}
}

// A hint to another user than the one who is signed in does not sign out; one
// that has expired is as good as before.
func TestLogoutHints(t *testing.T) {
	b, metadata, u := flow(t)
	id, _ := b.tokens(metadata, b.code(metadata, nil))["id_token"].(string)
	out := b.server.Issuer + "/oauth2/logout"
	bob, err := b.server.App.People.SetPassword(t.Context(), audit.System(), b.server.ApplicationID, u.UUID, "a lamp in the hall")
	if err != nil {
		t.Fatal(err)
	}
	if b.signedIn() {
		t.Error("another password leaves the session alive")
	}
	b.signIn(bob)
	b.server.Clock.Advance(2 * 3600e9)
	if !b.signedIn() {
		t.Fatal("nobody is signed in")
	}
	answer, _ := b.do("POST", out, url.Values{"id_token_hint": {id}}, nil)
	if answer.StatusCode != http.StatusOK || b.signedIn() {
		t.Errorf("an expired hint: %d", answer.StatusCode)
	}
}
