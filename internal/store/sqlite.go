package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// FileName is the database in the data directory.
const FileName = "ostiary.db"

// readers is how many connections read at a time. Reads are short and in
// memory; more would only hold caches.
const readers = 4

// sqliteDialect is the dialect of SQLite.
var sqliteDialect = &dialect{
	name:        "SQLite",
	values:      func(parameter string) string { return "SELECT value FROM json_each(" + parameter + ")" },
	elements:    func(parameter string) string { return "json_each(" + parameter + ")" },
	bytes:       func(text string) string { return "unhex(" + text + ")" },
	description: `COALESCE(settings->>'description', '')`,
	dead: `SELECT f.id FROM dead_era d CROSS JOIN family f WHERE f.client_era = d.era
		AND f.application_id = d.application_id AND f.client_id = d.client_id LIMIT $1`,
	deadOfUsers: `SELECT f.id FROM dead_user_era d CROSS JOIN family f WHERE f.application_id = d.application_id
		AND f.user_id = d.user_id AND f.user_id <> '' AND f.user_era = d.era LIMIT $1`,
	empty:    "DELETE FROM ",
	position: "instr",
	lock:     func(context.Context, session, ...int64) error { return nil },
	// A read takes microseconds: to watch the context costs more than to end it.
	readContext: func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithoutCancel(ctx), func() {}
	},
	unavailable: func(err error) bool {
		e, ok := errors.AsType[*sqlite.Error](err)
		if !ok {
			return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
		}
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
			sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT:
			return true
		}
		return false
	},
}

// sqliteBackend is one process on one file: a connection that writes, used by
// the writer's goroutine and by the operations that it gives a turn.
type sqliteBackend struct {
	db       *DB
	lockFile *os.File
	pool     *sql.DB // of the one connection below
	conn     *sql.Conn
	session  session
	rows     *familyRows
	check    *checkpointer
}

func openSQLite(ctx context.Context, db *DB, options Options) (err error) {
	if err := os.MkdirAll(options.Data, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	b := &sqliteBackend{db: db}
	db.dialect, db.backend = sqliteDialect, b
	if b.lockFile, err = lockDirectory(options.Data); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	path := filepath.Join(options.Data, FileName)
	db.texts.path = filepath.Join(options.Data, textFileName)
	if err := createPrivate(path); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	if b.pool, err = sql.Open("sqlite", dsn(path, writerPragmas)); err != nil {
		return err
	}
	b.pool.SetMaxOpenConns(1)
	if err := migrate(ctx, goose.DialectSQLite3, b.pool); err != nil {
		return err
	}
	if b.conn, err = b.pool.Conn(ctx); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	b.session = db.session(b.conn, &statements{})
	if b.rows, err = prepareFamilyRows(ctx, b.conn); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if db.read, err = sql.Open("sqlite", dsn(path, readerPragmas)); err != nil {
		return err
	}
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	db.prepared = &statements{}
	b.check, err = startCheckpointer(ctx, db, path)
	return err
}

// Pragmas of the connections. synchronous=FULL: each commit is synced before it
// is answered. Checkpoints are made by a goroutine of their own
// (checkpoint.go), so that no commit waits for one; a log that grew beyond
// 64 MiB is cut to that when it is begun anew. Caches are in KiB.
var (
	writerPragmas = []string{
		"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)", "temp_store(memory)", "cache_size(-8192)",
		"wal_autocheckpoint(0)", "journal_size_limit(67108864)",
	}
	readerPragmas = []string{"busy_timeout(5000)", "query_only(1)", "temp_store(memory)", "cache_size(-4096)"}
)

func dsn(path string, pragmas []string) string {
	query := url.Values{"_pragma": pragmas}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()
}

// createPrivate makes the database file readable by its owner alone; SQLite
// gives its other files the same mode. The names of the file and of its
// directory are put on disk: SQLite sees to its content only.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own directory
	if err != nil {
		return err
	}
	directory := filepath.Dir(path)
	return errors.Join(f.Close(), syncDirectory(directory), syncDirectory(filepath.Dir(directory)))
}

// syncDirectory puts the names in a directory on disk. One that may not be read
// is not this server's to have made something in.
func syncDirectory(path string) error {
	d, err := os.Open(path) //nolint:gosec // the operator's own directory
	if errors.Is(err, os.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lockDirectory refuses a second server on one directory. The lock is the
// kernel's: it ends with the process, however that ends.
func lockDirectory(directory string) (*os.File, error) {
	path := filepath.Join(directory, "ostiary.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own directory
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another ostiary has the data directory %s open: stop it, or give this one a directory of its own", directory)
		}
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	return f, nil
}

// unlockDirectory gives the directory back at once. The end of the file alone
// would not: a program that this process is just starting has it open for a
// moment too.
func unlockDirectory(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

func (b *sqliteBackend) lease() error { return nil }

func (b *sqliteBackend) close() error {
	var errs []error
	if b.rows != nil {
		errs = append(errs, b.rows.close(b.conn))
	}
	if b.check != nil {
		errs = append(errs, b.check.close())
	}
	if b.db.read != nil {
		errs = append(errs, b.db.read.Close())
	}
	if b.conn != nil {
		errs = append(errs, b.session.prepared.close(), b.conn.Close())
	}
	if b.pool != nil {
		errs = append(errs, b.pool.Close())
	}
	return errors.Join(append(errs, unlockDirectory(b.lockFile))...)
}

// change queues op, runs it on the caller's goroutine when its turn comes (so
// that a panic is the caller's own), and waits for the commit.
func (b *sqliteBackend) change(ctx context.Context, op operation) error {
	it := newItem(ctx)
	it.turn, it.over = make(chan session), make(chan error, 1)
	turn, over := it.turn, it.over
	if err := b.db.writer.put(it); err != nil {
		return err
	}
	select {
	case s := <-turn:
		b.attend(ctx, s, op, over)
	case <-it.done: // the transaction failed before the turn came
		err := it.err
		it.free()
		return err
	case <-ctx.Done():
		if it.state.CompareAndSwap(waiting, dropped) {
			return context.Cause(ctx)
		}
		select {
		case s := <-turn:
			b.attend(ctx, s, op, over)
		case <-it.done:
			err := it.err
			it.free()
			return err
		}
	}
	<-it.done
	err := it.err
	it.free()
	return err
}

var errPanicked = errors.New("store: the operation did not return")

// attend runs op and gives the turn back even where op panics.
func (b *sqliteBackend) attend(ctx context.Context, s session, op operation, over chan<- error) {
	err := errPanicked
	defer func() { over <- err }()
	err = op(context.WithoutCancel(ctx), s)
}

// openFile opens the database without the lock, to look at it.
func openFile(options Options) (*sql.DB, error) {
	path := filepath.Join(options.Data, FileName)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is no database yet: %w", err)
	}
	return sql.Open("sqlite", dsn(path, []string{"busy_timeout(5000)"}))
}
