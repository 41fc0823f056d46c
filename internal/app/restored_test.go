package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/app"
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

// A restored server knows what it knew at the moment of the backup, save what
// was good then: that may have been taken back since.
func TestRestored(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep %v", keep), func(t *testing.T) { testRestored(t, keep) })
	}
}

func testRestored(t *testing.T, keep bool) {
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
	backup := filepath.Join(t.TempDir(), "ostiary.db")
	if err := app.Backup(t.Context(), &config.Config{Data: s.Data}, backup, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	asked(t, s, "/oauth2/revoke", "token="+before, "")
	after := issue()
	if active(before) != false || active(after) != true {
		t.Fatal("this is not what is to be undone")
	}
	s.Stop()
	data = t.TempDir()
	if err := app.Restore(t.Context(), &config.Config{Data: data}, backup, keep, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(s.Data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, bytes.TrimSpace(key)) {
		t.Error("the master key is in the backup")
	}
	if err := os.WriteFile(filepath.Join(data, "master.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	if active(before) != keep {
		t.Errorf("a token that was revoked after the backup: active is %v", active(before))
	}
	if active(after) != false {
		t.Error("a token that was issued after the backup is active")
	}
	if active(issue()) != true {
		t.Error("a new token is not active")
	}
}
