package app_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/servertest"
)

// posted is what a request for a token is answered.
func posted(t *testing.T, s *servertest.Server, path string) (status int, token string) {
	t.Helper()
	got := s.Do("POST", path, s.OwnerID, s.OwnerSecret, "application/x-www-form-urlencoded", "grant_type=client_credentials")
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(got.Body).Decode(&answer); err != nil {
		t.Errorf("%s: %d, %v", path, got.StatusCode, err)
	}
	return got.StatusCode, answer.AccessToken
}

func TestLegacyPaths(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Settings: []string{"legacy_paths=true"}})
	for _, path := range []string{"/oauth2/token", "/integration/rest/oAuth/getToken"} {
		if status, token := posted(t, s, path); status != http.StatusOK || token == "" {
			t.Errorf("%s: %d", path, status)
		}
		if got := s.Do("GET", path, "", "", "", ""); got.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", path, got.StatusCode)
		}
	}
	for _, path := range []string{
		"/oauth2/introspect", "/oauth2/check", "/oauth2", "/oauth2/", "/oauth2/token/", "/oauth2//token", "/oauth2/%74oken", "/OAuth2/token", "/integration", "/integration/rest/oAuth", "/integration/rest/oauth/getToken",
		"/integration/rest/oAuth/gettoken", "/integration/rest/oAuth/getToken/x", "/integration/rest/oAuth%2FgetToken",
	} {
		if status, token := posted(t, s, path); status != http.StatusNotFound || token != "" {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestLegacyPathsFollowTheSetting(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	for _, on := range []bool{false, true, false} {
		patch := map[string]json.RawMessage{"legacy_paths": json.RawMessage(map[bool]string{true: "true", false: "null"}[on])}
		if _, err := application.NewOperations(s.App.Applications, s.Clock.Now).Patch(t.Context(), audit.System(), s.ApplicationID, patch, nil); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/oauth2/token", "/integration/rest/oAuth/getToken"} {
			if status, token := posted(t, s, path); (status == http.StatusOK) != on || (token != "") != on {
				t.Errorf("%s, legacy_paths %v: %d", path, on, status)
			}
		}
	}
}

// A root application is at the root, whatever the default one's setting is.
func TestLegacyPathsBesideARootApplication(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Settings: []string{"legacy_paths=true"}, Configure: func(c *config.Config) {
		c.Founding.ApplicationID, c.RootApplication = "shop", "shop"
	}})
	for _, path := range []string{"/oauth2/token", "/integration/rest/oAuth/getToken"} {
		if status, token := posted(t, s, path); status != http.StatusOK || token == "" {
			t.Errorf("%s: %d", path, status)
		}
	}
	if got := s.Do("GET", "/oauth2/jwks", "", "", "", ""); got.StatusCode != http.StatusOK {
		t.Errorf("the root application's keys: %d", got.StatusCode)
	}
}
