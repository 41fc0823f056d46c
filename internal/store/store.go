// Package store is the only SQL of the project: it implements the Store
// interfaces of the core packages on SQLite and on PostgreSQL, with one text
// for both wherever one will do. It owns the schema and its migrations, the
// transactions, the commit that many requests share, and what a failing
// database looks like to the core. It decides nothing about what is stored.
package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Options say which database to open, and how.
type Options struct {
	// Data is the directory of the SQLite database; it is made where it is
	// missing. It is not used where URL is given.
	Data string
	// URL of a PostgreSQL database (postgres://…); "" means SQLite.
	URL string
	// Now is the clock that rows are dated by; nil: time.Now.
	Now func() time.Time
	// Fatal is called, once, when the database may no longer be written to: a
	// commit of which nobody knows whether it reached the disk, or another
	// server that took the database over. The store refuses everything from
	// then on; the program should end. nil: nothing more happens.
	Fatal func(error)
	// Regained is called on PostgreSQL when the hold on the database was lost
	// for a while: whatever is remembered of it may be out of date. nil: nothing.
	Regained func()
	// CommitDelay makes each commit take that much longer. It is for measuring
	// and tests: the slow disk that a development machine does not have.
	CommitDelay time.Duration
}

// DB is an open database. Its methods may be called from any goroutine.
type DB struct {
	now     func() time.Time
	dialect *dialect
	delay   time.Duration

	read     *sql.DB // SQLite: connections that cannot write; PostgreSQL: the pool
	prepared *statements
	writer   *writer
	backend  backend

	statements atomic.Uint64
	background atomic.Uint64 // statements that no caller caused
	meter      meter
	texts      textIndex

	broken    atomic.Pointer[error] // why nothing may be done any more
	fatal     func(error)
	fatalOnce sync.Once
	closed    atomic.Bool
	closeOnce sync.Once
	closeErr  error
}

// backend is what differs between the databases in running a transaction.
type backend interface {
	// change runs op in a transaction, with others' or alone.
	change(ctx context.Context, op operation) error
	// flush stores what the writer took from its queue and finishes each item.
	flush(batch []*item)
	// lease says why the database may not be used at this moment.
	lease() error
	close() error
}

// operation is one transaction's work. It may run more than once.
type operation func(ctx context.Context, s session) error

// Open opens the database, brings its schema up to date, and takes hold of it:
// a second server on the same directory, or on the same PostgreSQL database, is
// refused. The context bounds the opening only.
func Open(ctx context.Context, options Options) (*DB, error) {
	db := &DB{now: options.Now, fatal: options.Fatal, delay: options.CommitDelay}
	if db.now == nil {
		db.now = time.Now
	}
	db.writer, db.texts.db = newWriter(db), db
	var err error
	if options.URL == "" {
		err = openSQLite(ctx, db, options)
	} else {
		err = openPostgres(ctx, db, options)
	}
	if err != nil {
		return nil, err
	}
	go db.writer.run()
	return db, nil
}

// Close finishes what is queued and gives the database back.
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		db.closed.Store(true)
		db.writer.stop()
		db.closeErr = errors.Join(db.texts.close(context.Background()), db.backend.close())
	})
	return db.closeErr
}

// Statements is how many SQL statements callers caused since the database was
// opened; those that the store runs by itself are not among them.
func (db *DB) Statements() uint64 { return db.statements.Load() }

// Lease says, without a statement, whether the database may be relied upon at
// this moment; a fault Unavailable where it may not. It is asked before an
// answer that was made from remembered state.
func (db *DB) Lease() error {
	if err := db.broken.Load(); err != nil {
		return fault.Unavailablef(*err, "The database failed and may not be written to; the server must be restarted.")
	}
	if db.closed.Load() {
		return fault.Unavailablef(errClosed, "The server is stopping.")
	}
	return db.backend.lease()
}

// Healthy is Lease, and a statement that the database must answer.
func (db *DB) Healthy(ctx context.Context) error {
	if err := db.Lease(); err != nil {
		return err
	}
	_, _, err := readOne(ctx, db, column[int], `SELECT 1`)
	return err
}

// fail stops everything: from here on nothing is known for sure.
func (db *DB) fail(err error) {
	db.fatalOnce.Do(func() {
		db.broken.Store(&err)
		if db.fatal != nil {
			db.fatal(err)
		}
	})
}

// session gives the way to the database over a connection or pool.
func (db *DB) session(on runner, prepared *statements) session {
	return session{on: on, dialect: db.dialect, prepared: prepared, count: &db.statements}
}

// readAll runs a query outside a transaction.
func readAll[T any](ctx context.Context, db *DB, scan func(scanner) (T, error), text string, args ...any) ([]T, error) {
	if err := db.Lease(); err != nil {
		return nil, err
	}
	ctx, cancel := db.dialect.readContext(ctx)
	defer cancel()
	list, err := all(ctx, db.session(db.read, db.prepared), scan, text, args...)
	return list, db.dialect.classify(err)
}

// readOne is readAll where at most one row is expected.
func readOne[T any](ctx context.Context, db *DB, scan func(scanner) (T, error), text string, args ...any) (v T, ok bool, err error) {
	list, err := readAll(ctx, db, scan, text, args...)
	if err != nil || len(list) == 0 {
		return v, false, err
	}
	return list[0], true, nil
}

// change runs op in a transaction and returns once it is on disk, or with the
// error of op once nothing of it is stored.
func (db *DB) change(ctx context.Context, op operation) error {
	if err := db.Lease(); err != nil {
		return err
	}
	return db.dialect.classify(db.backend.change(ctx, op))
}
