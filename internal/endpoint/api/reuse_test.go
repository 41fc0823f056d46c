package api_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/servertest"
)

// An application that is made anew under the id of a deleted one has none of its
// scopes and resources, not in memory either.
func TestAnApplicationMadeAnewRemembersNothing(t *testing.T) {
	r := start(t, servertest.Options{})
	const all = "/api/v1/applications"
	var id, secret string // of its owner
	found := func() *rig {
		made := r.want(http.StatusCreated, "POST", all, `{"id":"other","name":"Other"}`)
		id, _ = made.object["owner_client_id"].(string)
		secret, _ = made.object["owner_client_secret"].(string)
		owner := *r
		owner.app, owner.auth = all+"/other", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
		return &owner
	}
	token := func() int {
		return r.Do("POST", "/other/oauth2/token", id, secret,
			"application/x-www-form-urlencoded", "grant_type=client_credentials&resource=urn:orders").StatusCode
	}
	owner := found()
	owner.want(http.StatusCreated, "POST", "/scopes", `{"name":"read"}`)
	owner.want(http.StatusCreated, "POST", "/resources", `{"identifier":"urn:orders","scopes":["read"],"introspecting_clients":["`+id+`"]}`)
	owner.want(http.StatusOK, "GET", "/scopes/read", "")
	if got := token(); got != http.StatusOK {
		t.Fatalf("a token for the resource: %d", got)
	}
	owner.want(http.StatusNoContent, "DELETE", "", "")
	for range 20 {
		if _, err := r.App.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Clock.Advance(time.Minute)
	}
	owner = found()
	if got := token(); got != http.StatusBadRequest {
		t.Errorf("a token for a resource that is gone: %d", got)
	}
	owner.want(http.StatusNotFound, "GET", "/scopes/read", "")
	if list := owner.want(http.StatusOK, "GET", "/resources", "").text; strings.Contains(list, "orders") {
		t.Errorf("resources: %s", list)
	}
}
