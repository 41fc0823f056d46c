package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/store"
)

func nothing(int64) {}

// noted makes an event, which tells later of which moment a database is.
func noted(t *testing.T, db *store.DB, action string) {
	t.Helper()
	if err := db.Audit().Record(t.Context(), audit.New(audit.System(), "app", action, "x", time.Now())); err != nil {
		t.Fatal(err)
	}
}

func actions(t *testing.T, db *store.DB) string {
	t.Helper()
	events, _, err := db.Audit().Events(t.Context(), "app", store.Cursor{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range events {
		list = append(list, e.Action)
	}
	return strings.Join(list, " ")
}

func wantFiles(t *testing.T, directory string, want ...string) {
	t.Helper()
	found, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range found {
		names = append(names, f.Name())
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %v, want %v", directory, names, want)
	}
}

// A backup is of one moment of a server that runs, and can be restored where no
// database is.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	data, backups := t.TempDir(), t.TempDir()
	file := filepath.Join(backups, "b.db")
	db, err := store.Open(t.Context(), store.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	noted(t, db, "before")
	if err := os.WriteFile(file+".partial-1", []byte("of one that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Backup(t.Context(), store.Options{Data: data}, file, nothing); err != nil {
		t.Fatal(err)
	}
	noted(t, db, "after")
	wantFiles(t, backups, "b.db")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := store.Backup(t.Context(), store.Options{Data: data}, file, nothing); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a second backup into one file: %v", err)
	}
	restored := filepath.Join(t.TempDir(), "deeper")
	var read int64
	restore := func(data string, finish func(*store.DB) error) error {
		return store.Restore(t.Context(), store.Options{Data: data}, file, func(n int64) { read = n }, finish)
	}
	// What breaks off leaves nothing behind.
	refused := errors.New("refused")
	if err := restore(restored, func(*store.DB) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("refused: %v", err)
	}
	wantFiles(t, restored, "ostiary.lock")
	// Nor does one that was killed, or another database, leave what would count.
	if err := os.MkdirAll(filepath.Join(restored, "restoring", "deeper"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(restored, "search.db"), []byte("of another database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := restore(restored, func(db *store.DB) error { noted(t, db, "restored"); return nil }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() != read {
		t.Errorf("%d of %d bytes were read: %v", read, info.Size(), err)
	}
	wantFiles(t, restored, store.FileName, "ostiary.lock")
	if err := restore(restored, nil); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("restored over a database: %v", err)
	}
	if err := restore(data, nil); err == nil || !strings.Contains(err.Error(), "another ostiary") {
		t.Errorf("restored under a server: %v", err)
	}
	again, err := store.Open(t.Context(), store.Options{Data: restored})
	if err != nil {
		t.Fatal(err)
	}
	if got := actions(t, again); got != "restored before" {
		t.Errorf("the events are %q", got)
	}
	if err := errors.Join(db.Close(), again.Close()); err != nil {
		t.Error(err)
	}
}

// Where SQLite could not bring the log over, what finish did is not in the file.
func TestRestoreWritesAll(t *testing.T) {
	t.Parallel()
	data, file, target := t.TempDir(), filepath.Join(t.TempDir(), "b.db"), t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(store.Backup(t.Context(), store.Options{Data: data}, file, nothing), db.Close()); err != nil {
		t.Fatal(err)
	}
	var reader *sql.DB
	err = store.Restore(t.Context(), store.Options{Data: target}, file, nothing, func(db *store.DB) error {
		var err error
		if reader, err = sql.Open("sqlite", filepath.Join(target, "restoring", store.FileName)); err != nil {
			return err
		}
		reader.SetMaxOpenConns(1)
		if _, err := reader.ExecContext(t.Context(), `BEGIN; SELECT count(*) FROM audit_event`); err != nil {
			return err
		}
		noted(t, db, "restored")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "is the disk full?") {
		t.Errorf("restored without its log: %v", err)
	}
	wantFiles(t, target, "ostiary.lock")
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}

// Of two backups to one name at once, none takes what the other has not finished
// for its own.
func TestBackupsAtOnce(t *testing.T) {
	t.Parallel()
	data, backups := t.TempDir(), t.TempDir()
	file := filepath.Join(backups, "b.db")
	db, err := store.Open(t.Context(), store.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		var running sync.WaitGroup
		for range 4 {
			running.Go(func() {
				if store.Backup(t.Context(), store.Options{Data: data}, file, nothing) != nil {
					return
				}
				err := store.Restore(t.Context(), store.Options{Data: t.TempDir()}, file, nothing, func(*store.DB) error { return nil })
				if err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	wantFiles(t, backups)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// A copy of the files of a server that was killed is restored with its log.
func TestRestoreWithLog(t *testing.T) {
	t.Parallel()
	data, copied := t.TempDir(), t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	noted(t, db, "in the log")
	for _, name := range []string{store.FileName + "-wal", store.FileName} {
		content, err := os.ReadFile(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	said := ""
	restored := t.TempDir()
	err = store.Restore(t.Context(), store.Options{Data: restored}, filepath.Join(copied, store.FileName), nothing, func(db *store.DB) error {
		said = actions(t, db)
		return nil
	})
	if err != nil || said != "in the log" {
		t.Errorf("the events are %q, %v", said, err)
	}
	wantFiles(t, restored, store.FileName, "ostiary.lock")
}

// What is no whole backup is refused, and leaves nothing behind.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	data, files := t.TempDir(), t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(data, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	for i := len(damaged) / 2; i < len(damaged)/2+8192; i++ {
		damaged[i] = 0xff
	}
	for name, content := range map[string][]byte{"empty": nil, "text": []byte(strings.Repeat("no database\n", 1000)), "cut": whole[:len(whole)/2], "damaged": damaged} {
		path := filepath.Join(files, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		target := t.TempDir()
		err := store.Restore(t.Context(), store.Options{Data: target}, path, nothing, func(*store.DB) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "is no backup of a database of Ostiary, or it is damaged") {
			t.Errorf("%s: %v", name, err)
		}
		wantFiles(t, target, "ostiary.lock")
	}
	err = store.Restore(t.Context(), store.Options{Data: t.TempDir()}, filepath.Join(files, "nowhere"), nothing, nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	target := t.TempDir()
	if err := store.Restore(stopped, store.Options{Data: target}, filepath.Join(data, store.FileName), nothing, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	wantFiles(t, target, "ostiary.lock")
	if err := store.Backup(stopped, store.Options{Data: data}, filepath.Join(files, "b"), nothing); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	wantFiles(t, files, "cut", "damaged", "empty", "text")
}
