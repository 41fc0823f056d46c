package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// fields are what a first start tells, no more and no less.
var fields = []string{"admin_email", "admin_password", "application_id", "data", "issuer", "owner_client_id", "owner_client_secret"}

// told reads what a first start told.
func told(t *testing.T, document []byte) process.Founding {
	t.Helper()
	var all map[string]string
	if err := json.Unmarshal(document, &all); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	var names []string
	for name, value := range all {
		names = append(names, name)
		if value == "" {
			t.Errorf("%s is empty", name)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, fields) {
		t.Errorf("the fields are %v; want %v", names, fields)
	}
	var f process.Founding
	if err := json.Unmarshal(document, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// private checks that nobody but its owner may read what is in a directory.
func private(t *testing.T, directory string) {
	t.Helper()
	info, err := os.Stat(directory)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("%s has mode %04o", directory, info.Mode().Perm())
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o", entry.Name(), info.Mode().Perm())
		}
	}
}

// works has the owner make a client that gets a token.
func works(t *testing.T, s *process.Server) {
	t.Helper()
	c := newClient(t, s.Owner(), "First client")
	if !active(t, c, newToken(t, c)) {
		t.Error("a token is not active")
	}
}

// TestInitTellsEverythingOnce: `ostiary init --json`, then `ostiary serve`.
func TestInitTellsEverythingOnce(t *testing.T) {
	onEach(t, func(t *testing.T, cluster *process.Cluster) {
		server := process.New(t, filepath.Join(t.TempDir(), "data"), cluster.Database())
		args := []string{"init", "--json", "--data", server.Data, "--public-url", server.PublicURL}
		if cluster != nil {
			args = append(args, "--database", server.Database)
		}
		out, err := process.Run(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		data := server.Data
		server.Founding = told(t, out)
		if server.Data != data || server.Issuer != server.PublicURL+"/"+server.ApplicationID || server.AdminEmail != "admin@localhost" {
			t.Errorf("told %+v", server.Founding)
		}
		again, err := process.Run(t, args...)
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 || len(again) != 0 {
			t.Errorf("a second init: %v, printed %q; want status 1 and nothing", err, again)
		}
		server.Start()
		works(t, server)
		private(t, server.Data)
		if _, err := os.Stat(filepath.Join(server.Data, "first-start.json")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("init left first-start.json: %v", err)
		}
	})
}

// TestInitTakesWhatItIsGiven: ids, secrets, presets, settings.
func TestInitTakesWhatItIsGiven(t *testing.T) {
	directory := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	server := process.Found(t, "", "--application-id", "my-app", "--owner-client-id", "the.owner", "--preset", "akamai",
		"--owner-client-secret-file", write("secret", "abcdefghijklmnopqrstuvwxyz\n"), "--admin-email", "Ops@Example.com",
		"--admin-password-file", write("password", "a password of ours\n"), "--set", "vendor_name=Example")
	want := process.Founding{
		ApplicationID: "my-app", Issuer: server.PublicURL + "/my-app", OwnerClientID: "the.owner",
		OwnerClientSecret: "abcdefghijklmnopqrstuvwxyz", AdminEmail: "ops@example.com", AdminPassword: "a password of ours", Data: server.Data,
	}
	if server.Founding != want {
		t.Errorf("told %+v; want %+v", server.Founding, want)
	}
	server.Start()
	works(t, server)
	var owner caller.Client
	must(t, http.StatusOK, &owner)(server.Owner().Config(t.Context(), http.MethodGet, "/clients/the.owner", nil))
	if owner.Secret != want.OwnerClientSecret {
		t.Error("the owner's own secret does not follow the policy")
	}
	answer := must(t, http.StatusBadRequest, nil)(server.Owner().Config(t.Context(), http.MethodPost, "/clients", map[string]any{"name": "X", "features": []string{"metadata"}}))
	if !strings.Contains(string(answer.Body), "by Example.") {
		t.Errorf("the vendor is not the one that was set: %s", answer.Body)
	}
}

// TestFirstStartWithoutTerminal: the secrets are in a file that only its owner
// may read, not in the log; a second start leaves it alone.
func TestFirstStartWithoutTerminal(t *testing.T) {
	onEach(t, func(t *testing.T, cluster *process.Cluster) {
		server := process.New(t, filepath.Join(t.TempDir(), "data"), cluster.Database())
		data := server.Data
		server.Start()
		path := filepath.Join(data, "first-start.json")
		first, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		server.Founding = told(t, first)
		private(t, data)
		works(t, server)
		if !strings.Contains(server.Logs(), path) {
			t.Error("the log does not say where the secrets are")
		}
		if status := server.Stop(); status != 0 {
			t.Errorf("exit status %d", status)
		}
		server.Start()
		works2 := newToken(t, server.Owner())
		if !active(t, server.Owner(), works2) {
			t.Error("a token is not active")
		}
		if second, err := os.ReadFile(path); err != nil || !bytes.Equal(first, second) {
			t.Errorf("a second start touched the file: %v", err)
		}
		for _, secret := range []string{server.OwnerClientSecret, server.AdminPassword} {
			if strings.Contains(server.Logs(), secret) {
				t.Error("a secret is in the log")
			}
		}
	})
}

// onTerminal starts the server on a terminal of its own and gives what it shows
// there by the time that it is ready and has ended.
func onTerminal(t *testing.T, server *process.Server, whileReady func(shown string)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, process.Binary(t), server.Command()...)
	cmd.Env = process.Environment()
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	shown := make(chan string, 1)
	serving := make(chan string, 1)
	go func() {
		var all bytes.Buffer
		buffer := make([]byte, 4096)
		for {
			n, err := terminal.Read(buffer)
			all.Write(buffer[:n])
			if strings.Contains(all.String(), "msg=serving") {
				select {
				case serving <- all.String():
				default:
				}
			}
			if err != nil { // EIO: the other side is closed
				shown <- all.String()
				return
			}
		}
	}()
	select {
	case text := <-serving:
		whileReady(text)
	case text := <-shown:
		t.Fatalf("the server ended:\n%s", text)
	case <-ctx.Done():
		t.Fatal("the server does not serve")
	}
	if _, err := io.WriteString(terminal, "\x03"); err != nil { // Ctrl-C
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	return strings.ReplaceAll(<-shown, "\r\n", "\n")
}

// TestFirstStartOnTerminal: the secrets are shown once, with commands that work
// as they stand there, and no file is left.
func TestFirstStartOnTerminal(t *testing.T) {
	server := process.New(t, filepath.Join(t.TempDir(), "data"), "")
	commands := regexp.MustCompile(`(?m)^ +(curl .+?)\r?$`)
	first := onTerminal(t, server, func(shown string) {
		lines := commands.FindAllStringSubmatch(shown, -1)
		if len(lines) < 2 {
			t.Errorf("%d commands are shown:\n%s", len(lines), shown)
		}
		for _, line := range lines {
			answer := run(t, nil, "bash", "-c", line[1]+" --fail --silent --show-error")
			if !json.Valid([]byte(answer)) {
				t.Errorf("%s: %s", line[1], answer)
			}
		}
	})
	secret := regexp.MustCompile(`Owner secret +(\S+)\n`).FindStringSubmatch(first)
	password := regexp.MustCompile(`Password +(\S+)\n`).FindStringSubmatch(first)
	if secret == nil || password == nil {
		t.Fatalf("no secrets are shown:\n%s", first)
	}
	second := onTerminal(t, server, func(string) {})
	if strings.Contains(second, secret[1]) || strings.Contains(second, password[1]) || strings.Contains(second, "curl") {
		t.Errorf("a second start shows secrets again:\n%s", second)
	}
	if _, err := os.Stat(filepath.Join(server.Data, "first-start.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a first-start.json as well: %v", err)
	}
	private(t, server.Data)
}

// TestSecondServerIsRefused: one server at a time has a data directory or a
// PostgreSQL database; a second one says why it does not start, changes nothing,
// and may start when the first one has ended, however that ended.
func TestSecondServerIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, cluster *process.Cluster) {
		first := process.Found(t, cluster.Database())
		first.Start()
		data, says := first.Data, "another ostiary has the data directory"
		if cluster != nil {
			data, says = filepath.Join(t.TempDir(), "elsewhere"), "another ostiary uses this database"
		}
		second := first.Beside(data)
		second.Flags = []string{"--master-key-file", filepath.Join(first.Data, "master.key")}
		for range 3 {
			second.Launch()
			if status := second.Await(); status != 1 {
				t.Errorf("the second server ended with status %d; want 1", status)
			}
		}
		if !strings.Contains(second.Logs(), says) {
			t.Errorf("the second server says %q; want %q", second.Logs(), says)
		}
		works(t, first)
		first.Kill()
		second.PublicURL = first.PublicURL
		second.Start()
	})
}
