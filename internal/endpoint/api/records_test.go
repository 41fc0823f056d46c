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

func TestScopes(t *testing.T) {
	r := start(t, servertest.Options{})
	made := r.want(http.StatusCreated, "POST", "/scopes", `{"name":"orders/read:all","description":"Look","kind":"system","url_patterns":["/orders/*"]}`)
	one := "/scopes/" + url.PathEscape("orders/read:all")
	if made.Header.Get("Location") != r.app+one {
		t.Errorf("Location: %s", made.Header.Get("Location"))
	}
	r.want(http.StatusConflict, "POST", "/scopes", `{"name":"ORDERS/read:all"}`)
	shown := r.want(http.StatusOK, "GET", one, "")
	tag := "If-Match: " + shown.Header.Get("Etag")
	if got := r.want(http.StatusOK, "PATCH", one, `{"description":null,"kind":"any"}`, tag).object; got["description"] != "" || got["kind"] != "any" {
		t.Errorf("patched: %v", got)
	}
	r.want(http.StatusPreconditionFailed, "PATCH", one, `{}`, tag)
	r.want(http.StatusPreconditionFailed, "DELETE", one, ``, tag)
	r.want(http.StatusConflict, "PATCH", "/scopes/openid", `{"description":"x"}`)
	r.want(http.StatusConflict, "DELETE", "/scopes/openid", "")
	if got := r.want(http.StatusUnprocessableEntity, "POST", "/scopes", `{"name":"a b","kind":"x","url_patterns":["/",5],"z":1}`).refusals(); !strings.Contains(got, "body.url_patterns[1]") {
		t.Errorf("refused: %s", got)
	}
	r.want(http.StatusCreated, "POST", "/clients", `{"name":"Caller","kind":"service","scopes":["orders/read:all"]}`)
	r.want(http.StatusConflict, "DELETE", one, "")
	r.want(http.StatusCreated, "POST", "/scopes", `{"name":"free"}`)
	r.want(http.StatusNoContent, "DELETE", "/scopes/free", "")
	r.want(http.StatusNotFound, "GET", "/scopes/free", "")
	r.want(http.StatusNotFound, "PATCH", "/scopes/free", "{}")
	r.want(http.StatusNotFound, "DELETE", "/scopes/%00", "")
	n := 0
	for cursor := ""; ; {
		answer := r.want(http.StatusOK, "GET", "/scopes?limit=2"+cursor, "")
		n += len(answer.object["items"].([]any))
		next, more := answer.object["next_cursor"].(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	if n != 9 {
		t.Errorf("%d scopes, want the built-in ones and one more", n)
	}
}

func TestResources(t *testing.T) {
	r := start(t, servertest.Options{})
	r.want(http.StatusCreated, "POST", "/scopes", `{"name":"read"}`)
	made := r.want(http.StatusCreated, "POST", "/resources", fmt.Sprintf(
		`{"identifier":"https://api.example.com/orders","name":"Orders","scopes":["read"],"introspecting_clients":[%q],"access_token_format":"opaque"}`, r.OwnerID))
	one := "/resources/" + url.PathEscape("https://api.example.com/orders")
	if made.Header.Get("Location") != r.app+one {
		t.Errorf("Location: %s", made.Header.Get("Location"))
	}
	r.want(http.StatusConflict, "POST", "/resources", `{"identifier":"https://api.example.com/orders"}`)
	shown := r.want(http.StatusOK, "GET", one, "")
	tag := "If-Match: " + shown.Header.Get("Etag")
	r.want(http.StatusOK, "PATCH", one, `{"access_token_format":null,"name":"Other"}`, tag)
	r.want(http.StatusPreconditionFailed, "PATCH", one, `{}`, tag)
	r.want(http.StatusPreconditionFailed, "DELETE", one, ``, tag)
	for _, body := range []string{`{}`, `{"identifier":"orders"}`, `{"identifier":"https://x.example","scopes":["nothing"]}`, `{"identifier":"https://x.example","z":1}`} {
		r.want(http.StatusUnprocessableEntity, "POST", "/resources", body)
	}
	if n := len(r.want(http.StatusOK, "GET", "/resources", "").object["items"].([]any)); n != 1 {
		t.Errorf("%d resources", n)
	}
	r.want(http.StatusNoContent, "DELETE", one, "")
	r.want(http.StatusNotFound, "GET", one, "")
	r.want(http.StatusNotFound, "GET", "/resources/nothing", "")
	r.want(http.StatusNotFound, "DELETE", "/resources/%ff", "")
}

// issue gets an access token for a client.
func (r *rig) issue(id, secret, scope string) string {
	r.t.Helper()
	answer := r.Do("POST", strings.TrimPrefix(r.app, "/api/v1/applications")+"/oauth2/token", id, secret, "application/x-www-form-urlencoded",
		url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}.Encode())
	var got struct {
		AccessToken string `json:"access_token"`
	}
	decode(r.t, answer, &got)
	if got.AccessToken == "" {
		r.t.Fatalf("no token: %d", answer.StatusCode)
	}
	return got.AccessToken
}

func TestTokens(t *testing.T) {
	r := start(t, servertest.Options{})
	r.want(http.StatusCreated, "POST", "/scopes", `{"name":"read"}`)
	made := r.want(http.StatusCreated, "POST", "/clients", `{"name":"Caller","kind":"service","scopes":["read"]}`).object
	id, secret := made["id"].(string), made["secret"].(string)
	for range 3 {
		r.issue(id, secret, "read")
		r.Clock.Advance(time.Second)
	}
	live := func(query string) []any {
		return r.want(http.StatusOK, "GET", "/tokens?state=live"+query, "").object["items"].([]any)
	}
	families := live("&client_id=" + id + "&scope=read")
	if len(families) != 3 {
		t.Fatalf("%d live families", len(families))
	}
	one := "/tokens/" + families[0].(map[string]any)["id"].(string)
	r.want(http.StatusOK, "GET", one, "")
	r.want(http.StatusNoContent, "DELETE", one, "")
	if got := r.want(http.StatusOK, "GET", one, "").object["state"]; got != "revoked" {
		t.Errorf("after its deletion it is %v", got)
	}
	if got := r.want(http.StatusOK, "POST", "/tokens/revoke", `{"scope":"read"}`).object["revoked"]; got != 2.0 {
		t.Errorf("revoked %v", got)
	}
	r.issue(id, secret, "read")
	if got := r.want(http.StatusOK, "POST", "/tokens/revoke", fmt.Sprintf(`{"client_id":%q}`, id)).object["revoked"]; got != 1.0 {
		t.Errorf("revoked %v", got)
	}
	if n := len(live("")); n != 0 {
		t.Errorf("%d are still live", n)
	}
	r.want(http.StatusUnprocessableEntity, "POST", "/tokens/revoke", `{}`)
	r.want(http.StatusUnprocessableEntity, "POST", "/tokens/revoke", `{"client_id":5}`)
	if refused := r.want(http.StatusUnprocessableEntity, "POST", "/tokens/revoke", `{"client_id":"","scope":"read"}`).refusals(); refused != "body.client_id" {
		t.Errorf("a client left empty: %s", refused)
	}
	r.want(http.StatusNotFound, "GET", "/tokens/nothing", "")
	r.want(http.StatusNotFound, "DELETE", "/tokens/AAAAAAAAAAAAAAAAAAAAAA", "")
	r.want(http.StatusUnprocessableEntity, "GET", "/tokens?state=dead", "")
	r.want(http.StatusUnprocessableEntity, "GET", "/tokens?cursor=AAAA", "")
}

func TestAudit(t *testing.T) {
	r := start(t, servertest.Options{})
	id := r.want(http.StatusCreated, "POST", "/clients", `{"name":"Caller","kind":"service","secret":"a-secret-that-was-chosen-by-hand"}`).object["id"].(string)
	r.want(http.StatusOK, "PATCH", "/clients/"+id, `{"description":"x"}`)
	all := r.want(http.StatusOK, "GET", "/audit?object=client:"+id+"&actor=client:"+r.OwnerID, "")
	items := all.object["items"].([]any)
	if len(items) != 2 || items[0].(map[string]any)["action"] != "client.update" || strings.Contains(all.text, "chosen-by-hand") {
		t.Errorf("got %s", all.text)
	}
	if n := len(r.want(http.StatusOK, "GET", "/audit?action=client.update", "").object["items"].([]any)); n != 1 {
		t.Errorf("%d updates", n)
	}
	first := r.want(http.StatusOK, "GET", "/audit?limit=1", "")
	next := r.want(http.StatusOK, "GET", "/audit?limit=1&cursor="+first.object["next_cursor"].(string), "")
	if first.text == next.text {
		t.Error("the second page is the first")
	}
	r.want(http.StatusUnprocessableEntity, "GET", "/audit?since=yesterday", "")
	r.want(http.StatusUnprocessableEntity, "GET", "/audit?cursor=bm8", "")
}
