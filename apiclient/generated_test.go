package apiclient_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestWhatIsCommittedIsGenerated generates again and compares: the document, so
// that a change of the API shows in its review, and the client.
func TestWhatIsCommittedIsGenerated(t *testing.T) {
	document := command(t, "go", "run", "./apiclient/internal/document")
	equal(t, "openapi-3.0.json", document)

	dir := t.TempDir()
	from := filepath.Join(dir, "openapi.json")
	if err := os.WriteFile(from, document, 0o600); err != nil {
		t.Fatal(err)
	}
	client := filepath.Join(dir, "client.gen.go")
	command(t, "go", "tool", "-modfile=tools/go.mod", "oapi-codegen", "-config", "apiclient/generate.yaml", "-o", client, from)
	generated, err := os.ReadFile(client)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "client.gen.go", generated)
}

// command runs a program at the top of the repository.
func command(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	run := exec.CommandContext(t.Context(), name, args...)
	run.Dir = ".."
	var errs bytes.Buffer
	run.Stderr = &errs
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, &errs)
	}
	return out
}

func equal(t *testing.T, file string, want []byte) {
	t.Helper()
	committed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, want) {
		t.Errorf("%s is not what is generated now: run make generate and commit what it writes", file)
	}
}
