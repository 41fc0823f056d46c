package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// hold is the one server's hold on a PostgreSQL database: an advisory lock on a
// connection of its own, which is asked for life again and again. Several
// servers on one database need the change feed, which is not built yet; until
// then a second one refuses to start.
type hold struct {
	db       *DB
	config   *pgx.ConnConfig
	node     string // application_name of the connection: how it knows itself
	regained func()
	conn     *pgx.Conn
	start    time.Time     // what the monotonic clock is read against
	began    atomic.Int64  // when the last answered ping began, since start
	stop     chan struct{} // closed to end the goroutine
	done     chan struct{} // closed when it has ended
}

const (
	holdNumber   = 0x6f73746961727931 // "ostiary1": what is locked
	holdTerm     = time.Second        // how long the hold is good for after a ping began
	holdInterval = 250 * time.Millisecond
)

// takeHold connects and takes the lock, or says who has it.
func takeHold(ctx context.Context, db *DB, config *pgx.ConnConfig, regained func()) (*hold, error) {
	h := &hold{
		db: db, config: config.Copy(), node: "ostiary " + ident.Record(), regained: regained,
		start: time.Now(), stop: make(chan struct{}), done: make(chan struct{}),
	}
	h.config.RuntimeParams["application_name"] = h.node
	began, err := h.take(ctx)
	if err != nil {
		return nil, err
	}
	h.began.Store(int64(began))
	go h.run()
	return h, nil
}

// errHeld: another server has the database.
var errHeld = errors.New("another ostiary uses this database, and so far only one may: stop it, or give this one a database of its own")

// take makes the connection and takes the lock, and says when it began to. A
// connection of this server's own that the database has not yet noticed to be
// dead is ended.
func (h *hold) take(ctx context.Context) (began time.Duration, err error) {
	conn, err := pgx.ConnectConfig(ctx, h.config)
	if err != nil {
		return 0, fmt.Errorf("connect to the database at %s: %w", address(h.config), err)
	}
	if began, err = h.lock(ctx, conn); err != nil {
		return 0, errors.Join(err, conn.Close(ctx))
	}
	h.conn = conn
	return began, nil
}

// lock waits a little: a server that has just ended, in whatever way, holds the
// lock until the database notices that its connection is closed.
func (h *hold) lock(ctx context.Context, conn *pgx.Conn) (began time.Duration, err error) {
	for patient := time.Now(); ; {
		began = time.Since(h.start)
		h.db.background.Add(1)
		var got bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(holdNumber)).Scan(&got); err != nil {
			return 0, fmt.Errorf("lock the database: %w", err)
		}
		if got {
			return began, nil
		}
		h.db.background.Add(1)
		var ended int
		err := conn.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity
			WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()`, h.node).Scan(&ended)
		if err != nil {
			return 0, fmt.Errorf("lock the database: %w", err)
		}
		if ended > 0 {
			continue
		}
		if time.Since(patient) > 2*holdTerm {
			return 0, errHeld
		}
		if err := sleep(ctx, holdInterval/2); err != nil {
			return 0, err
		}
	}
}

// sleep waits, or gives the error of a context that is done before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// begin notes that a server runs. Where the one before did not stop in good
// order it may still believe to have the database, for the term of its hold.
func (h *hold) begin(ctx context.Context) error {
	s := h.db.session(h.db.read, nil)
	held, _, err := one(ctx, s, column[bool], `SELECT held FROM node WHERE id = 1`)
	if err != nil {
		return fmt.Errorf("read who used the database: %w", err)
	}
	if held {
		if err := sleep(ctx, holdTerm+holdInterval); err != nil {
			return err
		}
	}
	return h.note(ctx, true)
}

func (h *hold) note(ctx context.Context, held bool) error {
	_, err := h.db.session(h.db.read, nil).exec(ctx, `UPDATE node SET held = $1 WHERE id = 1`, held)
	return err
}

// run asks the connection for life, and makes a new one where it is lost.
func (h *hold) run() {
	defer close(h.done)
	tick := time.NewTicker(holdInterval)
	defer tick.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-tick.C:
		}
		if !h.ping() && !h.again() {
			return
		}
	}
}

func (h *hold) ping() bool {
	if h.conn == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), holdTerm)
	defer cancel()
	began := time.Since(h.start)
	h.db.background.Add(1)
	if err := h.conn.Ping(ctx); err != nil {
		_ = h.conn.Close(ctx)
		h.conn = nil
		return false
	}
	h.began.Store(int64(began))
	return true
}

// again tries to take the lost hold; false where it is another's for good.
func (h *hold) again() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 4*holdTerm)
	defer cancel()
	began, err := h.take(ctx)
	switch {
	case errors.Is(err, errHeld):
		h.db.fail(err)
		return false
	case err != nil:
		return true
	}
	// The hold is good again only when what was remembered is forgotten.
	if h.regained != nil {
		h.regained()
	}
	h.began.Store(int64(began))
	return true
}

// lease says whether the hold is good at this moment.
func (h *hold) lease() error {
	if age := time.Since(h.start) - time.Duration(h.began.Load()); age > holdTerm {
		return fault.Unavailablef(nil, "The database has not answered for %s.", age.Round(100*time.Millisecond))
	}
	return nil
}

// release gives the database back. A server that lost it has nothing to give.
func (h *hold) release() error {
	close(h.stop)
	<-h.done
	if h.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), holdTerm)
	defer cancel()
	return h.conn.Close(ctx)
}
