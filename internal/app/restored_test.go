package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/servertest"
)

// asked posts a form to an endpoint of the issuer, as its owner, and gives a
// member of the answer; nil where it has none.
func asked(t *testing.T, s *servertest.Server, endpoint, form, member string) any {
	t.Helper()
	answer := s.Do(http.MethodPost, strings.TrimPrefix(s.Issuer, s.URL)+endpoint, s.OwnerID, s.OwnerSecret, "application/x-www-form-urlencoded", form)
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
	var members map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&members); err != nil && member != "" {
		t.Fatal(err)
	}
	return members[member]
}

// A restored server knows what it knew at the moment of the backup and nothing
// since, as docs/back-up-and-restore.md says; it needs the database and the
// master key, and no more.
func TestRestored(t *testing.T) {
	data := ""
	s := servertest.Start(t, servertest.Options{Configure: func(c *config.Config) {
		if data != "" {
			c.Data = data
		}
	}})
	issue := func() string {
		token, _ := asked(t, s, "/oauth2/token", "grant_type=client_credentials", "access_token").(string)
		return token
	}
	active := func(token string) any { return asked(t, s, "/oauth2/introspect", "token="+token, "active") }
	before := issue()
	s.Stop()
	backup := t.TempDir()
	for _, name := range []string{"ostiary.db", "master.key"} {
		content, err := os.ReadFile(filepath.Join(s.Data, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(backup, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.Restart()
	asked(t, s, "/oauth2/revoke", "token="+before, "")
	after := issue()
	if active(before) != false || active(after) != true {
		t.Fatal("this is not what is to be undone")
	}
	data = backup
	s.Restart()
	if active(before) != true {
		t.Error("a token that was revoked after the backup is not back")
	}
	if active(after) != false {
		t.Error("a token that was issued after the backup is active")
	}
}
