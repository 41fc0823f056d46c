package api_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/servertest"
)

// rig is a whole server, whose management API a test calls as its first owner.
type rig struct {
	*servertest.Server
	t    *testing.T
	app  string // the path of the application
	auth string // an Authorization header; "": Basic of the owner
}

func start(t *testing.T, options servertest.Options) *rig {
	t.Helper()
	s := servertest.Start(t, options)
	return &rig{Server: s, t: t, app: "/api/v1/applications/" + s.ApplicationID}
}

// as is the rig with another client's credentials.
func (r *rig) as(id, secret string) *rig {
	other := *r
	other.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	return &other
}

// reply is an answer, read to its end.
type reply struct {
	*http.Response
	text   string
	object map[string]any // of a JSON object
}

// send sends a request and holds the answer to the OpenAPI document. Headers
// are given as "Name: value".
func (r *rig) send(method, path, body string, headers ...string) *reply {
	r.t.Helper()
	request, out := r.exchange(method, path, body, headers...)
	if strings.HasPrefix(out.text, "{") {
		if err := json.Unmarshal([]byte(out.text), &out.object); err != nil {
			r.t.Fatalf("%s %s: not JSON: %v\n%s", method, path, err, out.text)
		}
	}
	r.validate(request, out)
	return out
}

// exchange sends a request, and looks at nothing of the answer.
func (r *rig) exchange(method, path, body string, headers ...string) (*http.Request, *reply) {
	r.t.Helper()
	if !strings.HasPrefix(path, "/api") {
		path = r.app + path
	}
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if r.auth == "" {
		request.SetBasicAuth(r.OwnerID, r.OwnerSecret)
	} else if r.auth != "none" {
		request.Header.Set("Authorization", r.auth)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return request, &reply{Response: answer, text: string(text)}
}

// want sends a request that must have the status given.
func (r *rig) want(status int, method, path, body string, headers ...string) *reply {
	r.t.Helper()
	answer := r.send(method, path, body, headers...)
	if answer.StatusCode != status {
		r.t.Fatalf("%s %s %s: got %d, want %d\n%s", method, path, body, answer.StatusCode, status, answer.text)
	}
	return answer
}

// refusals gives the places that an answer refuses.
func (a *reply) refusals() string {
	var places []string
	list, _ := a.object["errors"].([]any)
	for _, e := range list {
		places = append(places, e.(map[string]any)["location"].(string))
	}
	return strings.Join(places, " ")
}
