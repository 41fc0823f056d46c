package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/servertest"
)

func TestApplicationSettings(t *testing.T) {
	r := start(t, servertest.Options{})
	shown := r.want(http.StatusOK, "GET", "", "")
	if shown.object["issuer"] != r.Issuer || shown.object["security_profile"] != "oauth2.1" || shown.object["refresh_retry_window"] != 10.0 {
		t.Errorf("shown: %s", shown.text)
	}
	for _, c := range []struct{ body, name, want string }{
		{`{"name":" New name "}`, "name", `"New name"`},
		{`{"security_profile":"oauth2"}`, "security_profile", `"oauth2"`},
		{`{"security_profile":null}`, "security_profile", `"oauth2.1"`},
		{`{"scope_policy":"optional"}`, "scope_policy", `"optional"`},
		{`{"signing_algorithm":"EdDSA"}`, "signing_algorithm", `"EdDSA"`},
		{`{"refresh_retry_window":0}`, "refresh_retry_window", `0`},
		{`{"refresh_retry_window":null}`, "refresh_retry_window", `10`},
		{`{"code_lifetime":600}`, "code_lifetime", `600`},
		{`{"session_lifetime":1}`, "session_lifetime", `1`},
		{`{"session_lifetime":null}`, "session_lifetime", `43200`},
		{`{"registration":true}`, "registration", `true`},
		{`{"registration":null}`, "registration", `false`},
		{`{"vendor_name":"Example"}`, "vendor_name", `"Example"`},
		{`{"branding":{"name":"Shop","colour":"#AABBCC"}}`, "branding", `{"name":"Shop","logo":null,"colour":"#aabbcc"}`},
		{`{"branding":{"name":null,"logo":"https://example.com/l.png"}}`, "branding", `{"name":null,"logo":"https://example.com/l.png","colour":"#aabbcc"}`},
		{`{"branding":{"name":" Shop "}}`, "branding", `{"name":"Shop","logo":"https://example.com/l.png","colour":"#aabbcc"}`},
		{`{"branding":null}`, "branding", `{"name":null,"logo":null,"colour":null}`},
	} {
		answer := r.want(http.StatusOK, "PATCH", "", c.body)
		if !strings.Contains(answer.text, `"`+c.name+`":`+c.want) {
			t.Errorf("%s: want %s, got %s", c.body, c.want, answer.text)
		}
	}
	for body, refused := range map[string]string{
		`{"name":null}`:                                         "body.name",
		`{"name":"","code_lifetime":601}`:                       "body.code_lifetime body.name",
		`{"code_lifetime":1.5}`:                                 "body.code_lifetime",
		`{"refresh_retry_window":3601}`:                         "body.refresh_retry_window",
		`{"security_profile":"fapi2"}`:                          "body.security_profile",
		`{"registration":"yes"}`:                                "body.registration",
		`{"branding":{"colour":"red","logo":"http://x","x":1}}`: "body.branding.colour body.branding.logo body.branding",
		`{"branding":{"name":" "}}`:                             "body.branding.name",
		`{"branding":5}`:                                        "body.branding",
		`{"nonsense":1}`:                                        "body.nonsense",
		`{"id":"another"}`:                                      "body.id",
		`{"issuer":"https://another.example"}`:                  "body.issuer",
	} {
		if got := r.want(http.StatusUnprocessableEntity, "PATCH", "", body).refusals(); got != refused {
			t.Errorf("%s: refused %s", body, got)
		}
	}
	// What was read can be sent back.
	tag := r.want(http.StatusOK, "GET", "", "").Header.Get("Etag")
	r.want(http.StatusOK, "PATCH", "", r.send("GET", "", "").text, "If-Match: "+tag)
	r.want(http.StatusPreconditionFailed, "PATCH", "", `{}`, "If-Match: "+tag)
	r.want(http.StatusPreconditionFailed, "DELETE", "", ``, "If-Match: "+tag+"0")
}

func TestApplicationLife(t *testing.T) {
	r := start(t, servertest.Options{})
	const all = "/api/v1/applications"
	made := r.want(http.StatusCreated, "POST", all, `{"id":"other","name":"Other","preset":"webmethods"}`)
	if made.object["legacy_token_query"] != true || made.Header.Get("Location") != all+"/other" {
		t.Errorf("made: %s", made.text)
	}
	r.want(http.StatusConflict, "POST", all, `{"id":"other","name":"Other"}`)
	for body, refused := range map[string]string{
		`{"id":"config","name":"x"}`: "body.id", `{"id":"x","name":"x"}`: "body.id", `{"name":"x","preset":"none"}`: "body.preset",
		`{}`: "body.name", `{"name":5}`: "body.name", `{"name":"x","id":5}`: "body.id", `{"name":"x","issuer":"x"}`: "body.issuer",
		`{"name":"x","id":""}`: "body.id", `{"name":"x","preset":""}`: "body.preset",
	} {
		if got := r.want(http.StatusUnprocessableEntity, "POST", all, body).refusals(); !strings.Contains(got, refused) {
			t.Errorf("%s: refused %s", body, got)
		}
	}
	if n := len(r.want(http.StatusOK, "GET", all+"?limit=1", "").object["items"].([]any)); n != 1 {
		t.Errorf("%d applications on a page of one", n)
	}
	owner := r.as(made.object["owner_client_id"].(string), made.object["owner_client_secret"].(string))
	if list := owner.want(http.StatusOK, "GET", all, "").object["items"].([]any); len(list) != 1 {
		t.Errorf("an owner of another application sees %d", len(list))
	}
	owner.want(http.StatusForbidden, "POST", all, `{"name":"x"}`)
	owner.want(http.StatusUnauthorized, "GET", "", "")
	r.want(http.StatusUnauthorized, "GET", all+"/other", "")
	owner.app = all + "/other"
	owner.want(http.StatusOK, "GET", "/clients", "")

	r.want(http.StatusConflict, "DELETE", "", "")
	owner.want(http.StatusNoContent, "DELETE", "", "")
	owner.want(http.StatusUnauthorized, "GET", "", "")
	r.want(http.StatusConflict, "POST", all, `{"id":"other","name":"Other"}`)
	for range 20 {
		if _, err := r.App.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Clock.Advance(time.Minute)
	}
	owner.want(http.StatusUnauthorized, "GET", "", "")
	r.want(http.StatusCreated, "POST", all, `{"id":"other","name":"Other"}`)
	owner.want(http.StatusUnauthorized, "GET", "", "")
}

func TestKeys(t *testing.T) {
	r := start(t, servertest.Options{})
	states := func() string {
		var states []string
		for _, k := range r.want(http.StatusOK, "GET", "/keys", "").object["items"].([]any) {
			states = append(states, k.(map[string]any)["state"].(string))
		}
		return strings.Join(states, " ")
	}
	if got := states(); got != "active" {
		t.Errorf("at first: %s", got)
	}
	r.want(http.StatusOK, "POST", "/keys/rotate", "")
	if got := states(); got != "active published" {
		t.Errorf("rotated: %s", got)
	}
	r.want(http.StatusConflict, "POST", "/keys/rotate", "{}")
	r.want(http.StatusOK, "POST", "/keys/rotate", `{"immediately":true}`)
	if got := states(); got != "retired active" {
		t.Errorf("at once: %s", got)
	}
	r.want(http.StatusOK, "POST", "/keys/rotate", `{"immediately":true}`)
	if got := states(); got != "retired retired active" { //nolint:dupword // states of keys
		t.Errorf("at once again: %s", got)
	}
	r.Clock.Advance(time.Second)
	if err := r.App.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := states(); !strings.HasSuffix(got, "active") {
		t.Errorf("after the schedule looked at them: %s", got)
	}
	r.want(http.StatusUnprocessableEntity, "POST", "/keys/rotate", `{"immediately":"now"}`)
}

// A key that leaked goes out of the set, and what it signed is refused, also what
// was found good before.
func TestWithdrawKey(t *testing.T) {
	r := start(t, servertest.Options{})
	const form, opaque = "application/x-www-form-urlencoded", "/oauth2/introspect"
	active := func(token string) bool {
		answer := r.Do(http.MethodPost, "/"+r.ApplicationID+opaque, r.OwnerID, r.OwnerSecret, form, "token="+token)
		var body struct{ Active bool }
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		return body.Active
	}
	issue := func() string {
		answer := r.Do(http.MethodPost, "/"+r.ApplicationID+"/oauth2/token", r.OwnerID, r.OwnerSecret, form, "grant_type=client_credentials")
		var body struct {
			Token string `json:"access_token"`
		}
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		return body.Token
	}
	id := func(i int) string {
		return r.want(http.StatusOK, "GET", "/keys", "").object["items"].([]any)[i].(map[string]any)["id"].(string)
	}
	before, leaked := issue(), id(0)
	r.want(http.StatusConflict, "DELETE", "/keys/"+leaked, "")
	r.want(http.StatusNotFound, "DELETE", "/keys/nothing", "")
	r.want(http.StatusOK, "POST", "/keys/rotate", `{"immediately":true}`)
	after := issue()
	if !active(before) || !active(after) {
		t.Fatal("the tokens are not good at first")
	}
	r.want(http.StatusNoContent, "DELETE", "/keys/"+leaked, "")
	if active(before) || !active(after) {
		t.Errorf("signed by the key that was withdrawn: active is %v; by the other: %v", active(before), active(after))
	}
	if id(0) == leaked {
		t.Error("the key is listed still")
	}
	set, err := http.Get(r.Issuer + "/oauth2/jwks") //nolint:noctx // it ends with the server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = set.Body.Close() }()
	if text, err := io.ReadAll(set.Body); err != nil || strings.Contains(string(text), leaked) || !strings.Contains(string(text), id(0)) {
		t.Errorf("the set is %s, %v", text, err)
	}
	r.want(http.StatusNotFound, "DELETE", "/keys/"+leaked, "")
}
