package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ostiary/ostiary/internal/loopback"
)

// terminal opens a pseudo-terminal.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = theirs.Close() })
	return ours, theirs
}

var printed = regexp.MustCompile(`(?s)shown once.*Owner client +(\S+)\r?\n.*Owner secret +(\S+)\r?\n`)

// TestTheFirstStartOnATerminal reads what a person sees, pastes the commands
// into a shell, and finds the secrets nowhere else.
func TestTheFirstStartOnATerminal(t *testing.T) {
	ours, theirs := terminal(t)
	dir, main, ops := t.TempDir(), loopback.Free(t), loopback.Free(t)
	serve := exec.CommandContext(t.Context(), "ostiary", "serve", "--data", filepath.Join(dir, "data"), "--listen", main, "--ops-listen", ops, "--drain-delay", "0s")
	serve.Stdout = theirs
	log, err := serve.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	screen := readUntil(t, ours, "oauth2/token")
	found := printed.FindStringSubmatch(screen)
	if found == nil {
		t.Fatalf("the screen shows\n%s", screen)
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() && !strings.Contains(lines.Text(), "msg=serving") {
	}
	exported := "false"
	for line := range strings.SplitSeq(screen, "\n") {
		if _, command, ok := strings.Cut(line, "curl "); ok {
			pasted(t, "curl -fsS "+strings.TrimSpace(command))
		}
		if _, variables, ok := strings.Cut(line, "export "); ok {
			exported = "export " + strings.TrimSpace(variables)
		}
	}
	// With one line of it the commands know whom to ask, and as whom.
	pasted(t, exported+"; ostiary application show $OSTIARY_APPLICATION --json")
	pasted(t, exported+`; curl -fsS -u "$OSTIARY_CLIENT_ID:$OSTIARY_CLIENT_SECRET" $OSTIARY_SERVER/api/v1/applications`)
	if _, err := os.Stat(filepath.Join(dir, "data", "first-start.json")); !os.IsNotExist(err) {
		t.Errorf("the secrets are in a file too: %v", err)
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(log)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(rest, []byte(found[2])) {
		t.Error("the log has the secret")
	}
	if err := serve.Wait(); err != nil {
		t.Error(err)
	}
}

// readUntil reads the screen until the end of the line that has a word.
func readUntil(t *testing.T, from io.Reader, word string) string {
	t.Helper()
	var screen strings.Builder
	in := bufio.NewReader(from)
	for !strings.Contains(screen.String(), word) {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("%v; the screen shows\n%s", err, screen.String())
		}
		screen.WriteString(line)
	}
	return screen.String()
}

// pasted runs a command and wants JSON from it.
func pasted(t *testing.T, command string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
	if err != nil || !json.Valid(out) {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
}

// TestASecondSignalStopsAtOnce has a server whose drain takes an hour.
func TestASecondSignalStopsAtOnce(t *testing.T) {
	dir, main, ops := t.TempDir(), loopback.Free(t), loopback.Free(t)
	serve := exec.CommandContext(t.Context(), "ostiary", "serve", "--data", filepath.Join(dir, "data"), "--listen", main, "--ops-listen", ops, "--drain-delay", "1h")
	log, err := serve.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		switch {
		case strings.Contains(lines.Text(), "msg=serving"):
			readiness(t, ops, http.StatusOK)
			_ = serve.Process.Signal(syscall.SIGTERM)
		case strings.Contains(lines.Text(), "msg=stopping"):
			readiness(t, ops, http.StatusServiceUnavailable)
			_ = serve.Process.Signal(syscall.SIGTERM)
		}
	}
	_ = serve.Wait()
	if got := serve.ProcessState.ExitCode(); got != 1 {
		t.Errorf("exit status %d, want 1", got)
	}
}

// readiness wants a status of /readyz, as soon as anybody answers there.
func readiness(t *testing.T, ops string, want int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ops+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != want {
		t.Errorf("/readyz is %d, want %d", answer.StatusCode, want)
	}
}

// TestAPromptThatIsLeftShowsWhatIsTyped interrupts the question for a password.
func TestAPromptThatIsLeftShowsWhatIsTyped(t *testing.T) {
	_, theirs := terminal(t)
	echoes := func() bool {
		state, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return state.Lflag&unix.ECHO != 0
	}
	ask := exec.CommandContext(t.Context(), "ostiary", "user", "set-password", "x", "--server", "http://"+loopback.Free(t), "--application", "shop", "--client-id", "boss")
	ask.Env = append(os.Environ(), "OSTIARY_CLIENT_SECRET=sesame")
	ask.Stdin = theirs
	if err := ask.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); echoes() && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // another process: there is nothing to wait on
	}
	if err := ask.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := ask.Wait(); err == nil {
		t.Error("an interrupt is no failure")
	}
	if !echoes() {
		t.Error("the terminal goes on showing nothing")
	}
}
