package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/servertest"
)

func TestUsers(t *testing.T) {
	r := start(t, servertest.Options{})
	const password = "correct horse battery"
	made := r.want(http.StatusCreated, "POST", "/users",
		`{"email":"Ann@Example.com","email_verified":true,"attributes":{"givenName":"Ann","primaryAddress":{"city":"Ulm"}},"roles":["clerk"],"password":"`+password+`"}`)
	id := made.object["uuid"].(string)
	one := "/users/" + id
	if made.Header.Get("Location") != r.app+one || made.Header.Get("Etag") != `"1"` {
		t.Errorf("Location %s, ETag %s", made.Header.Get("Location"), made.Header.Get("Etag"))
	}
	if strings.Contains(made.text, "password") || strings.Contains(made.text, "argon2") {
		t.Errorf("the answer speaks of the password: %s", made.text)
	}
	for name, want := range map[string]any{"email": "Ann@Example.com", "email_verified": true, "active": true, "last_signed_in_at": nil} {
		if got, ok := made.object[name]; !ok || got != want {
			t.Errorf("%s is %v", name, got)
		}
	}
	if got := r.want(http.StatusConflict, "POST", "/users", `{"email":"ann@example.COM"}`).refusals(); got != "body.email" {
		t.Errorf("the address is taken at %q", got)
	}
	shown := r.want(http.StatusOK, "GET", one, "")
	tag := "If-Match: " + shown.Header.Get("Etag")

	// What was read can be written back; members of attributes are merged.
	r.want(http.StatusOK, "PATCH", one, shown.text, tag)
	r.want(http.StatusPreconditionFailed, "PATCH", one, `{}`, tag)
	r.want(http.StatusPreconditionFailed, "DELETE", one, ``, tag)
	got := r.want(http.StatusOK, "PATCH", one, `{"attributes":{"familyName":"Lee","primaryAddress":{"zip":"1"}},"roles":null,"active":false}`)
	want := `"attributes":{"familyName":"Lee","givenName":"Ann","primaryAddress":{"city":"Ulm","zip":"1"}},"roles":[],"active":false`
	if !strings.Contains(got.text, want) {
		t.Errorf("patched: %s", got.text)
	}
	for body, places := range map[string]string{
		`{"name":"x"}`:                            "body.name",
		`{"attributes":{"givenname":"x"}}`:        "body.attributes.givenname",
		`{"attributes":{"photos":[{"value":1}]}}`: "body.attributes.photos[0].value",
		`{"email":"x","password":"short"}`:        "body.email body.password",
		`{"roles":["a",""]}`:                      "body.roles[1]",
	} {
		for method, path := range map[string]string{"POST": "/users", "PATCH": one} {
			if got := r.want(http.StatusUnprocessableEntity, method, path, body).refusals(); got != places {
				t.Errorf("%s %s is refused at %q", method, body, got)
			}
		}
	}
	r.want(http.StatusNoContent, "DELETE", one, "")
	for _, missing := range []string{one, "/users/nobody", "/users/%00", "/users/%ff", "/users/" + strings.ToUpper(id)} {
		r.want(http.StatusNotFound, "GET", missing, "")
		r.want(http.StatusNotFound, "PATCH", missing, "{}")
		r.want(http.StatusNotFound, "DELETE", missing, "")
	}
	events := r.want(http.StatusOK, "GET", "/audit?object=user:"+id, "")
	var actions []string
	for _, e := range events.object["items"].([]any) {
		actions = append(actions, e.(map[string]any)["action"].(string))
	}
	if fmt.Sprint(actions) != "[user.delete user.deactivate user.update user.create]" || strings.Contains(events.text, "horse") || strings.Contains(events.text, "argon2") {
		t.Errorf("events: %s", events.text)
	}
}

func TestResetLink(t *testing.T) {
	r := start(t, servertest.Options{})
	id := r.want(http.StatusCreated, "POST", "/users", `{"email":"ann@example.com"}`).object["uuid"].(string)
	one := "/users/" + id + "/reset-link"
	for _, body := range []string{"", "{}"} {
		made := r.want(http.StatusCreated, "POST", one, body)
		link, err := url.Parse(made.object["url"].(string))
		if err != nil || !strings.HasPrefix(link.String(), r.Issuer+"/signin/link?") || len(link.Query().Get("token")) != 43 {
			t.Errorf("the link is %v: %v", link, err)
		}
		if expires, err := time.Parse(time.RFC3339, made.object["expires_at"].(string)); err != nil || !expires.After(r.Clock.Now()) {
			t.Errorf("it expires at %v: %v", expires, err)
		}
		events := r.want(http.StatusOK, "GET", "/audit?object=user:"+id, "").text
		if !strings.Contains(events, "user.reset_link") || strings.Contains(events, link.Query().Get("token")) {
			t.Errorf("events: %s", events)
		}
	}
	r.want(http.StatusUnprocessableEntity, "POST", one, `{"x":1}`)
	r.want(http.StatusBadRequest, "POST", one, `[]`)
	r.want(http.StatusNotFound, "POST", "/users/nobody/reset-link", "")
	r.want(http.StatusOK, "PATCH", "/users/"+id, `{"active":false}`)
	r.want(http.StatusConflict, "POST", one, "")
}

func TestUserList(t *testing.T) {
	r := start(t, servertest.Options{})
	var ids []string
	for _, body := range []string{
		`{"email":"ann@example.com","attributes":{"givenName":"Ann","familyName":"Miller"},"roles":["clerk"]}`,
		`{"email":"bob@example.com","attributes":{"displayName":"Bob <x> & Anna Miller"},"active":false}`,
		`{"email":"12345678@shop.example","attributes":{"displayName":"Jürgen"},"roles":["clerk","head of sales"],"active":false}`,
		`{}`,
	} {
		made := r.want(http.StatusCreated, "POST", "/users", body)
		ids = append(ids, made.object["uuid"].(string))
	}
	list := func(query string) (found []int) {
		for cursor, rounds := "", 0; ; rounds++ {
			answer := r.want(http.StatusOK, "GET", "/users?limit=1"+query+cursor, "")
			for _, item := range answer.object["items"].([]any) {
				for i, id := range ids {
					if item.(map[string]any)["uuid"] == id {
						found = append(found, i)
					}
				}
			}
			next, more := answer.object["next_cursor"].(string)
			if !more || rounds > 10 {
				return found
			}
			cursor = "&cursor=" + next
		}
	}
	for query, want := range map[string]string{
		"":                                 "[0 1 2 3]",
		"q=ann":                            "[0 1]",
		"q=Miller ANN":                     "[0 1]",
		"q=@example.com":                   "[0 1]",
		"q=example":                        "[0 1]",
		"q=12345678":                       "[2]",
		"q=ju\u0308rgen":                   "[2]",
		"q=" + ids[3][:13]:                 "[3]",
		"q=<":                              "[1]",
		"q=nobody":                         "[]",
		"q=ann miller x":                   "[]",
		"q= ":                              "[0 1 2 3]",
		"role=clerk":                       "[0 2]",
		"role=head of sales":               "[2]",
		"role=Clerk":                       "[]",
		"active=false":                     "[1 2]",
		"active=true":                      "[0 3]",
		"active=false&role=clerk":          "[2]",
		"active=true&role=clerk&q=example": "[0]",
	} {
		parts := strings.Split(query, "&")
		encoded := ""
		for _, part := range parts {
			if name, value, ok := strings.Cut(part, "="); ok {
				encoded += "&" + name + "=" + url.QueryEscape(value)
			}
		}
		if got := fmt.Sprint(list(encoded)); got != want {
			t.Errorf("%q finds %s, want %s", query, got, want)
		}
	}
	for _, refused := range []string{"limit=0", "active=yes", "q=%00", "role=%ff", "cursor=e30", "cursor=eyJzIjotMX0", "email=x", "q=" + strings.Repeat("x", 300)} {
		r.want(http.StatusUnprocessableEntity, "GET", "/users?"+refused, "")
	}
}
