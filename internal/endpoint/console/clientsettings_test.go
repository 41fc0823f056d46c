package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/servertest"
)

// What the form says other than there was is written, and nothing else.
func TestSettings(t *testing.T) {
	r := start(t, servertest.Options{})
	r.api("POST", "/scopes", `{"name":"read","description":"Reads orders"}`)
	made := r.api("POST", "/clients", `{"id":"new-client","name":"Shop","kind":"web","version":"1","scopes":["read"],
		"grant_types":["refresh_token","authorization_code"],"allowed_ips":["192.0.2.7"],"description":"a\r\nb"}`)
	path := r.at("/clients/new-client")
	page := r.get(path).shows(http.StatusOK, "Fixed when the client was made", "Reads orders", "192.0.2.7/32", "sees its death only at exp")
	form := inputs(page.body)
	if a := r.do(http.MethodPost, path, form); a.status != http.StatusSeeOther || a.location != path+"?done=saved" {
		t.Errorf("saved as it is: %d %s", a.status, a.location)
	}
	if same := r.api("GET", "/clients/new-client", ""); same["updated_at"] != made["updated_at"] {
		t.Error("a form that changes nothing is a change")
	}
	form = r.fill(path, "version", "2", "refresh_token_lifetime", "7", "scopes", "", "rate_limit.per_second", "5")
	r.do(http.MethodPost, path, form).shows(http.StatusSeeOther)
	r.get(path+"?done=saved").shows(http.StatusOK, "Saved.")
	view := r.api("GET", "/clients/new-client", "")
	for name, want := range map[string]string{
		"version": "2", "refresh_token_lifetime": "604800", "scopes": "[]", "description": "a\r\nb", "grant_types": "[refresh_token authorization_code]",
		"rate_limit": "map[per_second:5]",
	} {
		if got := fmt.Sprint(view[name]); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	form = r.fill(path, "grant_types", "authorization_code", "refresh_token_lifetime", "8", "redirect_uris", "https://a.example/#x")
	refused := r.do(http.MethodPost, path, form).shows(http.StatusUnprocessableEntity, `id="problem-refresh_token_lifetime"`, "Entry 1: Leave out the fragment")
	if got := inputs(refused.body); got.Get("redirect_uris") != "https://a.example/#x" || got.Get("base") != form.Get("base") || got.Get("revision") != form.Get("revision") {
		t.Errorf("what was typed is lost: %v", got)
	}
	r.api("POST", "/clients", `{"name":"Shop","kind":"web","version":"3"}`)
	r.do(http.MethodPost, path, r.fill(path, "version", "3")).shows(http.StatusConflict, `id="problem-version"`)
	mine := r.do(http.MethodPost, path, r.fill(path, "add", "allowed_ips", "version", "9")).shows(http.StatusOK)
	if got := inputs(mine.body); got.Get("allowed_ips") != "192.0.2.7/32\n127.0.0.1" || got.Get("version") != "9" {
		t.Errorf("with my address: %v", got)
	}
	r.get(r.at("/clients/nobody")).shows(http.StatusNotFound)
	r.get(r.at("/clients/nobody/endpoints")).shows(http.StatusNotFound)
	r.post(r.at("/clients/nobody")).shows(http.StatusNotFound)
}

// Two administrators have one client open: the second sees what the first did,
// keeps what he typed, and overwrites only what he means to.
func TestChangedMeanwhile(t *testing.T) {
	r := start(t, servertest.Options{})
	r.api("POST", "/clients", `{"id":"shop","name":"Shop","kind":"web","version":"1","description":"old","tags":["one"]}`)
	path := r.at("/clients/shop")
	first := r.fill(path, "description", "<b>first</b>", "tags", "one\ntwo", "refresh_limit", "number", "refresh_limit.number", "3")
	second := r.fill(path, "description", "second", "version", "2")
	r.do(http.MethodPost, path, first).shows(http.StatusSeeOther)
	page := r.do(http.MethodPost, path, second).shows(http.StatusPreconditionFailed,
		"changed meanwhile", "&lt;b&gt;first&lt;/b&gt;", "old", "replaces it", "one\ntwo", "unlimited").lacks("<b>first")
	if v := r.api("GET", "/clients/shop", ""); v["description"] != "<b>first</b>" || v["version"] != "1" {
		t.Errorf("it was overwritten: %v", v)
	}
	merged := inputs(page.body)
	for name, want := range map[string]string{
		"description": "second", "version": "2", "tags": "one\ntwo", "refresh_limit": "number", "refresh_limit.number": "3",
	} {
		if got := merged.Get(name); got != want {
			t.Errorf("the form has %s %q, want %q", name, got, want)
		}
	}
	r.do(http.MethodPost, path, merged).shows(http.StatusSeeOther)
	v := r.api("GET", "/clients/shop", "")
	if got := fmt.Sprint(v["description"], v["version"], v["tags"], v["refresh_limit"]); got != "second2[one two] 3" {
		t.Errorf("in the end it is %s", got)
	}

	// A third one has neither what there was in his form, nor changed anything.
	stale := r.fill(path, "version", "4")
	stale.Del("base")
	stale.Set("revision", "1")
	unknown := r.do(http.MethodPost, path, stale).shows(http.StatusPreconditionFailed, "<th scope=\"row\">Version", "replaces it")
	if strings.Contains(unknown.body, "<th scope=\"row\">Tags") {
		t.Error("what is as he typed it is shown as changed")
	}
	idle := r.fill(path)
	r.api("POST", "/clients/shop/secrets", `{"label":"next"}`)
	r.do(http.MethodPost, path, withValue(idle, "tags", "three")).shows(http.StatusPreconditionFailed, "Its secrets changed")
}

// Of long lists a form carries digests: enough to see that somebody else changed
// one, and to leave the others alone.
func TestLongListsChangedMeanwhile(t *testing.T) {
	r := start(t, servertest.Options{})
	list := func(text string) string {
		uris := make([]string, 100)
		for i := range uris {
			uris[i] = fmt.Sprintf("https://%s.example/%03d%s", text, i, strings.Repeat("w", 2000))
		}
		return strings.Join(uris, "\n")
	}
	id := r.madeID(r.makes("web", "name", "Shop", "redirect_uris", list("a"), "post_logout_redirect_uris", list("b")))
	path := r.at("/clients/" + id)
	mine := r.fill(path, "version", "2", "post_logout_redirect_uris", list("mine"))
	if n := len(mine.Get("base")); n > 4<<10 {
		t.Errorf("the form carries %d bytes of what there was", n)
	}
	r.do(http.MethodPost, path, r.fill(path, "redirect_uris", list("c"), "post_logout_redirect_uris", list("d"))).shows(http.StatusSeeOther)
	merged := inputs(r.do(http.MethodPost, path, mine).shows(http.StatusPreconditionFailed, "too long to be kept here", "replaces it").body)
	for name, want := range map[string]string{"version": "2", "redirect_uris": list("c"), "post_logout_redirect_uris": list("mine")} {
		if got := merged.Get(name); got != want {
			t.Errorf("the form has %s %.40q, want %.40q", name, got, want)
		}
	}
	r.do(http.MethodPost, path, merged).shows(http.StatusSeeOther)
	form := inputs(r.get(path).body)
	if form.Get("redirect_uris") != list("c") || form.Get("post_logout_redirect_uris") != list("mine") {
		t.Error("the lists are others in the end")
	}
}

// Every page of a client's settings says whose it is; whoever may not change it
// reads why, and what is in it, with help and units.
func TestReadOnlySettings(t *testing.T) {
	r := start(t, servertest.Options{})
	id := r.madeID(r.makes("web", "name", "Shop", "access_token_lifetime.number", "7200", "refresh_limit", "number", "refresh_limit.number", "3",
		"rate_limit.per_second", "5", "rate_limit.per_day", "100"))
	path := r.at("/clients/" + id)
	r.get(path).shows(http.StatusOK, "Client id (consumer key)", "<dt>Owner</dt><dd><bdi>"+r.AdminEmail+"</bdi>", "<dt>Made</dt>", "<dt>Changed</dt>", "<dt>Last used</dt>").
		lacks("Your role")
	for role, why := range map[admin.Role]string{
		admin.Viewer: "Your role reads, and changes nothing here.", admin.Developer: "you did not make this one",
	} {
		other := r.as(role)
		other.get(path).shows(http.StatusOK, why, r.AdminEmail, "<h2>Access tokens</h2>", "Access token lifetime</dt><dd><bdi class=\"lines\">7200 seconds</bdi>",
			"expiration interval", "IP whitelist", ">30 days<", ">3 times<", ">5 requests a second, 100 requests a day<").lacks(`<form class="sections"`)
		if role == admin.Developer {
			other.get(r.at("/clients/"+r.madeID(other.makes("web", "name", "Mine")))).shows(http.StatusOK, "<dt>Owner</dt><dd><bdi>developer@example.com</bdi>").lacks("did not make")
		}
	}
	r.as(admin.Manager).get(r.at("/clients/"+r.OwnerID)).shows(http.StatusOK, "only an owner of the application changes it", "nobody: a program made it")
}

// An application has more scopes than there is room for: they are typed.
func TestManyScopes(t *testing.T) {
	r := start(t, servertest.Options{})
	long := strings.Repeat("é", 2000)
	for i := range 52 { // with those that are built in, 60
		r.api("POST", "/scopes", fmt.Sprintf(`{"name":"s%d","description":%q}`, i, long))
	}
	page := r.get(r.at("/new-client?kind=other")).shows(http.StatusOK, `type="checkbox" name="scopes" value="s51"`, "é…")
	if len(page.body) > 100<<10 {
		t.Errorf("the page has %d bytes", len(page.body))
	}
	id := r.madeID(r.makes("web", "name", "Ticked", "scopes", "s1", "scopes", "openid"))
	r.api("POST", "/scopes", `{"name":"one-more"}`)
	path := r.at("/clients/" + id)
	form := inputs(r.get(path).shows(http.StatusOK, "openid\ns1", "not listed here").lacks(`value="s51"`).body)
	r.do(http.MethodPost, path, withValue(form, "scopes", "openid\r\none-more\r\nnowhere")).shows(http.StatusUnprocessableEntity, "There is no such scope", "nowhere")
	r.do(http.MethodPost, path, withValue(form, "scopes", "openid\r\none-more")).shows(http.StatusSeeOther)
	if got := fmt.Sprint(r.api("GET", "/clients/"+id, "")["scopes"]); got != "[one-more openid]" {
		t.Errorf("the scopes are %s", got)
	}
}

// What others wrote is text wherever it is shown.
func TestHostileClients(t *testing.T) {
	r := start(t, servertest.Options{})
	const script, image = `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`
	r.api("POST", "/scopes", `{"name":"<b>scope</b>","description":"`+script+`"}`)
	r.api("POST", "/clients", fmt.Sprintf(`{"id":"x","name":%q,"version":%q,"kind":"web","description":%q,"tags":[%q],"scopes":["<b>scope</b>"],
		"redirect_uris":["https://a.example/?a='(1)"]}`, image+strings.Repeat("w", 200), "\u202e2.0", "</textarea>"+script, image))
	path := r.at("/clients/x")
	stale := r.fill(path, "description", script)
	r.api("PATCH", "/clients/x", fmt.Sprintf(`{"description":%q}`, image))
	viewer := r.as("viewer")
	for _, a := range []*answer{
		r.get(path), r.get(path + "/endpoints"), r.get(r.at("/clients")), r.do(http.MethodPost, path, stale), viewer.get(path), r.get(r.at("/new-client?kind=web")),
	} {
		a.lacks("<script>alert", "<img", "<b>")
	}
	r.sends("web", "name", script, "version", image, "tags", strings.Repeat("w", 101)).shows(http.StatusUnprocessableEntity).lacks("<script>alert", "<img")
}
