package configapi_test

import (
	"net/http"
	"testing"
)

// fuzzBody sends bodies to a route: whatever they are, the answer is JSON (send
// checks it), and the fault is never the server's.
func fuzzBody(f *testing.F, method, below string, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	r := newRig(f)
	path := r.path(below)
	if below[len(below)-1] == '/' {
		path += r.owner.id
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		one := *r
		one.t = t
		if a := one.ask(method, path, string(body)); a.status >= http.StatusInternalServerError || a.text == "" {
			t.Errorf("%q: %d %s", body, a.status, a.text)
		}
	})
}

func FuzzCreate(f *testing.F) {
	fuzzBody(f, "POST", "/clients", ``, `{}`, `{"name":"x"}`, `{"name":"\ud800"}`, `{"name":"\u0000"}`, `{"name":5}`, "{\"name\":\"\xff\"}",
		`{"name":"y","ipWhitelist":["10.0.0.0/8","::/0"],"features":["owner","owner"]}`, `{"name":"z","ipWhitelist":[null]}`,
		`{"name":"w","features":["metadata"]}`, `{"name":"v","features":["login_client","owner"]}`, `[]`, `null`, `{"name":`, `{"name":"a","name":"b"}`)
}

func FuzzPatch(f *testing.F) {
	fuzzBody(f, "PATCH", "/clients/", `{}`, `{"name":null}`, `{"ipWhitelist":null}`, `{"features":null}`, `{"features":["owner","direct_access"]}`, `{"name":{"a":1}}`)
}

func FuzzReplaceSecret(f *testing.F) {
	r := newRig(f)
	made := r.create(`{"name":"Rotating"}`)
	for _, seed := range []string{
		``, `{}`, `{"hoursToLive":5}`, `{"hoursToLive":5.0}`, `{"hoursToLive":1e1}`, `{"hoursToLive":-0}`, `{"hoursToLive":"5"}`,
		`{"hoursToLive":99999999999999999999}`, `{"hoursToLive":-}`, `{"hoursToLive":[0]}`, `{"hoursToLive":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		one := *r
		one.t = t
		a := one.ask("PUT", r.clientPath(made.id)+"/secret", string(body))
		if a.status != http.StatusOK && a.status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", body, a.status, a.text)
		}
	})
}

func FuzzSettings(f *testing.F) {
	fuzzBody(f, "PUT", "/settings", ``, `{}`, `{"login_attempts":5}`, `{"login_attempts":5e0}`, `{"vendor_name":"\u0000"}`, `{"custom":{"a":{"b":[{}]}}}`,
		`{"custom":null}`, `{"redirect_uris":[null]}`, `{"x":"\ud800","\u0000":1}`, `{"invitation_search_allow_empty":true}`, `{"_self":{}}`, `{"custom":{"":""}}`)
}
