package app_test

import (
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/pgtest"
	"github.com/ostiary/ostiary/internal/servertest"
)

// On PostgreSQL a restore ends what the database's own tools restored. It is
// refused while a server runs, and where they restored nothing yet it leaves the
// database as empty as they need it.
func TestRestoredOnPostgreSQL(t *testing.T) {
	c := &config.Config{Database: pgtest.New(t).Database(t), Data: t.TempDir()}
	restore := func(want string) {
		t.Helper()
		err := app.Restore(t.Context(), c, "", false, func(int64) {})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("restored: %v; want %q", err, want)
		}
	}
	for range 2 {
		restore("restore it with pg_restore")
		if _, err := app.DataKeys(t.Context(), c); err == nil {
			t.Error("an empty database has data keys")
		}
	}
	s := servertest.Start(t, servertest.Options{Database: c.Database})
	token, _ := asked(t, s, "/oauth2/token", "grant_type=client_credentials", "access_token").(string)
	restore("another ostiary")
	s.Stop()
	restore("")
	s.Restart()
	if active := asked(t, s, "/oauth2/introspect", "token="+token, "active"); active != false {
		t.Errorf("a token of before: active is %v", active)
	}
}
