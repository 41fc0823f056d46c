package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/ostiary/ostiary/internal/core/token"
)

// insertFamilies stores a batch in one statement. A row whose id is there
// already is left out, and so is missing from what comes back.
const insertFamilies = `INSERT INTO family (` + familyNames + `)
	SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[],
		$10::integer[], $11::integer[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::bigint[], $17::text[])
	ON CONFLICT DO NOTHING RETURNING id`

// flush stores a batch of families, again where a deadlock or the like broke it.
func (b *postgresBackend) flush(batch []*item) {
	ctx := context.Background()
	outcomes := make([]error, len(batch))
	var err error
	for range 5 {
		clear(outcomes)
		if err = b.insert(ctx, batch, outcomes); !again(err) {
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

func (b *postgresBackend) insert(ctx context.Context, batch []*item, outcomes []error) (err error) {
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := b.families.Conn(limit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closed(conn.Close())) }()
	if !anyNever(batch) {
		return b.commit(ctx, conn, func(ctx context.Context) error { return b.rows(ctx, conn, batch, outcomes) })
	}
	s := b.db.session(conn, nil)
	if _, err := s.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	err = b.rows(limit, conn, batch, outcomes)
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

// familyArrays are the columns of a batch.
type familyArrays struct {
	id, salt                                                             [][]byte
	application, client, grantType, scopes, audience, format, why, place []string
	era, issued, expires, revoked, removal                               []int64
	key, generation                                                      []int32
}

func (a *familyArrays) add(f *token.Family) {
	a.id, a.salt = append(a.id, f.ID[:]), append(a.salt, f.Salt[:])
	a.application, a.client = append(a.application, f.ApplicationID), append(a.client, f.ClientID)
	a.grantType, a.format = append(a.grantType, string(f.GrantType)), append(a.format, string(f.Format))
	a.scopes, a.audience = append(a.scopes, strings.Join(f.Scopes, " ")), append(a.audience, strings.Join(f.Audience, " "))
	a.why, a.place = append(a.why, f.RevokedFor), append(a.place, f.Address)
	a.era, a.key, a.generation = append(a.era, f.ClientEra), append(a.key, f.TokenKey), append(a.generation, f.Generation)
	a.issued, a.expires = append(a.issued, micros(f.IssuedAt)), append(a.expires, micros(f.AccessExpiresAt))
	a.revoked, a.removal = append(a.revoked, micros(f.RevokedAt)), append(a.removal, removal(f))
}

// rows runs insertFamilies through pgx, which knows arrays.
func (b *postgresBackend) rows(ctx context.Context, conn *sql.Conn, batch []*item, outcomes []error) error {
	var a familyArrays
	for _, it := range batch {
		a.add(it.family)
	}
	stored := make(map[token.ID]bool, len(batch))
	b.db.statements.Add(1)
	err := conn.Raw(func(c any) error {
		rows, err := c.(*stdlib.Conn).Conn().Query(ctx, insertFamilies, //nolint:forcetypeassert // the pool is pgx's
			a.id, a.application, a.client, a.era, a.grantType, a.scopes, a.audience, a.format, a.salt,
			a.key, a.generation, a.issued, a.expires, a.revoked, a.why, a.removal, a.place)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			id, err := scanID(rows)
			if err != nil {
				return err
			}
			stored[id] = true
		}
		return rows.Err()
	})
	if err != nil {
		return err
	}
	for i, it := range batch {
		if !stored[it.family.ID] {
			outcomes[i] = errDuplicate
		}
		delete(stored, it.family.ID) // a second one in the batch is the duplicate
	}
	return nil
}
