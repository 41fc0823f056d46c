package store

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"sync"
	"sync/atomic"
)

// runner is what *sql.DB and *sql.Conn have in common.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// session is the way to the database: every statement is run, counted and
// prepared here, save the two batches of families (batch_sqlite.go and
// batch_postgres.go), which count themselves.
type session struct {
	on       runner
	dialect  *dialect
	prepared *statements // nil: the driver prepares (pgx)
	count    *atomic.Uint64
}

// statements are those prepared on one pool or connection. There are as many as
// there are texts in this package, so none is ever dropped.
type statements struct {
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

// numbered matches a parameter. Parameters stand in order of appearance and
// each once, so that SQLite can be given plain question marks, which its driver
// binds without looking up a name.
var numbered = regexp.MustCompile(`\$[0-9]+`)

func (p *statements) get(ctx context.Context, on runner, text string) (*sql.Stmt, error) {
	p.mu.RLock()
	stmt := p.byText[text]
	p.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if stmt = p.byText[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := on.PrepareContext(context.WithoutCancel(ctx), numbered.ReplaceAllLiteralString(text, "?")) //nolint:sqlclosecheck // kept
	if err != nil {
		return nil, err
	}
	if p.byText == nil {
		p.byText = make(map[string]*sql.Stmt)
	}
	p.byText[text] = stmt
	return stmt, nil
}

// close ends them. database/sql does that by itself for those of a pool, not for
// those of one connection, which then never ends either.
func (p *statements) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, stmt := range p.byText {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}

// exec runs a statement and says how many rows it changed.
func (s session) exec(ctx context.Context, text string, args ...any) (int64, error) {
	s.count.Add(1)
	var result sql.Result
	var err error
	if s.prepared == nil {
		result, err = s.on.ExecContext(ctx, text, args...)
	} else {
		var stmt *sql.Stmt
		if stmt, err = s.prepared.get(ctx, s.on, text); err == nil { //nolint:sqlclosecheck // kept
			result, err = stmt.ExecContext(ctx, args...)
		}
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s session) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	s.count.Add(1)
	if s.prepared == nil {
		return s.on.QueryContext(ctx, text, args...)
	}
	stmt, err := s.prepared.get(ctx, s.on, text) //nolint:sqlclosecheck // kept
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

// all runs a query and gives what scan makes of each row.
func all[T any](ctx context.Context, s session, scan func(scanner) (T, error), text string, args ...any) (list []T, err error) {
	rows, err := s.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// one is all where at most one row is expected; ok is false where there is
// none.
func one[T any](ctx context.Context, s session, scan func(scanner) (T, error), text string, args ...any) (v T, ok bool, err error) {
	list, err := all(ctx, s, scan, text, args...)
	if err != nil || len(list) == 0 {
		return v, false, err
	}
	return list[0], true, nil
}

// column scans a row of one column.
func column[T any](row scanner) (v T, err error) {
	err = row.Scan(&v)
	return v, err
}
