package configapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/servertest"
)

// server is a whole server and its owner.
type server struct {
	*servertest.Server
	t *testing.T
}

func (s *server) config(method, below, body string) (int, map[string]any) {
	s.t.Helper()
	return s.read(s.Do(method, "/config/"+s.ApplicationID+below, s.OwnerID, s.OwnerSecret, "", body))
}

func (s *server) read(a *http.Response) (int, map[string]any) {
	s.t.Helper()
	var o map[string]any
	if a.ContentLength != 0 {
		if err := json.NewDecoder(a.Body).Decode(&o); err != nil {
			s.t.Fatal(err)
		}
	}
	return a.StatusCode, o
}

func (s *server) form(path string, c creds, form url.Values) (int, map[string]any) {
	s.t.Helper()
	return s.read(s.Do("POST", "/"+s.ApplicationID+path, c.id, c.secret, "application/x-www-form-urlencoded", form.Encode()))
}

func (s *server) active(c creds, token string) bool {
	s.t.Helper()
	status, o := s.form("/oauth2/introspect", c, url.Values{"token": {token}})
	if status != http.StatusOK {
		s.t.Fatal(status, o)
	}
	return o["active"] == true
}

// A client made here gets a token; deleted, it and all it was given is dead, on
// a server that has just started too.
func TestTokensOfADeletedClientDie(t *testing.T) {
	s := &server{servertest.Start(t, servertest.Options{Preset: "akamai"}), t}
	owner := creds{s.OwnerID, s.OwnerSecret}
	_, made := s.config("POST", "/clients", `{"name":"Service","features":["direct_access"]}`)
	c := creds{made["_id"].(string), made["_secret"].(string)}
	status, o := s.form("/oauth2/token", c, url.Values{"grant_type": {"client_credentials"}})
	token, _ := o["access_token"].(string)
	if status != http.StatusOK || !s.active(c, token) || !s.active(owner, token) {
		t.Fatalf("%d %v", status, o)
	}
	s.Restart()
	if status, o := s.config("GET", "/clients/"+c.id, ""); status != http.StatusOK || o["_secret"] != c.secret {
		t.Errorf("after a restart: %d %v", status, o)
	}
	if status, _ := s.config("DELETE", "/clients/"+c.id, ""); status != http.StatusNoContent {
		t.Fatal(status)
	}
	if s.active(owner, token) {
		t.Error("the token outlived its client")
	}
	if status, o := s.form("/oauth2/token", c, url.Values{"grant_type": {"client_credentials"}}); status != http.StatusUnauthorized || o["error"] != "invalid_client" {
		t.Errorf("%d %v", status, o)
	}
	s.Restart()
	if s.active(owner, token) {
		t.Error("the token came back with a restart")
	}
}

// What hoursToLive says holds at the token endpoint, and tokens live on.
func TestAReplacedSecretAtTheTokenEndpoint(t *testing.T) {
	s := &server{servertest.Start(t, servertest.Options{}), t}
	_, made := s.config("POST", "/clients", `{"name":"Service","features":["direct_access"]}`)
	old := creds{made["_id"].(string), made["_secret"].(string)}
	grant := url.Values{"grant_type": {"client_credentials"}}
	_, o := s.form("/oauth2/token", old, grant)
	token := o["access_token"].(string)
	_, made = s.config("PUT", "/clients/"+old.id+"/secret", `{"hoursToLive":0}`)
	fresh := creds{old.id, made["_secret"].(string)}
	if status, _ := s.form("/oauth2/token", old, grant); status != http.StatusUnauthorized {
		t.Errorf("the old secret answers %d", status)
	}
	if status, _ := s.form("/oauth2/token", fresh, grant); status != http.StatusOK {
		t.Errorf("the new secret answers %d", status)
	}
	if !s.active(fresh, token) {
		t.Error("a token died with the secret it was got by")
	}
}

// An allow list acts at once, also on tokens that are out.
func TestAnAllowListActsAtOnce(t *testing.T) {
	s := &server{servertest.Start(t, servertest.Options{}), t}
	_, made := s.config("POST", "/clients", `{"name":"Service","features":["direct_access"],"ipWhitelist":["127.0.0.1/32"]}`)
	c := creds{made["_id"].(string), made["_secret"].(string)}
	grant := url.Values{"grant_type": {"client_credentials"}}
	if status, o := s.form("/oauth2/token", c, grant); status != http.StatusOK {
		t.Fatal(status, o)
	}
	s.config("PATCH", "/clients/"+c.id, `{"ipWhitelist":["203.0.113.0/24"]}`)
	if status, o := s.form("/oauth2/token", c, grant); status != http.StatusForbidden || o["error"] != "access_denied" {
		t.Errorf("%d %v", status, o)
	}
}

// What depends on the client's row is decided by the row, not by what is
// remembered of it: here everything remembered is out of date.
func TestTheRowDecides(t *testing.T) {
	w := newWorld(t)
	unseen := func(id string, change func(*client.Client)) {
		w.ask("GET", w.clientPath(id), "") // it is remembered
		_, err := w.db.Clients().Change(t.Context(), w.app, id, client.NameAndVersion, testEvent(w.rig, change))
		if err != nil {
			t.Fatal(err)
		}
	}
	unseen(w.plain.id, func(c *client.Client) { c.Settings.Features = client.Features{client.Owner} })
	w.refused(t, w.request("DELETE", w.clientPath(w.plain.id), "", w.owner), 403, "Clients with the owner feature cannot be deleted.")

	made := w.create(`{"name":"Integration"}`)
	unseen(made.id, func(c *client.Client) { c.Settings.Features = client.Features{client.Metadata} })
	if a := w.ask("PUT", w.clientPath(made.id), `{"name":"Integration","features":["metadata"]}`); a.status != 200 {
		t.Errorf("%d %s", a.status, a.text)
	}
	unseen(made.id, func(c *client.Client) { c.Settings.Features = nil })
	w.refused(t, w.request("PUT", w.clientPath(made.id), `{"name":"Integration","features":["metadata"]}`, w.owner), 400,
		"The metadata feature can only be applied to a client by Akamai.")

	for _, test := range []struct{ method, below, body string }{
		{"PUT", "", `{"name":"x"}`},
		{"PATCH", "", `{"name":"x"}`},
		{"PUT", "/secret", `{"hoursToLive":1}`},
		{"PUT", "/settings", `{}`},
		{"DELETE", "", ``},
	} {
		gone := w.create(`{"name":"Gone"}`)
		w.vanish(gone.id)
		w.refused(t, w.request(test.method, w.clientPath(gone.id)+test.below, test.body, w.owner), 404, "Client ID not found.")
	}
}

// Nothing of a secret is in the database or in the log of events in the clear.
func TestNoSecretInTheClear(t *testing.T) {
	r := newRig(t, "secret_policy=revealable")
	made := r.create(`{"name":"Secretive"}`)
	again := r.renew(made, 5)
	r.ask("GET", r.path("/clients"), "")
	r.clock.Advance(time.Second)
	for _, e := range r.events() {
		text := string(e.Before) + string(e.After) + e.Object + e.Actor
		if strings.Contains(text, made.secret) || strings.Contains(text, again.secret) {
			t.Errorf("%s holds a secret", e.Action)
		}
	}
	if r.holds("Secretive") == "" {
		t.Fatal("not even the client's name was found: the search finds nothing")
	}
	for _, secret := range []string{made.secret, again.secret, r.owner.secret} {
		if file := r.holds(secret); file != "" {
			t.Errorf("%s holds a secret in the clear", file)
		}
	}
}
