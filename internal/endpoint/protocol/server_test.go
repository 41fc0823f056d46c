package protocol_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/servertest"
)

// The endpoints as the whole server mounts them: the owner that the first start
// made gets a token by its feature, has it inspected, and loses it.
func TestAWholeServer(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	path := strings.TrimPrefix(s.Issuer, s.URL)
	ask := func(method, path, body string, want int) (map[string]any, http.Header) {
		t.Helper()
		answer := s.Do(method, path, s.OwnerID, url.QueryEscape(s.OwnerSecret), "application/x-www-form-urlencoded", body)
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != want {
			t.Fatalf("%s %s: %d %s, %v", method, path, answer.StatusCode, text, err)
		}
		var document map[string]any
		_ = json.Unmarshal(text, &document)
		return document, answer.Header
	}
	metadata, header := ask("GET", path+"/.well-known/openid-configuration", "", 200)
	if metadata["issuer"] != s.Issuer || header.Get("Cache-Control") != "public, max-age=900" {
		t.Errorf("%v %v", metadata, header)
	}
	same, _ := ask("GET", "/.well-known/oauth-authorization-server"+path, "", 200)
	if same["token_endpoint"] != metadata["token_endpoint"] {
		t.Errorf("%v, and at the root %v", metadata, same)
	}
	endpoint := func(name string) string {
		t.Helper()
		address, _ := metadata[name].(string)
		return strings.TrimPrefix(address, s.URL)
	}
	token, _ := ask("POST", endpoint("token_endpoint"), "grant_type=client_credentials", 200)
	text, _ := token["access_token"].(string)
	for _, want := range []bool{true, false} {
		found, _ := ask("POST", endpoint("introspection_endpoint"), "token="+text, 200)
		if found["active"] != want {
			t.Errorf("%v, want active %v", found, want)
		}
		ask("POST", endpoint("revocation_endpoint"), "token="+text, 200)
	}
	s.Restart()
	if found, _ := ask("POST", endpoint("introspection_endpoint"), "token="+text, 200); found["active"] != false {
		t.Errorf("after a restart: %v", found)
	}
	ask("GET", endpoint("token_endpoint"), "", 405)
	if _, header := ask("HEAD", endpoint("jwks_uri"), "", 200); header.Get("ETag") == "" {
		t.Errorf("HEAD: %v", header)
	}
	if _, header := ask("POST", "/nobody/oauth2/token", "grant_type=client_credentials", 401); header.Get("WWW-Authenticate") == "" {
		t.Errorf("no challenge: %v", header)
	}
}
