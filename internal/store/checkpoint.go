package store

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// checkpointer moves what was committed from the write-ahead log into the
// database file, on a connection of its own: no commit waits for it. Under a
// steady load that never reaches the end of the log, which would grow for ever:
// then the writer does the little that is left, between two commits, after which
// SQLite begins the log anew.
type checkpointer struct {
	session session
	pool    *sql.DB
	fail    func(error)
	dirty   atomic.Bool // something was committed
	due     atomic.Bool // the writer is to do the rest
	stop    chan struct{}
	done    chan struct{}
}

const (
	checkpointPause = 200 * time.Millisecond
	// checkpointFrames (pages of 4 KiB) may wait in the log: the page that many
	// commits change is moved once.
	checkpointFrames = 2000
	// longLog is how many frames the log may have before the writer helps.
	longLog = 8000
)

func startCheckpointer(ctx context.Context, db *DB, path string) (*checkpointer, error) {
	pool, err := sql.Open("sqlite", dsn(path, []string{"busy_timeout(5000)", "synchronous(full)", "cache_size(-256)", "wal_autocheckpoint(0)"}))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	c := &checkpointer{pool: pool, fail: db.fail, stop: make(chan struct{}), done: make(chan struct{})}
	c.session = db.session(pool, &statements{})
	c.session.count = &db.background
	go c.run()
	return c, nil
}

func (c *checkpointer) run() {
	defer close(c.done)
	tick := time.NewTicker(checkpointPause)
	defer tick.Stop()
	for idle := false; ; {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		switch {
		case c.dirty.Swap(false):
			idle = false
		case idle:
			continue
		default:
			idle = true // the log's end can be reached now
		}
		c.step(idle)
	}
}

// frames is what SQLite says of its log.
type frames struct{ busy, all, moved int64 }

func scanFrames(row scanner) (f frames, err error) {
	err = row.Scan(&f.busy, &f.all, &f.moved)
	return f, err
}

// step moves the log if that is worth it.
func (c *checkpointer) step(idle bool) {
	ctx := context.Background()
	now, _, err := one(ctx, c.session, scanFrames, "PRAGMA wal_checkpoint(NOOP)")
	if err == nil && now.all > now.moved && (idle || now.all-now.moved >= checkpointFrames) {
		now, _, err = one(ctx, c.session, scanFrames, "PRAGMA wal_checkpoint(PASSIVE)")
	}
	if err != nil {
		c.failed(err)
		return
	}
	if !idle && now.all > longLog {
		c.due.Store(true)
	}
}

// help is the writer's part, called between two transactions.
func (c *checkpointer) help(ctx context.Context, s session) {
	c.dirty.Store(true)
	if !c.due.Load() || !c.due.CompareAndSwap(true, false) {
		return
	}
	s.count = c.session.count
	if _, _, err := one(ctx, s, scanFrames, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		c.failed(err)
	}
}

// failed stops the server after an error of which it is not known what it left
// in the database file: the log would be begun anew all the same once a later
// sync succeeds. A full disk leaves the log as it is.
func (c *checkpointer) failed(err error) {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff != sqlite3.SQLITE_IOERR && e.Code()&0xff != sqlite3.SQLITE_CORRUPT {
		return
	}
	c.fail(err)
}

func (c *checkpointer) close() error {
	close(c.stop)
	<-c.done
	return c.pool.Close()
}
