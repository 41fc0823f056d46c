// Package docs_test keeps the documents true: the commands in them are run
// against a real server on an empty directory, their links lead somewhere, and
// the table of settings is the one that the program has. It owns no other test.
package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/loopback"
	"github.com/ostiary/ostiary/test/process"
)

func TestMain(m *testing.M) { os.Exit(process.Main(m)) }

// documents gives every Markdown file of the repository, by its path from the
// top.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"../*.md", "*.md", "*/*.md", "../bench/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = string(text)
		}
	}
	return texts
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinks(t *testing.T) {
	for path, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), target)); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", path, m[1])
			}
		}
	}
}

// TestConfigurationTable wants one row for each flag: flag, variable, key,
// default, meaning. It prints the row that is missing.
func TestConfigurationTable(t *testing.T) {
	text, err := os.ReadFile("configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("all", pflag.ContinueOnError)
	config.Bind(flags, config.Serve|config.Init|config.Database|config.Keys)
	rows := 0
	flags.VisitAll(func(f *pflag.Flag) {
		rows++
		row := configurationRow(f)
		if !bytes.Contains(text, []byte("\n"+row+"\n")) {
			t.Errorf("configuration.md lacks the row\n%s", row)
		}
	})
	if got := bytes.Count(text, []byte("\n| `--")); got != rows {
		t.Errorf("configuration.md has %d rows for %d flags", got, rows)
	}
}

func configurationRow(f *pflag.Flag) string {
	key := strings.ReplaceAll(f.Name, "-", "_")
	initial := ""
	if f.DefValue != "" {
		initial = "`" + f.DefValue + "`"
	}
	inFile := "`" + key + "`"
	if f.Name == "config" {
		inFile = ""
	}
	return fmt.Sprintf("| `--%s` | `OSTIARY_%s` | %s | %s | %s |", f.Name, strings.ToUpper(key), inFile, initial, strings.ReplaceAll(f.Usage, "`", ""))
}

// TestCommandLineTable wants one row for each flag that says which server is
// called and as whom.
func TestCommandLineTable(t *testing.T) {
	text, err := os.ReadFile("command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("remote", pflag.ContinueOnError)
	config.Bind(flags, config.Remote)
	flags.VisitAll(func(f *pflag.Flag) {
		variable := strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		row := fmt.Sprintf("| `--%s` | `OSTIARY_%s` | %s |", f.Name, variable, strings.ReplaceAll(f.Usage, "`", ""))
		if !bytes.Contains(text, []byte("\n"+row+"\n")) {
			t.Errorf("command-line.md lacks the row\n%s", row)
		}
	})
}

// named finds what docs/standards.md names: files, and tests in them.
var named = regexp.MustCompile("`([a-zA-Z0-9_/.]+\\.go)(?: (Test\\w+|Fuzz\\w+))?`")

func TestStandardsNameWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("standards.md")
	if err != nil {
		t.Fatal(err)
	}
	found := named.FindAllSubmatch(text, -1)
	if len(found) == 0 {
		t.Fatal("standards.md names no file")
	}
	for _, m := range found {
		source, err := os.ReadFile(filepath.Join("..", string(m[1])))
		if err != nil {
			t.Errorf("standards.md names %s, which is not there", m[1])
		} else if len(m[2]) > 0 && !bytes.Contains(source, []byte("func "+string(m[2])+"(")) {
			t.Errorf("standards.md names %s, which is not in %s", m[2], m[1])
		}
	}
}

// block is a fenced block that says what it is for: `sh server` starts a server
// and stays, `sh runnable` runs to its end, and `text output` is what the block
// before it prints, with … for anything.
var block = regexp.MustCompile("(?ms)^```(sh server|sh runnable|text output)\n(.*?)^```$")

// prelude stands in for what a reader has: the repository's command, and the
// values that the first start showed. ready waits for the server.
const prelude = `set -euo pipefail
go() { shift 2; ${replace:-} ostiary "$@"; } # "go run ./cmd/ostiary", built once
paste() { # the line that the first start prints on a terminal
	export OSTIARY_SERVER=http://127.0.0.1:8080 OSTIARY_APPLICATION=$(value application_id) \
		OSTIARY_CLIENT_ID=$(value owner_client_id) OSTIARY_CLIENT_SECRET=$(value owner_client_secret)
}
value() { sed -n 's/^ *"'"$1"'": "\(.*\)",\{0,1\}$/\1/p' ostiary-data/first-start.json; }
ready() {
	for _ in $(seq 200); do
		curl -fsS -o /dev/null http://127.0.0.1:9090/readyz 2>/dev/null && return
		kill -0 "$server" || return
		sleep 0.05
	done
	echo 'the server did not get ready' >&2
	return 1
}
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }' EXIT
`

// TestCommands runs, document by document, the blocks that say they can be run.
func TestCommands(t *testing.T) {
	ran := 0
	for path, text := range documents(t) {
		blocks := block.FindAllStringSubmatch(text, -1)
		if len(blocks) == 0 {
			continue
		}
		ran++
		t.Run(path, func(t *testing.T) { runBlocks(t, blocks) })
	}
	if ran == 0 {
		t.Fatal("no document has a block that can be run")
	}
}

func runBlocks(t *testing.T, blocks [][]string) {
	t.Helper()
	dir, serve, ops := t.TempDir(), loopback.Free(t), loopback.Free(t)
	here := strings.NewReplacer("127.0.0.1:8080", serve, "127.0.0.1:9090", ops)

	// Before the clock starts: the first call builds it.
	path := filepath.Dir(process.Binary(t)) + string(os.PathListSeparator) + os.Getenv("PATH")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, "bash", "-c", here.Replace(script(blocks)))
	run.Dir = dir
	run.Env = append(os.Environ(), "PATH="+path, "OSTIARY_LISTEN="+serve, "OSTIARY_OPS_LISTEN="+ops)
	run.WaitDelay = 10 * time.Second
	if log, err := run.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, log)
		for i := range blocks {
			said, _ := os.ReadFile(filepath.Join(dir, fmt.Sprintf("output.%d", i)))
			t.Logf("block %d said\n%s", i, said)
		}
		return
	}
	for i, b := range blocks {
		if b[1] != "text output" {
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("output.%d", i-1)))
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.TrimSpace(here.Replace(b[2])); !pattern(want).Match(bytes.TrimSpace(got)) {
			t.Errorf("this block\n%s\nprints\n%s\nrather than\n%s", blocks[i-1][2], got, want)
		}
	}
}

// script is one program for all blocks of a document, so that later ones see
// the variables of earlier ones; block i prints into output.i.
func script(blocks [][]string) string {
	var s strings.Builder
	s.WriteString(prelude)
	for i, b := range blocks {
		switch b[1] {
		case "sh server":
			fmt.Fprintf(&s, "( replace=exec\n%s) > output.%d 2>&1 &\nserver=$!\nready || { cat output.%d; exit 1; }\n", b[2], i, i)
			s.WriteString("if [ -e ostiary-data/first-start.json ]; then paste; fi\n")
		case "sh runnable":
			fmt.Fprintf(&s, "exec >output.%d 2>&1\n%s", i, b[2])
		}
	}
	return s.String()
}

var (
	execStart = regexp.MustCompile(`(?m)^ExecStart=(.+)$`)
	example   = regexp.MustCompile("(?ms)^ *```yaml\n(.*?)^ *```$")
)

// TestService starts the server as the unit does, with the configuration that
// its page shows, and stops it as systemd would.
func TestService(t *testing.T) {
	unit, err := os.ReadFile("../deploy/systemd/ostiary.service")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("run-as-a-service.md")
	if err != nil {
		t.Fatal(err)
	}
	start, written := execStart.FindSubmatch(unit), example.FindSubmatch(page)
	if start == nil || written == nil {
		t.Fatal("the unit has no ExecStart, or its page no configuration")
	}
	dir, ops := t.TempDir(), loopback.Free(t)
	here := strings.NewReplacer("/usr/local/bin/ostiary", process.Binary(t), "/etc/ostiary", dir, "/var/lib/ostiary", dir+"/data",
		"127.0.0.1:8080", loopback.Free(t), "127.0.0.1:9090", ops)
	if err := os.WriteFile(filepath.Join(dir, "ostiary.yaml"), []byte(here.Replace(string(written[1]))), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, "bash", "-c", here.Replace(prelude+string(start[1])+" &\nserver=$!\nready\nkill $server\nwait $server\nserver=\n"))
	run.Env = append(os.Environ(), "OSTIARY_OPS_LISTEN="+ops)
	run.WaitDelay = 10 * time.Second
	if log, err := run.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
	info, err := os.Stat(filepath.Join(dir, "data", "first-start.json"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("first-start.json has mode %04o", info.Mode().Perm())
	}
}

// pattern matches a text in which … stands for anything.
func pattern(text string) *regexp.Regexp {
	return regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(text), "…", ".*") + "$")
}
