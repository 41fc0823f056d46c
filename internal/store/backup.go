package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Backup writes the SQLite database of a directory, as it is at one moment, into
// a new file that only its owner may read. A server may run: nobody waits for
// it; progress hears now and then how much is written. When it returns, the file
// is whole and on disk, or not there.
func Backup(ctx context.Context, options Options, path string, progress func(bytes int64)) (err error) {
	pool, err := openFile(options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%s is there already; name a new file", path))
	}
	partial, err := createPartial(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(partial)
		}
	}()
	stop := watchSize(partial, progress)
	_, err = pool.ExecContext(ctx, `VACUUM INTO ?`, partial)
	stop()
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := syncFile(partial); err != nil {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// createPartial makes the file that a backup is written to before it has its
// name, and removes what backups to that name left that were killed. One that
// runs at the same time fails then: each has a file of its own, so that neither
// takes what the other has not finished for its own.
func createPartial(path string) (string, error) {
	directory, prefix := filepath.Dir(path), filepath.Base(path)+".partial-"
	left, err := os.ReadDir(directory)
	if err != nil {
		return "", err
	}
	for _, l := range left {
		if strings.HasPrefix(l.Name(), prefix) {
			if err := os.Remove(filepath.Join(directory, l.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		}
	}
	f, err := os.CreateTemp(directory, prefix) // of mode 0600
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// watchSize tells of the size of a file until it is stopped.
func watchSize(path string, progress func(bytes int64)) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
			if info, err := os.Stat(path); err == nil {
				progress(info.Size())
			}
		}
	}()
	return func() { close(ended); <-done }
}

// Restore puts a backup into a directory that has no database, brings its schema
// up to date, and lets finish change it, all before the directory has one: a
// restore that broke off is begun anew, and what it left goes then. progress
// hears how much was copied.
func Restore(ctx context.Context, options Options, backup string, progress func(bytes int64), finish func(*DB) error) (err error) {
	if err := os.MkdirAll(options.Data, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	lock, err := lockDirectory(options.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlockDirectory(lock)) }()
	target := filepath.Join(options.Data, FileName)
	for _, path := range []string{target, target + "-wal"} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, fmt.Errorf("%s is there already: put that data directory aside, or name another with --data", path))
		}
	}
	scratch := filepath.Join(options.Data, "restoring")
	if err := errors.Join(os.RemoveAll(scratch), os.Mkdir(scratch, 0o700)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	options.Data = scratch
	prepared := filepath.Join(scratch, FileName)
	if err := copyDatabase(ctx, options, backup, prepared, progress); err != nil {
		return err
	}
	db, err := Open(ctx, options)
	if err != nil {
		return err
	}
	if err := errors.Join(finish(db), db.Close()); err != nil {
		return err
	}
	// What finish did is in the log, if SQLite could not bring it over; it does
	// not say so when it closes.
	if _, err := os.Lstat(prepared + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, errors.New("what was restored could not be written in full; is the disk full?"))
	}
	// The search index of another database would be taken for that of this one.
	for _, ending := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(filepath.Dir(target), textFileName+ending)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := errors.Join(syncFile(prepared), os.Rename(prepared, target)); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(target))
}

// copyDatabase copies a database, with the log where it was copied with one, and
// looks whether it is whole and this program's.
func copyDatabase(ctx context.Context, options Options, from, to string, progress func(bytes int64)) error {
	for _, ending := range []string{"", "-wal"} {
		err := copyFile(ctx, from+ending, to+ending, progress)
		if ending != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("copy the backup: %w", err)
		}
	}
	schema, err := MigrationStatus(ctx, options)
	if err == nil && schema.Version == 0 {
		err = errors.New("there is no schema in it")
	}
	if err == nil {
		err = quickCheck(ctx, options)
	}
	if ctx.Err() == nil && err != nil {
		return fmt.Errorf("%s is no backup of a database of Ostiary, or it is damaged: %w", from, err)
	}
	return err
}

// quickCheck reads all of a SQLite database.
func quickCheck(ctx context.Context, options Options) (err error) {
	pool, err := openFile(options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var said string
	if err := pool.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&said); err != nil {
		return err
	}
	if said != "ok" {
		return errors.New(said)
	}
	return nil
}

// copyFile copies a file into a new one that only its owner may read.
func copyFile(ctx context.Context, from, to string, progress func(bytes int64)) (err error) {
	in, err := os.Open(from) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in a directory just made
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	const step = 1 << 20
	for written := int64(0); ; {
		n, err := io.CopyN(out, in, step)
		written += n
		progress(written)
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // this package made it
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
