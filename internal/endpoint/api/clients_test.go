package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/client/clienttest"
	"github.com/ostiary/ostiary/internal/servertest"
)

// prepared is a server whose application has the scopes of the field cases, with
// the settings of a case.
func prepared(t *testing.T, settings ...string) *rig {
	t.Helper()
	r := start(t, servertest.Options{Settings: settings})
	for name, kind := range clienttest.Scopes {
		r.want(http.StatusCreated, "POST", "/scopes", fmt.Sprintf(`{"name":%q,"kind":%q}`, name, kind))
	}
	return r
}

// Every case of every field: taken and answered, or refused beside its field.
func TestFieldCases(t *testing.T) {
	for _, profile := range []struct {
		oauth2, optional bool
		settings         []string
	}{
		{false, false, nil},
		{true, false, []string{"security_profile=oauth2"}},
		{false, true, []string{"scope_policy=optional"}},
		{true, true, []string{"security_profile=oauth2", "scope_policy=optional"}},
	} {
		t.Run(strings.Join(profile.settings, " "), func(t *testing.T) {
			r := prepared(t, profile.settings...)
			for i, c := range clienttest.Cases() {
				if c.OAuth2 == profile.oauth2 && c.Optional == profile.optional {
					r.fieldCase(t, i, c)
				}
			}
		})
	}
}

func (r *rig) fieldCase(t *testing.T, i int, c clienttest.Case) {
	t.Helper()
	answer := r.send("POST", "/clients", string(c.Document(fmt.Sprintf("Case %d", i))))
	if c.Refused != "" {
		places := strings.Fields(answer.refusals())
		if answer.StatusCode != http.StatusUnprocessableEntity || !slices.Contains(places, "body."+c.Refused) {
			t.Errorf("%s: got %d %s, want 422 beside %s", c.Name(), answer.StatusCode, answer.text, c.Refused)
		}
		return
	}
	if answer.StatusCode != http.StatusCreated {
		t.Errorf("%s: got %d %s", c.Name(), answer.StatusCode, answer.text)
		return
	}
	var want any
	if err := json.Unmarshal([]byte(c.Want), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, answer.object[c.Field]); diff != "" {
		t.Errorf("%s: %s", c.Name(), diff)
	}
}

func TestClientLife(t *testing.T) {
	r := prepared(t)
	made := r.want(http.StatusCreated, "POST", "/clients", `{"name":"Billing","kind":"service","scopes":["read"],"tags":["blue"],"description":"Calls orders"}`)
	secret, _ := made.object["secret"].(string)
	id := made.object["id"].(string)
	path := "/clients/" + id
	if !strings.HasPrefix(secret, "ost_cs_") || made.Header.Get("Location") != r.app+path || made.Header.Get("Etag") != `"1"` {
		t.Errorf("made: secret %q, Location %s, ETag %s", secret, made.Header.Get("Location"), made.Header.Get("Etag"))
	}
	if taken := r.want(http.StatusConflict, "POST", "/clients", `{"name":"bIlling","kind":"service"}`).refusals(); taken != "body.name" {
		t.Errorf("a name in use: %s", taken)
	}
	shown := r.want(http.StatusOK, "GET", path, "")
	if _, has := shown.object["secret"]; has || strings.Contains(shown.text, secret) {
		t.Error("the secret is shown a second time")
	}
	back := r.want(http.StatusOK, "PUT", path, shown.text, "If-Match: "+shown.Header.Get("Etag"))
	delete(shown.object, "updated_at")
	delete(back.object, "updated_at")
	if diff := cmp.Diff(shown.object, back.object); diff != "" {
		t.Errorf("PUT of what GET gave changed something: %s", diff)
	}
	r.want(http.StatusPreconditionFailed, "PUT", path, shown.text, `If-Match: "1"`)
	r.want(http.StatusPreconditionFailed, "PATCH", path, `{"version":"2"}`, `If-Match: "1"`)
	r.want(http.StatusPreconditionFailed, "PATCH", path, `{"version":"2"}`, `If-Match: W/"2"`)
	r.want(http.StatusPreconditionFailed, "PATCH", path, `{"version":"2"}`, `If-Match: "02"`)
	r.want(http.StatusPreconditionFailed, "DELETE", path, "", `If-Match: "1"`)
	patched := r.want(http.StatusOK, "PATCH", path, `{"version":"2","description":null}`, `If-Match: "2"`)
	if patched.object["version"] != "2" || patched.object["description"] != "" || patched.Header.Get("Etag") != `"3"` {
		t.Errorf("patched: %s", patched.text)
	}
	if refused := r.want(http.StatusUnprocessableEntity, "PATCH", path, `{"kind":"web","name":"Other"}`).refusals(); refused != "body.name body.kind" {
		t.Errorf("refused: %s", refused)
	}
	r.want(http.StatusCreated, "POST", "/clients", `{"name":"Billing","version":"3","kind":"service"}`)
	if taken := r.want(http.StatusConflict, "PATCH", path, `{"version":"3"}`).refusals(); taken != "body.version" {
		t.Errorf("a version in use: %s", taken)
	}
	r.want(http.StatusNoContent, "DELETE", path, "", `If-Match: "3"`)
	r.want(http.StatusNotFound, "GET", path, "")
	r.want(http.StatusNotFound, "DELETE", path, "")
	r.want(http.StatusNotFound, "PATCH", path, `{}`)
	r.want(http.StatusForbidden, "DELETE", "/clients/"+r.OwnerID, "")
}

func TestSecrets(t *testing.T) {
	r := start(t, servertest.Options{Settings: []string{"secret_policy=revealable"}})
	id := r.want(http.StatusCreated, "POST", "/clients", `{"name":"Billing","kind":"service"}`).object["id"].(string)
	path := "/clients/" + id + "/secrets"
	second := r.want(http.StatusCreated, "POST", path, `{"label":"next","expires_at":"2099-01-01T00:00:00Z","retire_others_in_hours":24}`)
	text, one := second.object["secret"].(string), path+"/"+second.object["id"].(string)
	if second.Header.Get("Location") != r.app+one || second.object["label"] != "next" || !strings.HasSuffix(text, second.object["hint"].(string)) {
		t.Errorf("made: %s", second.text)
	}
	all := r.want(http.StatusOK, "GET", path, "")
	if n := len(all.object["items"].([]any)); n != 2 || strings.Contains(all.text, text) {
		t.Errorf("%d secrets: %s", n, all.text)
	}
	if got := r.want(http.StatusOK, "POST", one+"/reveal", "").object["secret"]; got != text {
		t.Errorf("revealed %v", got)
	}
	r.want(http.StatusNotFound, "POST", path+"/nothing/reveal", "")
	for range 8 {
		r.want(http.StatusCreated, "POST", path, "")
	}
	r.want(http.StatusConflict, "POST", path, "{}")
	r.want(http.StatusNoContent, "DELETE", one, "")
	r.want(http.StatusNotFound, "DELETE", one, "")
	for _, c := range []struct{ body, refused string }{
		{`{"label":5}`, "body.label"},
		{`{"expires_at":"tomorrow"}`, "body.expires_at"},
		{`{"expires_at":"2001-01-01T00:00:00Z"}`, "body.expires_at"},
		{`{"retire_others_in_hours":1.5}`, "body.retire_others_in_hours"},
		{`{"retire_others_in_hours":169}`, "body.retire_others_in_hours"},
		{`{"secret":"x"}`, "body.secret"},
	} {
		if got := r.want(http.StatusUnprocessableEntity, "POST", path, c.body).refusals(); got != c.refused {
			t.Errorf("%s: refused %s", c.body, got)
		}
	}
	r.want(http.StatusOK, "PATCH", "", `{"secret_policy":"once"}`)
	last := r.want(http.StatusOK, "GET", path, "").object["items"].([]any)[0].(map[string]any)["id"].(string)
	r.want(http.StatusConflict, "POST", path+"/"+last+"/reveal", "")
}

// Lists that are short all the same come in pages.
func TestShortListsComeInPages(t *testing.T) {
	r := start(t, servertest.Options{})
	secrets := "/clients/" + r.OwnerID + "/secrets"
	for range 2 {
		r.want(http.StatusCreated, "POST", secrets, "")
		r.want(http.StatusOK, "POST", "/keys/rotate", `{"immediately":true}`)
	}
	for _, path := range []string{secrets, "/keys"} {
		all := r.want(http.StatusOK, "GET", path, "").object["items"].([]any)
		first := r.want(http.StatusOK, "GET", path+"?limit=2", "").object
		next, _ := first["next_cursor"].(string)
		second := r.want(http.StatusOK, "GET", path+"?limit=2&cursor="+next, "").object
		if diff := cmp.Diff(all, append(first["items"].([]any), second["items"].([]any)...)); len(all) != 3 || second["next_cursor"] != nil || diff != "" {
			t.Errorf("%s: %d items, then %v (-all +pages)\n%s", path, len(all), second["next_cursor"], diff)
		}
		if got := r.want(http.StatusUnprocessableEntity, "GET", path+"?cursor=bm90aGluZw", "").refusals(); got != "query.cursor" {
			t.Errorf("%s: refused %s", path, got)
		}
	}
}

// Of writers that read the same state one wins, and nothing is lost.
func TestWritersRace(t *testing.T) {
	r := start(t, servertest.Options{})
	id := r.want(http.StatusCreated, "POST", "/clients", `{"name":"Billing","kind":"service"}`).object["id"].(string)
	for round := range 10 {
		tag := r.want(http.StatusOK, "GET", "/clients/"+id, "").Header.Get("Etag")
		var writers sync.WaitGroup
		statuses := make([]int, 2)
		for i := range statuses {
			writers.Go(func() {
				answer := r.send("PATCH", "/clients/"+id, fmt.Sprintf(`{"description":"round %d writer %d"}`, round, i), "If-Match: "+tag)
				statuses[i] = answer.StatusCode
			})
		}
		writers.Wait()
		winner := slices.Index(statuses, http.StatusOK)
		if winner < 0 || statuses[1-winner] != http.StatusPreconditionFailed {
			t.Fatalf("round %d: answered %v", round, statuses)
		}
		got := r.want(http.StatusOK, "GET", "/clients/"+id, "").object["description"]
		if want := fmt.Sprintf("round %d writer %d", round, winner); got != want {
			t.Fatalf("round %d: %v, want %s", round, got, want)
		}
	}
}

// names gives the names of all clients that a query lists, page by page.
func (r *rig) names(query string) string {
	r.t.Helper()
	var names []string
	for cursor := ""; ; {
		answer := r.want(http.StatusOK, "GET", "/clients?"+query+cursor, "")
		for _, item := range answer.object["items"].([]any) {
			names = append(names, item.(map[string]any)["name"].(string))
		}
		next, more := answer.object["next_cursor"].(string)
		if !more {
			return strings.Join(names, " ")
		}
		cursor = "&cursor=" + next
	}
}

func TestListClients(t *testing.T) {
	r := start(t, servertest.Options{})
	r.want(http.StatusOK, "PATCH", "/clients/"+r.OwnerID, `{"tags":["root"]}`)
	for _, c := range []string{
		`{"name":"Billing","kind":"service","description":"Calls orders"}`,
		`{"name":"Shop","kind":"spa","tags":["blue"]}`,
		`{"name":"Old","kind":"other","active":false,"features":["direct_access"]}`,
	} {
		r.want(http.StatusCreated, "POST", "/clients", c)
	}
	before := r.Clock.Now().Add(time.Hour)
	for query, want := range map[string]string{
		"":                                  "First owner Billing Shop Old",
		"limit=1":                           "First owner Billing Shop Old",
		"kind=spa":                          "Shop",
		"type=public&limit=1":               "Shop",
		"feature=direct_access":             "Old",
		"feature=login_client":              "",
		"active=false":                      "Old",
		"active=true&limit=2":               "First owner Billing Shop",
		"tag=blue":                          "Shop",
		"q=ORDERS":                          "Billing",
		"q=o":                               "Old",
		"q=il":                              "",
		"q=" + r.OwnerID[3:9]:               "First owner",
		"unused_since=2001-01-01T00:00:00Z": "",
		"unused_since=" + before.Format(time.RFC3339) + "&limit=1&kind=spa": "Shop",
	} {
		if got := r.names(query); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	for query, refused := range map[string]string{
		"limit=0": "query.limit", "limit=201": "query.limit", "limit=x": "query.limit", "cursor=%00": "query.cursor",
		"cursor=e30": "query.cursor", "cursor=bm90aGluZw": "query.cursor", "kind=robot": "query.kind", "active=yes": "query.active",
		"unused_since=yesterday": "query.unused_since", "feature=none": "query.feature", "nonsense=1": "query.nonsense",
		"q=%ff": "query.q", "tag=%00": "query.tag", "limit=1&limit=2": "query.limit", "kind=spa&active=true&kind=web": "query.kind",
		"q=" + strings.Repeat("x", 101): "query.q", "q=%zz": "query",
	} {
		answer := r.want(http.StatusUnprocessableEntity, "GET", "/clients?"+query, "")
		if got := answer.refusals(); got != refused {
			t.Errorf("%s: refused %s", query, got)
		}
		// Each says what to write, and not what a library expected.
		if !regexp.MustCompile(`"message":"[A-Z][^"]*\."`).MatchString(answer.text) {
			t.Errorf("%s: %s", query, answer.text)
		}
	}
}
