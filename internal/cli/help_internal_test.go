package cli

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write testdata/help.golden anew")

// TestHelp compares the help of every command with what was looked at when it
// was written: go test ./internal/cli -run TestHelp -update writes it anew.
func TestHelp(t *testing.T) {
	var got bytes.Buffer
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		got.WriteString("$ " + c.CommandPath() + " --help\n")
		c.SetOut(&got)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		got.WriteString("\n")
		for _, below := range c.Commands() {
			if !below.Hidden && below.Name() != "help" && below.Name() != "completion" {
				walk(below)
			}
		}
	}
	walk(newRoot())
	const file = "testdata/help.golden"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the help is not that of %s; look at it and run with -update:\n%s", file, firstDifference(got.String(), string(want)))
	}
}

func firstDifference(got, want string) string {
	expected := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(expected) || line != expected[i] {
			return "+ " + line
		}
	}
	return "it is shorter"
}
