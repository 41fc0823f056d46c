package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/servertest"
)

func TestConsents(t *testing.T) {
	r := start(t, servertest.Options{})
	who := func(email string) string {
		return r.want(http.StatusCreated, "POST", "/users", `{"email":"`+email+`"}`).object["uuid"].(string)
	}
	ann, bob := who("ann@example.com"), who("bob@example.com")
	owner := r.OwnerID
	other := r.want(http.StatusCreated, "POST", "/clients", `{"name":"Other","kind":"service"}`).object["id"].(string)
	grant := func(user, client string) string {
		made := r.want(http.StatusCreated, "POST", "/consents", `{"user_id":"`+user+`","client_id":"`+client+`","scopes":["openid","email","openid"]}`)
		id := made.object["id"].(string)
		if made.Header.Get("Location") != r.app+"/consents/"+id || !strings.Contains(made.text, `"scopes":["email","openid"]`) {
			t.Errorf("%s %s", made.Header.Get("Location"), made.text)
		}
		return id
	}
	id := grant(ann, owner)
	grant(bob, owner)
	grant(ann, other)
	if got := r.want(http.StatusConflict, "POST", "/consents", `{"user_id":"`+ann+`","client_id":"`+owner+`","scopes":["openid"]}`).refusals(); got != "body.client_id" {
		t.Errorf("the conflict is about %q", got)
	}
	for body, places := range map[string]string{
		`{"user_id":"nobody","client_id":"nobody"}`:                              "body.scopes body.user_id body.client_id",
		`{"user_id":"` + bob + `","client_id":"` + other + `","scopes":["a b"]}`: "body.scopes[0]",
		`{"name":"x"}`:  "body.name",
		`{"user_id":7}`: "body.user_id",
	} {
		if got := r.want(http.StatusUnprocessableEntity, "POST", "/consents", body).refusals(); got != places {
			t.Errorf("%s is refused at %q", body, got)
		}
	}
	for query, want := range map[string]int{"": 3, "?user_id=" + ann: 2, "?client_id=" + owner: 2, "?client_id=" + owner + "&user_id=" + bob: 1, "?client_id=nobody": 0, "?limit=2": 2} {
		got := r.want(http.StatusOK, "GET", "/consents"+query, "")
		if n := len(got.object["items"].([]any)); n != want {
			t.Errorf("%q lists %d", query, n)
		}
		if next, _ := got.object["next_cursor"].(string); (next != "") != (query == "?limit=2") {
			t.Errorf("%q goes on at %q", query, next)
		} else if next != "" {
			if rest := r.want(http.StatusOK, "GET", "/consents?limit=2&cursor="+next, ""); len(rest.object["items"].([]any)) != 1 {
				t.Errorf("then %s", rest.text)
			}
		}
	}
	r.want(http.StatusUnprocessableEntity, "GET", "/consents?cursor=x", "")

	one := "/consents/" + id
	shown := r.want(http.StatusOK, "GET", one, "")
	tag := "If-Match: " + shown.Header.Get("Etag")
	r.Clock.Advance(time.Second)
	r.want(http.StatusOK, "PATCH", one, shown.text, tag) // what was read can be written back
	if got := r.want(http.StatusOK, "PATCH", one, `{"scopes":["phone"]}`); !strings.Contains(got.text, `"scopes":["phone"]`) {
		t.Errorf("patched: %s", got.text)
	}
	r.want(http.StatusUnprocessableEntity, "PATCH", one, `{"scopes":[]}`)
	r.want(http.StatusUnprocessableEntity, "PATCH", one, `{"user_id":"`+bob+`"}`)
	r.want(http.StatusPreconditionFailed, "PATCH", one, `{}`, tag)
	r.want(http.StatusPreconditionFailed, "DELETE", one, "", tag)
	r.want(http.StatusNoContent, "DELETE", one, "")
	for _, missing := range []string{one, "/consents/nobody", "/consents/%00", "/consents/%ff"} {
		r.want(http.StatusNotFound, "GET", missing, "")
		r.want(http.StatusNotFound, "PATCH", missing, "{}")
		r.want(http.StatusNotFound, "DELETE", missing, "")
	}
	events := r.want(http.StatusOK, "GET", "/audit?object=consent:"+id, "")
	var actions []string
	for _, e := range events.object["items"].([]any) {
		actions = append(actions, e.(map[string]any)["action"].(string))
	}
	if got := strings.Join(actions, " "); got != "consent.revoke"+strings.Repeat(" consent.grant", 3) {
		t.Errorf("events: %s", got)
	}
}
