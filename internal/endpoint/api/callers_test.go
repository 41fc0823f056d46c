package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/servertest"
)

func decode(t *testing.T, answer *http.Response, into any) {
	t.Helper()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func TestCallers(t *testing.T) {
	r := start(t, servertest.Options{})
	admin := r.want(http.StatusCreated, "POST", "/clients", `{"name":"Admin","kind":"service","scopes":["ostiary:admin","ostiary:introspect"]}`).object
	id, secret := admin["id"].(string), admin["secret"].(string)
	token := r.issue(id, secret, "ostiary:admin")
	weak := r.issue(id, secret, "ostiary:introspect")
	other := r.want(http.StatusCreated, "POST", "/api/v1/applications", `{"id":"other","name":"Other"}`).object

	r.auth = "Bearer " + token
	r.want(http.StatusOK, "GET", "/clients", "")
	r.want(http.StatusOK, "GET", "/api/v1/applications", "")
	r.want(http.StatusForbidden, "POST", "/api/v1/applications", `{"name":"x"}`)
	r.want(http.StatusUnauthorized, "GET", "/api/v1/applications/other", "")
	r.auth = "Bearer " + weak
	if got := r.want(http.StatusForbidden, "GET", "/clients", "").Header.Values("WWW-Authenticate"); len(got) != 2 || !strings.Contains(got[1], "insufficient_scope") {
		t.Errorf("challenges: %q", got)
	}
	for _, auth := range []string{"none", "Bearer nothing", "Bearer " + token + "x", "Basic nothing", "Digest x", "Bearer", "Basic " + strings.Repeat("A", 500)} {
		r.auth = auth
		answer := r.want(http.StatusUnauthorized, "GET", "/clients", "")
		if got := answer.Header.Values("WWW-Authenticate"); len(got) != 2 || !strings.HasPrefix(got[0], "Basic ") || !strings.HasPrefix(got[1], "Bearer ") {
			t.Errorf("%s: challenges %q", auth, got)
		}
		if strings.Contains(answer.text, token) {
			t.Error("the answer has the token in it")
		}
	}
	r.auth = ""
	r.as(id, secret).want(http.StatusForbidden, "GET", "/clients", "")
	r.as(other["owner_client_id"].(string), other["owner_client_secret"].(string)).want(http.StatusUnauthorized, "GET", "/clients", "")
	elsewhere := r.as(other["owner_client_id"].(string), other["owner_client_secret"].(string))
	elsewhere.app = "/api/v1/applications/other"
	robot := elsewhere.want(http.StatusCreated, "POST", "/clients", `{"name":"Admin","kind":"service","scopes":["ostiary:admin"]}`).object
	elsewhere.auth = "Bearer " + elsewhere.issue(robot["id"].(string), robot["secret"].(string), "ostiary:admin")
	if list := elsewhere.want(http.StatusOK, "GET", "/api/v1/applications", "").object["items"].([]any); len(list) != 1 || list[0].(map[string]any)["id"] != "other" {
		t.Errorf("by a token of another application: %v", list)
	}
	r.want(http.StatusUnauthorized, "GET", "/api/v1/applications/nothing/clients", "")
	r.want(http.StatusUnauthorized, "GET", "/api/v1/applications/%00/clients", "")

	r.auth = "Bearer " + token
	r.want(http.StatusOK, "PATCH", "/clients/"+id, `{"allowed_ips":["192.0.2.0/24"]}`)
	r.want(http.StatusForbidden, "GET", "/clients", "")
	r.auth = ""
	r.want(http.StatusOK, "PATCH", "/clients/"+id, `{"allowed_ips":null,"active":false}`)
	r.auth = "Bearer " + token
	r.want(http.StatusUnauthorized, "GET", "/clients", "")
}

func TestThrottle(t *testing.T) {
	r := start(t, servertest.Options{})
	r.auth = "Bearer nothing"
	for range 500 { // the burst that is allowed
		r.want(http.StatusUnauthorized, "GET", "/clients", "")
	}
	if got := r.want(http.StatusTooManyRequests, "GET", "/clients", "").Header.Get("Retry-After"); got == "" {
		t.Error("no Retry-After")
	}
}

func TestForms(t *testing.T) {
	r := start(t, servertest.Options{})
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/clients", `{`, http.StatusBadRequest},
		{"POST", "/clients", `[]`, http.StatusBadRequest},
		{"POST", "/clients", "{\"name\":\"\xff\"}", http.StatusBadRequest},
		{"POST", "/clients", `{} {}`, http.StatusBadRequest},
		{"POST", "/scopes", `null`, http.StatusBadRequest},
		{"PATCH", "", `"x"`, http.StatusBadRequest},
		{"POST", "/tokens/revoke", `nonsense`, http.StatusBadRequest},
		{"POST", "/clients", `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, http.StatusRequestEntityTooLarge},
		{"GET", "/users/", "", http.StatusNotFound},
		{"GET", "/clients/", "", http.StatusNotFound},
		{"GET", "/nothing", "", http.StatusNotFound},
		{"GET", "/clients?q=" + strings.Repeat("x", 40<<10), "", http.StatusRequestHeaderFieldsTooLarge},
		{"HEAD", "/clients", "", http.StatusMethodNotAllowed},
		{"OPTIONS", "/clients", "", http.StatusMethodNotAllowed},
		{"PUT", "/clients", "{}", http.StatusMethodNotAllowed},
	} {
		answer := r.want(c.status, c.method, c.path, c.body)
		if got := answer.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s %.40s: Content-Type %s", c.method, c.path, got)
		}
		if answer.Header.Get("X-Request-Id") == "" || answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Link") != "" {
			t.Errorf("%s %.40s: header %v", c.method, c.path, answer.Header)
		}
		if c.status == http.StatusMethodNotAllowed && answer.Header.Get("Allow") != "GET, POST" {
			t.Errorf("%s %s: Allow %q", c.method, c.path, answer.Header.Get("Allow"))
		}
	}
}

// No refusal repeats what was sent where it may be secret.
func TestRefusalsRepeatNothing(t *testing.T) {
	r := start(t, servertest.Options{})
	const hidden = "hunter2hunter2"
	for _, c := range [][3]string{
		{"POST", "/clients", `{"name":"x","kind":"service","secret":"` + hidden + `"}`},
		{"POST", "/clients", `{"name":5,"kind":"` + hidden + `","type":"` + hidden + `","redirect_uris":["` + hidden + `"],"access_token_lifetime":"` + hidden + `"}`},
		{"POST", "/clients/" + r.OwnerID + "/secrets", `{"expires_at":"` + hidden + `"}`},
		{"POST", "/api/v1/applications", `{"name":"x","id":"` + hidden + `!","preset":"` + hidden + `"}`},
		{"PATCH", "", `{"security_profile":"` + hidden + `"}`},
		{"POST", "/scopes", `{"name":"a ` + hidden + `"}`},
		{"POST", "/users", `{"email":"` + hidden + `@","password":"hunter2","roles":["` + hidden + `\u0007"],"attributes":{"birthday":"` + hidden + `"}}`},
		{"GET", "/users?active=" + hidden + "&cursor=" + hidden, ""},
		{"GET", "/clients?cursor=" + hidden + "&limit=" + hidden + "&kind=" + hidden, ""},
		{"GET", "/audit?since=" + hidden, ""},
	} {
		answer := r.send(c[0], c[1], c[2])
		if answer.StatusCode != http.StatusUnprocessableEntity || strings.Contains(answer.text, "hunter2") {
			t.Errorf("%s %s: %d %s", c[0], c[1], answer.StatusCode, answer.text)
		}
	}
}
