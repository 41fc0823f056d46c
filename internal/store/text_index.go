package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// textIndex finds clients by a part of their texts. On PostgreSQL it is an index
// of the table, where the extension pg_trgm can be had. On SQLite it is a
// database of its own beside the other one (an FTS5 table of trigrams), which
// IndexTexts brings up to date behind the changes: to write 90 trigrams costs as
// much as the client itself, and merging them stops the writer for up to half a
// second. It can be made anew at any time, so nothing waits for the disk.
type textIndex struct {
	db    *DB
	path  string // of the file; "": PostgreSQL
	ready bool   // on PostgreSQL: there is the index

	mu      sync.Mutex
	file    *sql.DB // nil until IndexTexts is called
	mark    int64   // clients up to this sequence are in it
	dirty   map[int64]bool
	dropped bool // the file was removed since it was out of date
}

// textFileName is the index in the data directory. It need not be backed up.
const textFileName = "search.db"

const (
	// On PostgreSQL a look is about one block of clients, whose number is in the
	// index: all that have the text are read, at 10 µs each. A wide one is for texts
	// of which a block had next to none.
	blockShift = 10
	wideShift  = 16
	few        = 4
	// telling is how much of a block must have been looked at before it is said to
	// have next to none: of a text that all have, the end of one has few as well, and
	// a wide one would be read for it in a third of a second.
	telling = 1 << (blockShift - 1)
)

// candidates gives at most limit clients that may have the text, which is
// folded, in the order of their sequences, and how far they go: beyond it
// nothing is known. Where that is not beyond after, the index does not go on.
func (x *textIndex) candidates(ctx context.Context, applicationID, text string, after int64, wide bool, limit int) ([]int64, int64, error) {
	if utf8.RuneCountInString(text) < 3 {
		return nil, 0, nil
	}
	if x.ready {
		return x.inBlock(ctx, applicationID, text, after, wide, limit)
	}
	x.mu.Lock()
	file, mark := x.file, x.mark
	x.mu.Unlock()
	if file == nil || after >= mark {
		return nil, 0, nil
	}
	table := textTable(after + 1)
	upTo := min(mark, (after+1)|(1<<textShift-1))
	phrase := `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	list, err := all(ctx, x.session(file), column[int64], `SELECT rowid FROM `+table+` WHERE `+table+` MATCH $1
		AND rowid > $2 AND rowid <= $3 ORDER BY rowid LIMIT $4`, phrase, after, upTo, limit)
	return list, upTo, x.db.dialect.classify(err)
}

func (x *textIndex) session(file *sql.DB) session {
	return session{on: file, dialect: x.db.dialect, prepared: nil, count: &x.db.background}
}

// touch says that a client that may be in the index has another text. One that
// is gone stays in it: nothing is found by it.
func (x *textIndex) touch(sequence int64) {
	if x.path == "" {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.file != nil && sequence <= x.mark:
		x.dirty[sequence] = true
	case x.file == nil && !x.dropped:
		// Nobody keeps it up to date now; whoever opens it next makes it anew.
		_ = os.Remove(x.path)
		x.dropped = true
	}
}

// On SQLite each block of clients has a table of its own, since FTS5 goes on
// until it finds something, whatever range of rows it is given: a long text that
// none has, made of parts that all have, takes it some 10 ms for 100,000 clients.
const textShift = 16

// textTable is the table of the clients about a sequence.
func textTable(sequence int64) string {
	return "client_text_" + strconv.FormatInt(sequence>>textShift, 10)
}

// textTables gives the names of the tables that there are.
func textTables(ctx context.Context, file *sql.DB) (names []string, err error) {
	rows, err := file.QueryContext(ctx, `SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// renew empties the file.
func renew(ctx context.Context, file *sql.DB) error {
	tables, err := textTables(ctx, file)
	if err != nil {
		return err
	}
	statements := []string{
		`DROP TABLE IF EXISTS mark`,
		`CREATE TABLE mark (id INTEGER PRIMARY KEY CHECK (id = 1), shift INTEGER NOT NULL, sequence INTEGER NOT NULL, tidy INTEGER NOT NULL)`,
		fmt.Sprintf(`INSERT INTO mark (id, shift, sequence, tidy) VALUES (1, %d, -1, 0)`, textShift),
	}
	for _, name := range tables {
		statements = append(statements, `DROP TABLE "`+name+`"`)
	}
	for _, statement := range statements {
		if _, err := file.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// open opens the file. One that was not closed in good order may lack changes,
// and begins anew.
func (x *textIndex) open(ctx context.Context) error {
	if err := createPrivate(x.path); err != nil {
		return err
	}
	file, err := sql.Open("sqlite", dsn(x.path, []string{"busy_timeout(5000)", "journal_mode(wal)", "synchronous(off)", "cache_size(-2048)"}))
	if err != nil {
		return err
	}
	file.SetMaxOpenConns(2) // one writes, one reads
	var mark int64
	var tidy bool
	err = file.QueryRowContext(ctx, `SELECT sequence, tidy FROM mark WHERE shift = ?`, textShift).Scan(&mark, &tidy)
	if err != nil || !tidy {
		mark = -1
		err = renew(ctx, file)
	} else {
		_, err = file.ExecContext(ctx, `UPDATE mark SET tidy = 0`)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open the search index: %w", err), file.Close(), os.Remove(x.path))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.file, x.mark, x.dirty = file, mark, map[int64]bool{}
	return nil
}

// close leaves the file in good order where nothing is left to be done.
func (x *textIndex) close(ctx context.Context) error {
	x.mu.Lock()
	file, left := x.file, len(x.dirty)
	x.file = nil
	x.mu.Unlock()
	if file == nil {
		return nil
	}
	if left > 0 {
		return file.Close()
	}
	_, err := file.ExecContext(ctx, `UPDATE mark SET tidy = 1`)
	return errors.Join(err, file.Close())
}

// IndexTexts takes a step at the index that clients are searched by: at most
// limit of those that are not yet in it, and reports whether there may be more.
// A search looks at those itself, so that nothing is missed, only slower to
// find. On PostgreSQL there is nothing to do.
func (db *DB) IndexTexts(ctx context.Context, limit int) (more bool, err error) {
	x := &db.texts
	if x.path == "" {
		return false, nil
	}
	if x.file == nil {
		if err := x.open(ctx); err != nil {
			return false, err
		}
	}
	more, err = x.step(ctx, limit)
	if err != nil {
		return false, fmt.Errorf("bring the search index up to date: %w", err)
	}
	return more, nil
}

// text is a client as the index has it.
type text struct {
	sequence              int64
	name, id, description string
}

func scanText(row scanner) (t text, err error) {
	err = row.Scan(&t.sequence, &t.name, &t.id, &t.description)
	return t, err
}

func (x *textIndex) step(ctx context.Context, limit int) (bool, error) {
	x.mu.Lock()
	var changed []int64
	for sequence := range x.dirty {
		if len(changed) == limit {
			break
		}
		// Taken before the rows are read: what changes after it comes again.
		changed = append(changed, sequence)
		delete(x.dirty, sequence)
	}
	mark := x.mark
	x.mu.Unlock()
	columns := `SELECT sequence, name, id, ` + x.db.dialect.description + ` FROM client WHERE `
	var texts []text
	var err error
	if len(changed) > 0 {
		wanted, encode := rowsOf(changed, func(n *int64) []any { return []any{*n} })
		if encode != nil {
			return false, encode
		}
		texts, err = readAll(ctx, x.db, scanText, columns+`sequence IN (SELECT CAST(value->>0 AS BIGINT) FROM `+x.db.dialect.elements("$1")+`)`, wanted)
	} else {
		texts, err = readAll(ctx, x.db, scanText, columns+`sequence > $1 ORDER BY sequence LIMIT $2`, mark, limit)
		if len(texts) > 0 {
			mark = texts[len(texts)-1].sequence
		}
	}
	if err != nil || len(texts)+len(changed) == 0 {
		return false, err
	}
	err = x.write(ctx, texts, changed, mark)
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		for _, sequence := range changed {
			x.dirty[sequence] = true
		}
		return false, err
	}
	x.mark = mark
	return len(changed) > 0 || len(texts) == limit, nil
}

// write stores texts, in place of those that changed, and where the index ends.
func (x *textIndex) write(ctx context.Context, texts []text, changed []int64, mark int64) error {
	tx, err := x.file.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it fails after a commit, and is not needed then
	// There is a table for each sequence up to the mark.
	for p := (x.mark + 1) >> textShift; p <= mark>>textShift; p++ {
		_, err := tx.ExecContext(ctx, `CREATE VIRTUAL TABLE IF NOT EXISTS `+textTable(p<<textShift)+
			` USING fts5 (text, content='', contentless_delete=1, tokenize='trigram')`)
		if err != nil {
			return err
		}
	}
	for _, sequence := range changed {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+textTable(sequence)+` WHERE rowid = ?`, sequence); err != nil { //nolint:gosec // the table's name is made of a number
			return err
		}
	}
	for _, t := range texts {
		if _, err := tx.ExecContext(ctx, `INSERT INTO `+textTable(t.sequence)+` (rowid, text) VALUES (?, ?)`, t.sequence, fold(searched(t.name, t.id, t.description))); err != nil { //nolint:gosec // as above
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE mark SET sequence = ?`, mark); err != nil {
		return err
	}
	return tx.Commit()
}

// postgresText is what a client is found by on PostgreSQL: as fold has it, as
// far as SQL goes. Where folding is more than lower case it is done by hand: ß,
// the sigma at the end of a word, the long s, the micro sign. Ligatures and the
// like are not found by the letters that they stand for.
const postgresText = `translate(replace(lower(normalize(name || E'\n' || id || E'\n' || COALESCE(settings::jsonb->>'description', '')) COLLATE "und-x-icu"), 'ß', 'ss'), 'ςſµ', 'σsμ')`

// textsInBlock finds the clients of a block that have a text. The inner query is
// planned by itself: only the index answers it.
func textsInBlock(shift int) string {
	return fmt.Sprintf(`WITH found AS MATERIALIZED (SELECT sequence, application_id FROM client
		WHERE (sequence >> %d) = $1 AND %s LIKE $2)
		SELECT sequence FROM found WHERE application_id = $3 AND sequence > $4 ORDER BY sequence LIMIT $5`, shift, postgresText)
}

// inBlock is candidates on PostgreSQL: of the block in which those after a
// sequence begin.
func (x *textIndex) inBlock(ctx context.Context, applicationID, text string, after int64, wide bool, limit int) ([]int64, int64, error) {
	last, _, err := readOne(ctx, x.db, column[int64], `SELECT COALESCE(max(sequence), 0) FROM client`)
	if err != nil {
		return nil, 0, err
	}
	if after >= last {
		return nil, math.MaxInt64, nil
	}
	shift := blockShift
	if wide {
		shift = wideShift
	}
	block := (after + 1) >> shift
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
	list, err := readAll(ctx, x.db, column[int64], textsInBlock(shift), block, pattern, applicationID, after, limit)
	return list, (block+1)<<shift - 1, err
}

// indexTexts makes the index of PostgreSQL. Where the extensions may not be made
// searches look at the clients one by one. Beside the texts stand the numbers of
// blocks: PostgreSQL reads all entries of an index of this kind, and sorts them.
// What was written last is read through by each search: 256 kB at most, 5 ms.
func (x *textIndex) indexTexts(ctx context.Context, pool *sql.DB) {
	for _, statement := range []string{
		`CREATE EXTENSION IF NOT EXISTS pg_trgm`,
		`CREATE EXTENSION IF NOT EXISTS btree_gin`,
		`DROP INDEX IF EXISTS client_text, client_block_text`, // of other expressions
		fmt.Sprintf(`CREATE INDEX IF NOT EXISTS client_folded_text ON client USING gin ((sequence >> %d), (sequence >> %d), (%s) gin_trgm_ops)
			WITH (gin_pending_list_limit = 256)`, blockShift, wideShift, postgresText),
	} {
		if _, err := pool.ExecContext(ctx, statement); err != nil {
			slog.Warn("clients are searched without an index; have the extensions pg_trgm and btree_gin made in the database", "error", err)
			return
		}
	}
	x.ready = true
}
