package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/ostiary/ostiary/internal/core/fault"
)

const (
	// Connections: to read, to change, and one for families, so that neither
	// readers nor tokens wait behind changes that wait for one another.
	readingConnections  = 10
	changingConnections = 8
	// patience is how long a statement may take where the request sets no limit.
	patience = 10 * time.Second
	// retries of a transaction that met others: each time at least one of them
	// went through.
	retries = 100
)

// postgresDialect is the dialect of PostgreSQL.
var postgresDialect = &dialect{
	name:        "PostgreSQL",
	values:      func(parameter string) string { return "SELECT jsonb_array_elements_text(" + parameter + "::jsonb)" },
	elements:    func(parameter string) string { return "jsonb_array_elements(" + parameter + "::jsonb) AS e(value)" },
	bytes:       func(text string) string { return "decode(" + text + ", 'hex')" },
	description: `COALESCE(settings::jsonb->>'description', '')`,
	dead: `SELECT f.id FROM dead_era d CROSS JOIN LATERAL (SELECT id FROM family WHERE client_era = d.era
		AND application_id = d.application_id AND client_id = d.client_id LIMIT 10000) f LIMIT $1`,
	deadOfUsers: `SELECT f.id FROM dead_user_era d CROSS JOIN LATERAL (SELECT id FROM family WHERE application_id = d.application_id
		AND user_id = d.user_id AND user_id <> '' AND user_era = d.era LIMIT 10000) f LIMIT $1`,
	empty:     "TRUNCATE ",
	position:  "strpos",
	shared:    " FOR KEY SHARE",
	exclusive: " FOR UPDATE",
	lock: func(ctx context.Context, s session, things ...int64) error {
		slices.Sort(things) // one order for all, so that no two wait for each other
		_, err := s.exec(ctx, `SELECT pg_advisory_xact_lock(n) FROM unnest($1::bigint[]) n`, things)
		return err
	},
	readContext: func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, patience)
	},
	unavailable: func(err error) bool {
		if e, ok := errors.AsType[*pgconn.PgError](err); ok {
			// Classes of PostgreSQL's appendix A: connection, resources, operator,
			// system; a transaction that met others too often; a standby.
			switch e.Code[:2] {
			case "08", "53", "57", "58", "40", "XX":
				return true
			}
			return e.Code == "25006" || e.Code == "55P03"
		}
		_, connecting := errors.AsType[*pgconn.ConnectError](err)
		_, network := errors.AsType[net.Error](err)
		return connecting || network || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
			errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.Timeout(err) || pgconn.SafeToRetry(err)
	},
}

// postgresBackend runs operations side by side, each in its transaction, and
// families in one statement at a time.
type postgresBackend struct {
	db       *DB
	hold     *hold
	changing *sql.DB
	families *sql.DB
	unknown  sync.Map // *pgconn.PgConn: its last commit was not waited for
}

// configure reads the URL and adds what the store relies on.
func (b *postgresBackend) configure(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database URL cannot be read; write postgres://user@host:port/database?sslmode=verify-full")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	config.OnNotice = func(conn *pgconn.PgConn, notice *pgconn.Notice) {
		// The commit is on this server's disk, and it is not known whether it is
		// on the synchronous standby. The text is translated, the routine is not.
		if notice.Routine == "SyncRepWaitForLSN" {
			b.unknown.Store(conn, true)
		}
	}
	return config, nil
}

// durable makes a connection wait for the disk where the server's default is
// not to; a stricter default stays.
func durable(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false)
		WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')`)
	return err
}

func openPostgres(ctx context.Context, db *DB, options Options) (err error) {
	b := &postgresBackend{db: db}
	db.dialect, db.backend = postgresDialect, b
	config, err := b.configure(options.URL)
	if err != nil {
		return err
	}
	if b.hold, err = takeHold(ctx, db, config, options.Regained); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	db.read = pool(config, readingConnections)
	// A plan that was made while a table was empty reads all of it, and is kept
	// until autovacuum comes by: an import would take longer with each client.
	changing := config.Copy()
	changing.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	b.changing = pool(changing, changingConnections)
	// The few statements about families are planned once, and find each by its id,
	// however few there are when they are planned.
	families := config.Copy()
	for _, way := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin"} {
		families.RuntimeParams[way] = "off"
	}
	b.families = pool(families, 1)
	if err := migrate(ctx, goose.DialectPostgres, db.read); err != nil {
		return err
	}
	db.texts.indexTexts(ctx, db.read)
	return b.hold.begin(ctx)
}

func pool(config *pgx.ConnConfig, connections int) *sql.DB {
	p := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(durable))
	p.SetMaxOpenConns(connections)
	p.SetMaxIdleConns(connections)
	return p
}

// openPool opens the database without taking hold of it, to look at it.
func openPool(options Options) (*sql.DB, error) {
	config, err := (&postgresBackend{}).configure(options.URL)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config), nil
}

func (b *postgresBackend) lease() error { return b.hold.lease() }

func (b *postgresBackend) close() error {
	var errs []error
	if b.db.read != nil {
		if b.db.broken.Load() == nil && b.lease() == nil {
			ctx, cancel := context.WithTimeout(context.Background(), holdTerm)
			defer cancel()
			errs = append(errs, b.hold.note(ctx, false))
		}
		errs = append(errs, b.db.read.Close(), b.changing.Close(), b.families.Close())
	}
	return errors.Join(append(errs, b.hold.release())...)
}

// change runs op in a transaction of its own, again where it met others.
func (b *postgresBackend) change(ctx context.Context, op operation) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	for i := range retries {
		if err = b.transact(ctx, op); !again(err) {
			return err
		}
		// Jittered, so that two that met do not meet again.
		pause := time.NewTimer(time.Duration(rand.Int64N(int64(min(i+1, 20)) * int64(time.Millisecond)))) //nolint:gosec // no secret
		select {
		case <-ctx.Done():
			pause.Stop()
			return err
		case <-pause.C:
		}
	}
	return err
}

// again reports whether a transaction failed only because others ran beside it.
func again(err error) bool {
	if errors.Is(err, errRaced) {
		return true
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// transact is one attempt.
func (b *postgresBackend) transact(ctx context.Context, op operation) (err error) {
	conn, err := b.changing.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closed(conn.Close())) }()
	s := b.db.session(conn, nil)
	if _, err := s.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			// Also where op panicked; on a broken connection it fails, and the server
			// rolls back by itself.
			_, _ = s.exec(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	if err := op(ctx, s); err != nil {
		return err
	}
	committed = true
	return b.commit(ctx, conn, func(ctx context.Context) error {
		_, err := s.exec(ctx, "COMMIT")
		return err
	})
}

// closed drops the error of giving back a connection that was lost before.
func closed(err error) error {
	if errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) {
		return nil
	}
	return err
}

// hung is how long a commit may take before the connection is given up.
const hung = 15 * time.Second

var errUnknown = errors.New("the synchronous standby did not confirm the commit")

// commit runs a statement that commits. The end of the request does not cancel
// it: a commit that is cancelled may have happened, and one that waits for a
// standby would be answered as done. A hung one ends with its connection.
func (b *postgresBackend) commit(ctx context.Context, conn *sql.Conn, statement func(context.Context) error) error {
	if b.db.delay > 0 {
		time.Sleep(b.db.delay)
	}
	var server *pgconn.PgConn
	err := conn.Raw(func(c any) error {
		server = c.(*stdlib.Conn).Conn().PgConn() //nolint:forcetypeassert // the pool is pgx's
		return nil
	})
	if err != nil {
		return err
	}
	guard := time.AfterFunc(hung, func() { _ = server.Conn().Close() })
	err = statement(context.WithoutCancel(ctx))
	guard.Stop()
	if _, unknown := b.unknown.LoadAndDelete(server); unknown && err == nil {
		return fault.Unavailablef(errUnknown, "The database could not confirm the change; look before trying again.")
	}
	return err
}

// address describes where a database is, without its password.
func address(config *pgx.ConnConfig) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d/%s", config.Host, config.Port, config.Database)
	return b.String()
}
