package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/cli"
	"github.com/ostiary/ostiary/internal/core/client/clienttest"
	"github.com/ostiary/ostiary/internal/servertest"
)

// caller runs commands in this process against a server in it.
type caller struct {
	credentials string
	dir         string
}

// newCaller starts a server with an application that has these settings.
func newCaller(t *testing.T, settings ...string) *caller {
	t.Helper()
	s := servertest.Start(t, servertest.Options{Settings: settings})
	c := &caller{dir: t.TempDir()}
	first, err := json.Marshal(map[string]string{
		"application_id": s.ApplicationID, "issuer": s.URL + "/" + s.ApplicationID,
		"owner_client_id": s.OwnerID, "owner_client_secret": s.OwnerSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.credentials = c.write(t, "first-start.json", first)
	return c
}

func (c *caller) write(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (c *caller) run(args ...string) (status int, out, errs string) {
	var o, e bytes.Buffer
	status = cli.Run(append(args, "--credentials", c.credentials), &o, &e)
	return status, o.String(), e.String()
}

// apply applies a document and gives what became of its last record.
func (c *caller) apply(t *testing.T, document []byte) (status int, last map[string]any, errs string) {
	t.Helper()
	status, out, errs := c.run("apply", "-f", c.write(t, "file.yaml", document), "--yes", "--json")
	var said struct {
		Changes []map[string]any `json:"changes"`
	}
	if status == 0 {
		if err := json.Unmarshal([]byte(out), &said); err != nil || len(said.Changes) == 0 {
			t.Fatalf("%v in %s", err, out)
		}
		last = said.Changes[len(said.Changes)-1]
	}
	return status, last, errs
}

// TestFieldsByApply tries every value of every field of a client: what is
// refused is refused by its name before anything is written, what is accepted is
// what the API answers then, and applying it again has nothing to do.
func TestFieldsByApply(t *testing.T) {
	callers := map[[2]bool]*caller{}
	for _, kind := range [][2]bool{{}, {true, false}, {false, true}, {true, true}} {
		callers[kind] = callerOf(t, kind)
	}
	for i, test := range clienttest.Cases() {
		if test.Field == "secret" {
			continue // it never stands in a file
		}
		t.Run(test.Name(), func(t *testing.T) {
			tryByApply(t, callers[[2]bool{test.OAuth2, test.Optional}], test, fmt.Sprintf("Case %d", i))
		})
	}
}

func tryByApply(t *testing.T, c *caller, test clienttest.Case, name string) {
	t.Helper()
	document := fmt.Appendf(nil, `{"clients": [%s]}`, test.Document(name))
	status, made, errs := c.apply(t, document)
	if test.Refused != "" {
		if status != 2 || !strings.Contains(errs, test.Refused) {
			t.Errorf("exit status %d, want 2 and %s: %s", status, test.Refused, errs)
		}
		return
	}
	if status != 0 || made["action"] != "create" {
		t.Fatalf("exit status %d, %v: %s", status, made, errs)
	}
	id, _ := made["id"].(string)
	status, out, errs := c.run("client", "show", id, "--json")
	var shown map[string]json.RawMessage
	if err := json.Unmarshal([]byte(out), &shown); status != 0 || err != nil {
		t.Fatalf("exit status %d, %v: %s", status, err, errs)
	}
	if test.Want != "" && string(shown[test.Field]) != test.Want {
		t.Errorf("%s is %s, want %s", test.Field, shown[test.Field], test.Want)
	}
	// As it was written, and as it is shown, it is what there is.
	for _, again := range [][]byte{document, fmt.Appendf(nil, `{"clients": [%s]}`, out)} {
		if status, last, errs := c.apply(t, again); status != 0 || last["action"] != "unchanged" {
			t.Errorf("again: exit status %d, %v: %s", status, last, errs)
		}
	}
}

// callerOf starts a server for the cases of a security profile and a scope
// policy, with the scopes that they name.
func callerOf(t *testing.T, kind [2]bool) *caller {
	t.Helper()
	settings := []string{"security_profile=oauth2.1", "scope_policy=enforced"}
	if kind[0] {
		settings[0] = "security_profile=oauth2"
	}
	if kind[1] {
		settings[1] = "scope_policy=optional"
	}
	c := newCaller(t, settings...)
	for name, of := range clienttest.Scopes {
		if status, _, errs := c.run("scope", "create", name, "--kind", string(of)); status != 0 {
			t.Fatal(errs)
		}
	}
	return c
}
