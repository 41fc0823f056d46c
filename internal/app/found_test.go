package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/servertest"
)

// configure makes a configuration with a data directory of its own.
func configure(t *testing.T, environ ...string) *config.Config {
	t.Helper()
	environ = append([]string{"OSTIARY_DATA=" + filepath.Join(t.TempDir(), "data")}, environ...)
	c, err := config.LoadFrom(pflag.NewFlagSet("test", pflag.ContinueOnError), environ)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func open(t *testing.T, c *config.Config) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// TestAFoundingThatFailsLeavesNoFile: the secrets are on disk before they count,
// and gone where they never will.
func TestAFoundingThatFailsLeavesNoFile(t *testing.T) {
	c := configure(t)
	a := open(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.FoundToFile(ctx); err == nil {
		t.Fatal("a founding whose context is over succeeded")
	}
	if _, err := os.Stat(filepath.Join(c.Data, app.FirstStartFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
	path, err := a.FoundToFile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil || a.Instance == nil {
		t.Errorf("the second try founded nothing: %v", err)
	}
	if _, err := a.FoundToFile(t.Context()); !errors.Is(err, app.ErrFounded) {
		t.Errorf("a third founding: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a founding that was refused removed the file of the one before: %v", err)
	}
}

// TestAFileThatCannotBeWrittenFoundsNothing: secrets that nobody could read
// would be of no use.
func TestAFileThatCannotBeWrittenFoundsNothing(t *testing.T) {
	c := configure(t)
	a := open(t, c)
	inTheWay := filepath.Join(c.Data, app.FirstStartFile, "x")
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := a.FoundToFile(t.Context()); err == nil || a.Instance != nil {
		t.Fatalf("founded all the same: %v", err)
	}
	if err := os.RemoveAll(filepath.Dir(inTheWay)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.FoundToFile(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTheAdministratorsPassword is held to what sign-in takes, in the form in
// which sign-in compares it.
func TestTheAdministratorsPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	given := func(text string) *config.Config {
		t.Helper()
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return configure(t, "OSTIARY_ADMIN_PASSWORD_FILE="+file)
	}
	for _, text := range []string{strings.Repeat("x", 257), strings.Repeat("e\u0301", 7)} {
		if _, err := app.Open(t.Context(), given(text), time.Now); err == nil || !strings.Contains(err.Error(), "--admin-password-file: Choose a password of at ") {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
	const typed = "cafe\u0301 au lait"
	a := open(t, given(typed))
	first, err := a.Found(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := a.Users.ByEmail(t.Context(), administrator.ApplicationID, first.AdminEmail)
	if err != nil {
		t.Fatal(err)
	}
	if right, err := u.HasPassword(t.Context(), a.Ring, typed); !right {
		t.Errorf("the password does not sign its administrator in: %v", err)
	}
}

// TestMalformedChoicesOnAFoundedStore are not looked at: a container goes on
// with the flags of its first start.
func TestMalformedChoicesOnAFoundedStore(t *testing.T) {
	c := configure(t)
	a := open(t, c)
	if _, err := a.Found(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	c.Founding.OwnerClientSecretFile = "/nonexistent/secret"
	if a := open(t, c); a.Instance == nil {
		t.Error("the instance is gone")
	}
}

// TestTheFirstStartIsAudited and holds no secret in the clear, sealed though
// the owner's is.
func TestTheFirstStartIsAudited(t *testing.T) {
	c := configure(t, "OSTIARY_PRESET=webmethods")
	a := open(t, c)
	first, err := a.Found(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := a.Clients.Get(t.Context(), first.ApplicationID, first.OwnerClientID)
	if err != nil {
		t.Fatal(err)
	}
	made, err := a.Applications.Get(t.Context(), first.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Operations.Shown(made, owner); err != nil || got != first.OwnerClientSecret {
		t.Errorf("the owner's secret cannot be seen again: %v", err)
	}
	if got := owner.Secrets[0].Hint; !strings.HasSuffix(first.OwnerClientSecret, got) || len(got) != 4 {
		t.Errorf("the hint is %q", got)
	}
	if want, _ := application.Preset("webmethods"); made.Settings != want {
		t.Errorf("settings %+v", made.Settings)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for action, want := range map[string]int{"application.create": 1, "client.create": 1, "administrator.create": 1, "key.create": 1} {
		if got := count(t, c.Data, "SELECT count(*) FROM audit_event WHERE action = ?", action); got != want {
			t.Errorf("%d events %s, want %d", got, action, want)
		}
	}
	for _, secret := range []string{first.OwnerClientSecret, first.AdminPassword} {
		if where := grep(t, c.Data, secret); where != "" {
			t.Errorf("a secret stands in the clear in %s", where)
		}
	}
}

// count asks the database file, beside the server or after it.
func count(t *testing.T, data, query string, args ...any) int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "ostiary.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var n int
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// grep gives the file below a directory that holds a text.
func grep(t *testing.T, directory, text string) (where string) {
	t.Helper()
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			where = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// TestSweep lets time pass and counts rows.
func TestSweep(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	for range 3 {
		answer := s.Do(http.MethodPost, "/"+s.ApplicationID+"/oauth2/token", s.OwnerID, s.OwnerSecret, "application/x-www-form-urlencoded", "grant_type=client_credentials")
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{time.Hour - time.Second, 3}, {time.Minute, 3}, {2 * time.Second, 0}} {
		s.Clock.Advance(step.pass)
		if more, err := s.App.Sweep(t.Context()); err != nil || more {
			t.Fatal(more, err)
		}
		if got := count(t, s.Data, "SELECT count(*) FROM family"); got != step.want {
			t.Errorf("after %v more: %d families, want %d", step.pass, got, step.want)
		}
	}
}

// TestTend: a key is published ahead of the day that it signs.
func TestTend(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {88 * 24 * time.Hour, 1}, {25 * time.Hour, 2}, {48 * time.Hour, 2}, {30 * time.Hour, 1}} {
		s.Clock.Advance(step.pass)
		if err := s.App.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
		document, _, err := s.App.Signers.JWKS(t.Context(), s.ApplicationID)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Count(document, []byte(`"kid"`)); got != step.want {
			t.Errorf("after %v more: %d keys, want %d", step.pass, got, step.want)
		}
	}
}

// TestRestart: what is kept is kept, and the clock goes on.
func TestRestart(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Settings: []string{"vendor_name=Example"}})
	before, url := s.App, s.URL
	s.Restart()
	if s.App == before || s.URL != url {
		t.Error("it is the same server, or elsewhere")
	}
	answer := s.Do(http.MethodGet, "/config/"+s.ApplicationID+"/clients", s.OwnerID, s.OwnerSecret, "", "")
	if answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
}
