package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// flush stores a batch in one transaction.
func (b *sqliteBackend) flush(batch []*item) {
	if broken := b.db.broken.Load(); broken != nil {
		finish(batch, fault.Unavailablef(*broken, "The database failed; the server must be restarted."))
		return
	}
	ctx := context.Background()
	t := transaction{sqliteBackend: b, batch: batch, outcomes: make([]error, len(batch))}
	err := t.store(ctx)
	for i, it := range batch {
		if err != nil {
			it.finish(err)
			continue
		}
		it.finish(t.outcomes[i])
	}
	if err == nil {
		b.check.help(ctx, b.session)
	}
}

// finish gives every item of a batch the same outcome.
func finish(batch []*item, err error) {
	for _, it := range batch {
		it.finish(err)
	}
}

// transaction is one attempt to store a batch.
type transaction struct {
	*sqliteBackend
	batch    []*item
	outcomes []error // by item, where the transaction itself is well
}

// store runs the batch: the families, then each operation inside a savepoint,
// so that a failing one fails alone.
func (t *transaction) store(ctx context.Context) (err error) {
	if err := t.rows.begin(ctx, t.conn); err != nil {
		return t.session.dialect.classify(err)
	}
	t.count(1)
	defer func() {
		if err != nil {
			// Some errors have rolled back already; then there is nothing left to end.
			_, _ = t.session.exec(ctx, "ROLLBACK")
			err = t.session.dialect.classify(err)
		}
	}()
	if err := t.families(ctx); err != nil {
		return err
	}
	for i, it := range t.batch {
		if it.family != nil {
			continue
		}
		if err := t.operate(ctx, i, it); err != nil {
			return err
		}
	}
	if !t.anything() {
		_, err := t.session.exec(ctx, "ROLLBACK")
		return err
	}
	return t.commit(ctx)
}

func (t *transaction) count(n uint64) { t.db.statements.Add(n) }

// anything reports whether an item succeeded: if not, there is nothing to sync.
func (t *transaction) anything() bool {
	for i, err := range t.outcomes {
		if it := t.batch[i]; err == nil && (it.family == nil || it.written) {
			return true
		}
	}
	return false
}

// operate gives an operation its turn.
func (t *transaction) operate(ctx context.Context, i int, it *item) error {
	if _, err := t.session.exec(ctx, "SAVEPOINT operation"); err != nil {
		return err
	}
	it.turn <- t.session
	if err := <-it.over; err != nil {
		t.outcomes[i] = err
		if _, failed := t.session.exec(ctx, "ROLLBACK TO operation"); failed != nil {
			// The error has ended the whole transaction, as that of a full disk does:
			// everybody's part is undone.
			return fault.Unavailablef(errors.Join(err, failed), "The database could not be written to.")
		}
	}
	_, err := t.session.exec(ctx, "RELEASE operation")
	return err
}

// families inserts and rotates the families of the batch and takes back the
// oldest of too many that never expire.
func (t *transaction) families(ctx context.Context) error {
	n, err := t.rows.write(ctx, t.conn, t.batch, t.outcomes)
	t.count(n)
	if err != nil {
		return err
	}
	return replaceOldest(ctx, t.session, t.db.now(), t.batch, t.outcomes)
}

// commit puts the batch on disk. After an error other than a full disk nobody
// knows what is there: a sync that failed once may succeed the next time
// without having written anything.
func (t *transaction) commit(ctx context.Context) error {
	if t.db.delay > 0 {
		time.Sleep(t.db.delay)
	}
	err := t.rows.commit(ctx, t.conn)
	t.count(1)
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok || e.Code()&0xff != sqlite3.SQLITE_FULL {
		t.db.fail(err)
	}
	return fault.Unavailablef(err, "The database could not be written to.")
}

// familyRows are the statements of the hot path, used through the driver
// itself: database/sql would add a tenth to the cost of a row. One statement a
// row costs 12 µs at 64 rows a transaction, rows of 16 in one statement 11,
// RETURNING 2 more, one JSON array for all of them 47.
type familyRows struct {
	beginning, committing              driver.Stmt
	inserting, insertingUser, rotating driver.Stmt
	values                             [familyColumns]driver.NamedValue
}

func prepareFamilyRows(ctx context.Context, conn *sql.Conn) (*familyRows, error) {
	r := &familyRows{}
	err := conn.Raw(func(c any) error {
		for _, p := range []struct {
			to   *driver.Stmt
			text string
		}{
			{&r.beginning, "BEGIN IMMEDIATE"},
			{&r.committing, "COMMIT"},
			{&r.inserting, insertFamily},
			{&r.insertingUser, insertUserFamily},
			{&r.rotating, rotateFamily},
		} {
			stmt, err := c.(driver.ConnPrepareContext).PrepareContext(ctx, numbered.ReplaceAllLiteralString(p.text, "?")) //nolint:forcetypeassert // modernc.org/sqlite has it
			if err != nil {
				return err
			}
			*p.to = stmt
		}
		return nil
	})
	return r, err
}

func (r *familyRows) close(conn *sql.Conn) error {
	return conn.Raw(func(any) error {
		return errors.Join(r.beginning.Close(), r.committing.Close(), r.inserting.Close(), r.insertingUser.Close(), r.rotating.Close())
	})
}

func (r *familyRows) begin(ctx context.Context, conn *sql.Conn) error {
	return conn.Raw(func(any) error { return run(ctx, r.beginning, nil) })
}

func (r *familyRows) commit(ctx context.Context, conn *sql.Conn) error {
	return conn.Raw(func(any) error { return run(ctx, r.committing, nil) })
}

func run(ctx context.Context, stmt driver.Stmt, values []driver.NamedValue) error {
	_, err := stmt.(driver.StmtExecContext).ExecContext(ctx, values) //nolint:forcetypeassert // modernc.org/sqlite has it
	return err
}

// write inserts and rotates the families of a batch, each by itself and in their
// order, and says how many statements that took. A duplicate has a fault
// Conflict as its outcome.
func (r *familyRows) write(ctx context.Context, conn *sql.Conn, batch []*item, outcomes []error) (count uint64, err error) {
	err = conn.Raw(func(any) error {
		for i, it := range batch {
			if it.family == nil {
				continue
			}
			count++
			stmt, n := r.bind(it)
			result, err := stmt.(driver.StmtExecContext).ExecContext(ctx, r.values[:n]) //nolint:forcetypeassert // modernc.org/sqlite has it
			if err != nil {
				return err
			}
			changed, err := result.RowsAffected()
			if err != nil {
				return err
			}
			it.written = changed == 1
			if !it.written && !it.rotate {
				outcomes[i] = errDuplicate
			}
		}
		return nil
	})
	return count, err
}

// bind puts the values of an item in their places: the first n of them, for the
// statement.
func (r *familyRows) bind(it *item) (stmt driver.Stmt, n int) {
	if it.rotate {
		for i, v := range it.rotateValues() {
			r.values[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
		}
		return r.rotating, rotateColumns
	}
	for i, v := range it.familyValues() {
		r.values[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	if it.family.UserID == "" {
		return r.inserting, plainColumns
	}
	return r.insertingUser, familyColumns
}
