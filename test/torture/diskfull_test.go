package torture_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// smallDisk mounts a file system of its own for a test, and takes it down after.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	directory := t.TempDir()
	mount := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", megabytes), "ostiary-test", directory)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Fatalf("a small disk is needed, and mounting one needs root (or a namespace where mounting is allowed: unshare --map-root-user --mount make torture): %v: %s", err, out)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(directory, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return directory
}

// fill takes all the space that is left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// refusals are the requests that write, with the form in which each says 503.
func refusals(t *testing.T, owner *caller.Caller, serial int) map[string]func() (*caller.Answer, error) {
	t.Helper()
	ctx := t.Context()
	return map[string]func() (*caller.Answer, error){
		`{"errors":"Service unavailable."}`: func() (*caller.Answer, error) {
			return owner.Config(ctx, http.MethodPost, "/clients", map[string]any{"name": fmt.Sprintf("Refused %d", serial)})
		},
		`temporarily_unavailable`: func() (*caller.Answer, error) { return owner.Token(ctx) },
	}
}

// TestDiskFull fills the disk under the server. Writes are refused in the form
// of their surface, reads go on, nothing acknowledged is lost, nothing refused
// is stored; with space again writes go on, without a restart.
func TestDiskFull(t *testing.T) {
	disk := smallDisk(t, 48)
	// Without a preset: where secrets are revealed each look is audited, so that
	// even a GET writes.
	server := process.FoundIn(t, filepath.Join(disk, "data"), "")
	server.Flags = manyFailures
	server.Start()
	s := &siege{t: t, server: server, owner: server.Owner()}
	w := newWriter(0, s.owner, &s.figures, 1)
	s.writers = []*writer{w}
	fillUntilRefused(t, s, w, filepath.Join(disk, "filler"))

	refused := 0
	for serial := range 50 {
		for form, request := range refusals(t, s.owner, serial) {
			answer, err := request()
			if err != nil {
				t.Fatalf("a full disk and no answer: %v\n%s", err, server.Logs())
			}
			if err := unavailable(answer, form); err != nil {
				t.Fatal(err)
			}
			refused++
		}
	}
	s.examine(true) // reads go on

	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for w.create(t.Context()) != nil {
		if time.Now().After(deadline) {
			t.Fatalf("there is space again, but no write succeeds\n%s", server.Logs())
		}
	}
	for range 100 {
		if err := w.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.examine(true)
	server.Kill()
	server.Start()
	s.examine(true)
	s.list()
	for _, query := range []string{`SELECT count(*) FROM client WHERE name LIKE 'Refused %'`, `SELECT count(*) FROM audit_event WHERE after LIKE '%Refused %'`} {
		if n := server.Number(t, query); n != 0 {
			t.Errorf("%s: %d; what was refused must not be stored", query, n)
		}
	}
	t.Logf("disk full: %d writes acknowledged around it, none lost; %d refused with 503, none stored; %d requests had no outcome", s.figures.acknowledged(), refused, s.figures.unknown.Load())
}

// fillUntilRefused fills the disk and writes until a write is refused: the
// database has room in its own files for some more.
func fillUntilRefused(t *testing.T, s *siege, w *writer, filler string) {
	t.Helper()
	for range 100 {
		if err := w.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, filler)
	for range 200_000 {
		err := w.step(t.Context())
		if errors.Is(err, errLost) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("%d writes after the disk was full, and none was refused", s.figures.acknowledged())
}

// unavailable checks an answer for "the state cannot be known": 503, when to
// try again, and the form of its surface.
func unavailable(answer *caller.Answer, form string) error {
	if answer.Status != http.StatusServiceUnavailable {
		return fmt.Errorf("answered %d rather than 503: %s", answer.Status, answer.Body)
	}
	if answer.Header.Get("Retry-After") == "" {
		return fmt.Errorf("503 without Retry-After: %s", answer.Body)
	}
	if !answer.IsJSON() {
		return fmt.Errorf("503 that is not JSON: %s", answer.Body)
	}
	var document map[string]any
	if err := answer.Into(http.StatusServiceUnavailable, &document); err != nil {
		return err
	}
	if string(compact(answer.Body)) != form && document["error"] != form {
		return fmt.Errorf("503 says %s; want %s", answer.Body, form)
	}
	return nil
}

// TestIOErrorStopsTheServer has a write fail in a way after which nobody knows
// what is on disk (beyond the limit of a file's size SQLite sees an I/O error):
// the server answers what is under way 503 and stops with status 1 rather than
// guess; what it acknowledged is there when it is started again.
func TestIOErrorStopsTheServer(t *testing.T) {
	s := newSiege(t, "")
	s.server.Under = []string{"prlimit", "--fsize=2000000"}
	s.start()
	ended := s.server.Ended()
	s.round(func() {
		for w := newWriter(writers, s.owner, &s.figures, 1); ; {
			if err := w.create(t.Context()); errors.Is(err, errLost) {
				s.writers = append(s.writers, w)
				return
			} else if err != nil {
				t.Fatal(err)
			}
		}
	})
	<-ended
	if status := s.server.Await(); status != 1 {
		t.Errorf("exit status %d after an I/O error; want 1", status)
	}
	if !strings.Contains(s.server.Logs(), "the server stops rather than guess") {
		t.Errorf("the log does not say why it stopped:\n%s", s.server.Logs())
	}
	s.server.Under = nil
	s.start()
	s.examine(true)
	s.list()
	t.Logf("an I/O error stopped the server; %d writes acknowledged before, none lost; %d requests without an answer", s.figures.acknowledged(), s.figures.unknown.Load())
}
