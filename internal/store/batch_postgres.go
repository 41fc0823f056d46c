package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/ostiary/ostiary/internal/core/token"
)

// A batch of families is at most three statements, one of each kind. A row that
// an INSERT finds there already, or that is not what an UPDATE rotates from, is
// missing from what comes back.
const (
	insertFamilies = `INSERT INTO family (` + plainNames + `)
	SELECT * FROM unnest(` + plainArrays + `)
	ON CONFLICT DO NOTHING RETURNING id`

	insertUserFamilies = `INSERT INTO family (` + familyNames + `)
	SELECT * FROM unnest(` + plainArrays + `,
		$18::text[], $19::bigint[], $20::text[], $21::text[], $22::bigint[], $23::integer[], $24::integer[], $25::bigint[],
		$26::integer[], $27::bigint[], $28::bigint[], $29::text[])
	ON CONFLICT DO NOTHING RETURNING id`

	plainArrays = `$1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[],
		$10::integer[], $11::integer[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::bigint[], $17::text[]`

	rotateFamilies = `UPDATE family f SET format = v.format, address = v.address, generation = v.generation,
	access_issued_at = v.access_issued_at, access_expires_at = v.access_expires_at, removal_at = v.removal_at,
	refresh_generation = v.refresh_generation, rotated_from = v.rotated_from, rotated_at = v.rotated_at, refreshes = v.refreshes,
	refresh_expires_at = v.refresh_expires_at, family_expires_at = v.family_expires_at, latest = v.latest
	FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[], $8::integer[],
		$9::bigint[], $10::integer[], $11::bigint[], $12::bigint[], $13::text[], $14::bytea[], $15::integer[])
	AS v (format, address, generation, access_issued_at, access_expires_at, removal_at, refresh_generation, rotated_from,
		rotated_at, refreshes, refresh_expires_at, family_expires_at, latest, id, before)
	WHERE f.id = v.id AND f.generation = v.before AND f.revoked_at = 0 RETURNING f.id`
)

// flush stores a batch of families, again where a deadlock or the like broke it.
func (b *postgresBackend) flush(batch []*item) {
	ctx := context.Background()
	outcomes := make([]error, len(batch))
	var err error
	for range 5 {
		clear(outcomes)
		if err = b.write(ctx, batch, outcomes); !again(err) {
			break
		}
	}
	err = b.db.dialect.classify(err)
	for i, it := range batch {
		if err != nil {
			it.finish(err)
			continue
		}
		it.finish(outcomes[i])
	}
}

func (b *postgresBackend) write(ctx context.Context, batch []*item, outcomes []error) (err error) {
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := b.families.Conn(limit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closed(conn.Close())) }()
	parts := split(batch)
	if len(parts) == 1 && !anyNever(batch) {
		err := b.commit(ctx, conn, func(ctx context.Context) error { return b.rows(ctx, conn, &parts[0]) })
		judge(batch, outcomes)
		return err
	}
	s := b.db.session(conn, nil)
	if _, err := s.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	for i := range parts {
		if err = b.rows(limit, conn, &parts[i]); err != nil {
			break
		}
	}
	judge(batch, outcomes)
	if err == nil {
		err = replaceOldest(limit, s, b.db.now(), batch, outcomes)
	}
	if err != nil {
		_, _ = s.exec(ctx, "ROLLBACK")
		return err
	}
	return b.commit(ctx, conn, func(ctx context.Context) error {
		_, err := s.exec(ctx, "COMMIT")
		return err
	})
}

func anyNever(batch []*item) bool {
	for _, it := range batch {
		if it.family.Never() {
			return true
		}
	}
	return false
}

// judge gives each family that should have been inserted and was not its
// outcome.
func judge(batch []*item, outcomes []error) {
	for i, it := range batch {
		if !it.written && !it.rotate {
			outcomes[i] = errDuplicate
		}
	}
}

// part is what one statement of a batch stores: items of different ids, each of
// which is written where its id comes back.
type part struct {
	text    string
	columns int
	values  func(*item) []any
	items   map[token.ID]*item
	order   []*item
}

// split sorts a batch into its statements. Of several items on one family the
// first is stored: a statement cannot change a row twice, and the others would
// find it changed.
func split(batch []*item) []part {
	kinds := [...]part{
		{text: insertFamilies, columns: plainColumns, values: func(it *item) []any { v := it.familyValues(); return v[:plainColumns] }},
		{text: insertUserFamilies, columns: familyColumns, values: func(it *item) []any { v := it.familyValues(); return v[:] }},
		{text: rotateFamilies, columns: rotateColumns, values: func(it *item) []any { v := it.rotateValues(); return v[:] }},
	}
	for _, it := range batch {
		it.written = false // by an attempt before
		k := &kinds[0]
		switch {
		case it.rotate:
			k = &kinds[2]
		case it.family.UserID != "":
			k = &kinds[1]
		}
		if k.items == nil {
			k.items = make(map[token.ID]*item, len(batch))
		}
		if _, twice := k.items[it.family.ID]; !twice {
			k.items[it.family.ID] = it
			k.order = append(k.order, it)
		}
	}
	var parts []part
	for _, k := range kinds {
		if len(k.order) > 0 {
			// One order for whoever locks rows: that of their ids.
			slices.SortFunc(k.order, func(a, b *item) int { return compareIDs(a.family.ID, b.family.ID) })
			parts = append(parts, k)
		}
	}
	return parts
}

// arrays gives the values of a part by column, in the types that pgx knows as
// arrays.
func (p *part) arrays() []any {
	columns := make([]any, p.columns)
	for i, it := range p.order {
		for j, v := range p.values(it) {
			switch v := v.(type) {
			case string:
				columns[j] = put(columns[j], i, len(p.order), v)
			case int64:
				columns[j] = put(columns[j], i, len(p.order), v)
			case []byte:
				columns[j] = put(columns[j], i, len(p.order), v)
			}
		}
	}
	return columns
}

// put puts a value at a place of a column of n.
func put[T any](column any, i, n int, v T) any {
	list, ok := column.([]T)
	if !ok {
		list = make([]T, n)
	}
	list[i] = v
	return list
}

// rows runs the statement of a part through pgx, which knows arrays.
func (b *postgresBackend) rows(ctx context.Context, conn *sql.Conn, p *part) error {
	b.db.statements.Add(1)
	return conn.Raw(func(c any) error {
		rows, err := c.(*stdlib.Conn).Conn().Query(ctx, p.text, p.arrays()...) //nolint:forcetypeassert // the pool is pgx's
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			id, err := scanID(rows)
			if err != nil {
				return err
			}
			if it := p.items[id]; it != nil {
				it.written = true
			}
		}
		return rows.Err()
	})
}
