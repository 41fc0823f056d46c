package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/servertest"
)

// TestWhatCannotBeUndoneIsAskedFor answers the question on a terminal.
func TestWhatCannotBeUndoneIsAskedFor(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	first, err := json.Marshal(map[string]string{
		"application_id": s.ApplicationID, "issuer": s.Issuer, "owner_client_id": s.OwnerID, "owner_client_secret": s.OwnerSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	credentials := t.TempDir() + "/first-start.json"
	if err := os.WriteFile(credentials, first, 0o600); err != nil {
		t.Fatal(err)
	}
	ostiary := func(args ...string) *exec.Cmd {
		return exec.CommandContext(t.Context(), "ostiary", append(args, "--credentials", credentials)...)
	}
	if out, err := ostiary("client", "create", "Billing", "--id", "billing", "--kind", "service").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// What a file prunes takes more than a yes.
	file := t.TempDir() + "/none.yaml"
	if err := os.WriteFile(file, []byte("scopes: []\nclients: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := ostiary("scope", "create", "old").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, answer := range []string{"yes\n", "delete 1\n"} {
		ours, theirs := terminal(t)
		if _, err := ours.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		run := ostiary("apply", "-f", file, "--prune")
		run.Stdin = theirs
		out, _ := run.CombinedOutput()
		if got := run.ProcessState.ExitCode(); got != 1 || !strings.Contains(string(out), "Type delete 2 to go on") {
			t.Errorf("%q: exit status %d: %s", answer, got, out)
		}
	}
	for _, test := range []struct {
		answer string
		status int
		says   string
	}{
		{"\n", 1, "nothing was done"},
		{"y\n", 1, "nothing was done"},
		{"yes\n", 0, "deleted the client billing (Billing)"},
		{"yes\n", 3, "There is no such client"},
	} {
		ours, theirs := terminal(t)
		if _, err := ours.WriteString(test.answer); err != nil {
			t.Fatal(err)
		}
		run := ostiary("client", "delete", "billing")
		run.Stdin = theirs
		out, _ := run.CombinedOutput()
		if got := run.ProcessState.ExitCode(); got != test.status || !strings.Contains(string(out), test.says) {
			t.Errorf("%q: exit status %d, want %d: %s", test.answer, got, test.status, out)
		}
		if test.status < 3 && !strings.Contains(string(out), "Its secret and all its tokens die with it") {
			t.Errorf("it is not said what is hit: %s", out)
		}
	}
	ours, theirs := terminal(t)
	if _, err := ours.WriteString("delete 1\n"); err != nil {
		t.Fatal(err)
	}
	run := ostiary("apply", "-f", file, "--prune")
	run.Stdin = theirs
	if out, err := run.CombinedOutput(); err != nil || !strings.Contains(string(out), "deleted scope old") {
		t.Errorf("%v: %s", err, out)
	}
}
