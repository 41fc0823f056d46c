package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/servertest"
)

// The root application is served with and without its id; its issuer is the
// public URL.
func TestRootApplication(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Configure: func(c *config.Config) {
		c.Founding.ApplicationID, c.RootApplication = "shop", "shop"
	}})
	if s.Issuer != s.URL {
		t.Errorf("the issuer is %s, want %s", s.Issuer, s.URL)
	}
	for _, path := range []string{
		"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server",
		"/shop/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/shop",
	} {
		var document map[string]any
		if err := json.NewDecoder(s.Do("GET", path, "", "", "", "").Body).Decode(&document); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if document["issuer"] != s.URL || document["token_endpoint"] != s.URL+"/oauth2/token" {
			t.Errorf("%s: issuer %v, token endpoint %v", path, document["issuer"], document["token_endpoint"])
		}
	}
	form := url.Values{"grant_type": {"client_credentials"}}.Encode()
	for _, path := range []string{"/oauth2/token", "/shop/oauth2/token"} {
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		got := s.Do("POST", path, s.OwnerID, s.OwnerSecret, "application/x-www-form-urlencoded", form)
		if err := json.NewDecoder(got.Body).Decode(&answer); err != nil || strings.Count(answer.AccessToken, ".") != 2 {
			t.Errorf("%s: %d, %v", path, got.StatusCode, err)
		}
	}
	if got := s.Do("GET", "/oauth2/nothing", "", "", "", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown path below the root: %d", got.StatusCode)
	}
	event := audit.New(audit.System(), "other", "instance.root", "application:other", s.Clock.Now())
	if err := s.App.Store.Instance().SetRoot(t.Context(), "other", event); fault.KindOf(err) != fault.Conflict {
		t.Errorf("another root application after tokens were issued: %v, want a conflict", err)
	}
}

// TestTheIssuerIsFixedForEver: also when nothing is left of the tokens.
func TestTheIssuerIsFixedForEver(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	app, err := s.App.Applications.Get(t.Context(), s.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := client.ParseFields([]byte(`{"id":"worker","name":"Worker","kind":"service","access_token_format":"opaque"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := s.App.Operations.CreateFrom(t.Context(), audit.System(), app, fields, client.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := s.Do("POST", "/"+app.ID+"/oauth2/token", "worker", secret, "application/x-www-form-urlencoded", "grant_type=client_credentials")
	if got.StatusCode != http.StatusOK {
		t.Fatal(got.StatusCode)
	}
	if err := s.App.Usage.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.App.Operations.Delete(t.Context(), audit.System(), app.ID, "worker"); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(usage.Kept + 24*time.Hour)
	if _, err := s.App.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	event := audit.New(audit.System(), app.ID, "instance.root", "application:"+app.ID, s.Clock.Now())
	if err := s.App.Store.Instance().SetRoot(t.Context(), app.ID, event); fault.KindOf(err) != fault.Conflict {
		t.Errorf("another issuer after tokens were issued: %v, want a conflict", err)
	}
}

func TestRootApplicationCanBeChosenBeforeTokens(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	event := audit.New(audit.System(), s.ApplicationID, "instance.root", "application:"+s.ApplicationID, s.Clock.Now())
	if err := s.App.Store.Instance().SetRoot(t.Context(), s.ApplicationID, event); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	var document map[string]any
	if err := json.NewDecoder(s.Do("GET", "/.well-known/openid-configuration", "", "", "", "").Body).Decode(&document); err != nil || document["issuer"] != s.URL {
		t.Errorf("issuer %v, %v", document["issuer"], err)
	}
}

// What browsers come to is at the root, too, and sends them to pages there.
func TestRootApplicationForBrowsers(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Configure: func(c *config.Config) {
		c.Founding.ApplicationID, c.RootApplication = "shop", "shop"
	}})
	for path, want := range map[string]int{
		"/oauth2/authorize": http.StatusBadRequest, "/shop/oauth2/authorize": http.StatusBadRequest,
		"/oauth2/userinfo": http.StatusUnauthorized, "/oauth2/logout": http.StatusOK,
	} {
		if got := s.Do(http.MethodGet, path, "", "", "", ""); got.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, got.StatusCode, want)
		}
	}
}
