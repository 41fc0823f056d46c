package api_test

import (
	"net/http"
	"testing"

	"github.com/ostiary/ostiary/internal/servertest"
)

func TestApplications(t *testing.T) {
	r := start(t, servertest.Options{})
	for _, p := range []string{"/api/v1/applications", r.app, r.app + "/keys", r.app + "/audit", "/api/openapi.json", "/api/v1/nothing"} {
		a := r.send("GET", p, "")
		t.Log(p, a.StatusCode, a.Header, a.text)
	}
	a := r.send("PATCH", "", `{"name":"x", "code_lifetime": 601, "zz":1, "branding":{"colour":"red"}}`)
	t.Log(a.StatusCode, a.text)
	a = r.send("GET", "/audit?limit=0&since=x&zzz=1&cursor=secret", ``)
	t.Log(a.StatusCode, a.text)
	a = r.send("PATCH", "", `{"name":"x", "code_lifetime": 300,  "branding":{"colour":"#FF0000"}}`, `If-Match: "1"`)
	t.Log(a.StatusCode, a.text, a.Header)
	a = r.send("POST", "/api/v1/applications", `{"name":"x", "id": "other", "preset":"akamai"}`)
	t.Log(a.StatusCode, a.text, a.Header)
	a = r.send("POST", "/keys/rotate", ``)
	t.Log(a.StatusCode, a.text, a.Header)
	a = r.send("PUT", "/keys/rotate", ``)
	t.Log(a.StatusCode, a.text, a.Header)
	r.auth = "none"
	a = r.send("GET", "/keys", ``)
	t.Log(a.StatusCode, a.text, a.Header)
	_ = http.MethodGet
}
