package store

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
)

// The families that one statement reads, newest first: those of an instance, of
// an era of a client, or of a user. Behind what they are of stand the id before
// which to begin, and how many.
const (
	scanAll    = `SELECT * FROM family WHERE id < $1 ORDER BY id DESC LIMIT $2`
	scanEra    = `SELECT * FROM family WHERE client_era = $1 AND id < $2 ORDER BY id DESC LIMIT $3`
	scanByUser = `SELECT * FROM family WHERE application_id = $1 AND user_id = $2 AND user_id <> '' AND id < $3 ORDER BY id DESC LIMIT $4`

	scanAllEnd    = `SELECT id FROM family WHERE id < $1 ORDER BY id DESC LIMIT 1 OFFSET $2`
	scanEraEnd    = `SELECT id FROM family WHERE client_era = $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3`
	scanByUserEnd = `SELECT id FROM family WHERE application_id = $1 AND user_id = $2 AND user_id <> '' AND id < $3 ORDER BY id DESC LIMIT 1 OFFSET $4`

	joinOfOwners = ` LEFT JOIN client c ON c.application_id = f.application_id AND c.id = f.client_id
		LEFT JOIN user_record u ON u.application_id = f.application_id AND u.uuid = f.user_id AND f.user_id <> ''`
)

// clientEras are those of a client whose families may still be there. Dead eras
// are those of a few minutes.
const clientEras = `SELECT era FROM client WHERE application_id = $1 AND id = $2
	UNION SELECT era FROM dead_era WHERE application_id = $3 AND client_id = $4`

// scan is a part of the families, in the order of their ids from the newest.
type scan struct {
	text   string
	end    string // asks for the last id that a full scan reads: there is none where it is not full
	of     []any
	before []byte
}

func scanOfAll(before []byte) scan { return scan{scanAll, scanAllEnd, nil, before} }

func scanOfEra(era int64, before []byte) scan { return scan{scanEra, scanEraEnd, []any{era}, before} }

func scanOfUser(applicationID, userID string, before []byte) scan {
	return scan{scanByUser, scanByUserEnd, []any{applicationID, userID}, before}
}

func (c *scan) args(n int) []any {
	return append(slices.Clone(c.of), c.before, n)
}

// familyOf are the columns of a family that stands beside other tables.
var familyOf = "f." + strings.Join(strings.FieldsFunc(familyNames, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) }), ", f.")

func parameter(n int) string { return "$" + strconv.Itoa(n) }

// after renumbers the parameters of a text that stands after n others.
func after(n int, text string) string {
	return numbered.ReplaceAllStringFunc(text, func(p string) string {
		i, _ := strconv.Atoi(p[1:]) // digits, as the expression says
		return parameter(n + i)
	})
}

// where collects conditions and their parameters, in order of appearance.
type where struct {
	text strings.Builder
	args []any
}

func (w *where) and(condition string, args ...any) {
	for _, arg := range args {
		w.args = append(w.args, arg)
		condition = strings.Replace(condition, "?", parameter(len(w.args)), 1)
	}
	if w.text.Len() == 0 {
		w.text.WriteString(" WHERE ")
	} else {
		w.text.WriteString(" AND ")
	}
	w.text.WriteString(condition)
}

// What the states mean of a family f, its client c and its user u, as
// token.StandingOf says. removal_at says when the last thing in a family ends. A
// condition that a client must be there for would let SQLite begin with all
// clients: 800 ms for 1,000,000 of them rather than 15.
const (
	ownersServe = `COALESCE(c.era = f.client_era AND NOT c.inactive, FALSE)
		AND (f.user_id = '' OR COALESCE(u.era = f.user_era AND NOT u.inactive, FALSE))`

	isLive    = `f.revoked_at = 0 AND (f.removal_at = 0 OR f.removal_at > ?) AND ` + ownersServe
	isExpired = `f.revoked_at = 0 AND f.removal_at > 0 AND f.removal_at <= ?`
	isRevoked = `(f.revoked_at > 0 OR (f.removal_at = 0 OR f.removal_at > ?) AND NOT (` + ownersServe + `))`
)

// selected completes a query over the families of a scan.
func (w *where) selected(d *dialect, applicationID string, q *token.Query) {
	w.and("f.application_id = ?", applicationID)
	if q.ClientID != "" {
		w.and("f.client_id = ?", q.ClientID)
	}
	if q.UserID != "" {
		w.and("f.user_id = ?", q.UserID)
	}
	if q.Scope != "" {
		w.and(d.position+"(' ' || f.scopes || ' ', ?) > 0", spaced(q.Scope))
	}
	switch q.State {
	case token.Live:
		w.and(isLive, endless(q.Now))
	case token.Expired:
		w.and(isExpired, endless(q.Now))
	case token.Revoked:
		w.and(isRevoked, endless(q.Now))
	}
}

// scans gives the parts to read for a query.
func (t Tokens) scans(ctx context.Context, applicationID string, q *token.Query) ([]scan, error) {
	before := q.After[:]
	if q.After == (token.ID{}) {
		before = lastID
	}
	switch {
	case q.UserID != "":
		return []scan{scanOfUser(applicationID, q.UserID, before)}, nil
	case q.ClientID == "":
		return []scan{scanOfAll(before)}, nil
	}
	eras, err := readAll(ctx, t.db, column[int64], clientEras, applicationID, q.ClientID, applicationID, q.ClientID)
	scans := make([]scan, len(eras))
	for i, era := range eras {
		scans[i] = scanOfEra(era, before)
	}
	return scans, err
}

// List implements token.Store.
func (t Tokens) List(ctx context.Context, applicationID string, q token.Query) (page token.Page, err error) {
	if !storable(applicationID, q.ClientID, q.UserID, q.Scope) {
		return page, nil
	}
	scans, err := t.scans(ctx, applicationID, &q)
	if err != nil {
		return page, err
	}
	for i := range scans {
		found, err := t.list(ctx, &scans[i], applicationID, &q)
		if err != nil {
			return page, err
		}
		page.Families = append(page.Families, found.Families...)
		// To go on where the first of several parts ends leaves nothing out.
		if found.More && (!page.More || compareIDs(found.Next, page.Next) > 0) {
			page.Next, page.More = found.Next, true
		}
	}
	slices.SortFunc(page.Families, func(a, b token.Standing) int { return compareIDs(b.ID, a.ID) })
	page.Families = slices.DeleteFunc(page.Families, func(f token.Standing) bool {
		return page.More && compareIDs(f.ID, page.Next) < 0
	})
	return page, nil
}

func selectPage(d *dialect, c *scan, applicationID string, q *token.Query) (text string, args []any) {
	w := where{args: c.args(token.MaxScan)}
	w.selected(d, applicationID, q)
	w.args = append(w.args, q.Limit)
	return `SELECT ` + familyOf + `, c.era, c.inactive, u.era, u.inactive FROM (` + c.text + `) f` + joinOfOwners + w.text.String() +
		` ORDER BY f.id DESC LIMIT ` + parameter(len(w.args)), w.args
}

// list is List over one part.
func (t Tokens) list(ctx context.Context, c *scan, applicationID string, q *token.Query) (page token.Page, err error) {
	text, args := selectPage(t.db.dialect, c, applicationID, q)
	page.Families, err = readAll(ctx, t.db, func(row scanner) (token.Standing, error) {
		var era, userEra sql.NullInt64
		var inactive, userInactive sql.NullBool
		f, err := scanFamily(withMore{row, []any{&era, &inactive, &userEra, &userInactive}})
		if err != nil {
			return token.Standing{}, err
		}
		var of *client.Client
		if era.Valid {
			of = &client.Client{Era: era.Int64, Inactive: inactive.Bool}
		}
		var by *user.User
		if userEra.Valid {
			by = &user.User{Era: userEra.Int64, Inactive: userInactive.Bool}
		}
		return token.StandingOf(f, of, by, q.Now), nil
	}, text, args...)
	if err != nil {
		return page, err
	}
	if len(page.Families) == q.Limit {
		page.Next, page.More = page.Families[q.Limit-1].ID, true
		return page, nil
	}
	page.Next, page.More, err = readOne(ctx, t.db, scanID, c.end, c.args(token.MaxScan-1)...)
	return page, err
}

// withMore scans columns that follow those of a row.
type withMore struct {
	scanner
	more []any
}

func (m withMore) Scan(dest ...any) error { return m.scanner.Scan(append(dest, m.more...)...) }

// RevokeStep implements token.Store.
func (t Tokens) RevokeStep(ctx context.Context, applicationID string, q token.Query, reason string, event func([]token.ID) (audit.Event, error)) (revoked []token.ID, next token.ID, more bool, err error) {
	if !storable(applicationID, q.ClientID, q.UserID, q.Scope) {
		return nil, next, false, nil
	}
	q.State = token.Live
	scans, err := t.scans(ctx, applicationID, &q)
	if err != nil {
		return nil, next, false, err
	}
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		revoked, more = nil, false
		for i := range scans { // dead eras have none that is live
			ids, err := t.revokeSelected(ctx, s, &scans[i], applicationID, &q, reason)
			if err != nil {
				return err
			}
			revoked = append(revoked, ids...)
			end, full, err := one(ctx, s, scanID, scans[i].end, scans[i].args(token.MaxScan-1)...)
			if err != nil {
				return err
			}
			if len(ids) == token.MaxRevoke { // there may be more among those that were read
				end, full = slices.MinFunc(ids, compareIDs), true
			}
			if full && (!more || compareIDs(end, next) > 0) {
				next, more = end, true
			}
		}
		if len(revoked) == 0 {
			return nil
		}
		e, err := event(revoked)
		if err != nil {
			return err
		}
		return record(ctx, s, e)
	})
	if err != nil {
		return nil, next, false, err
	}
	return revoked, next, more, nil
}

// revokeSelected revokes the first of those that are selected in one part.
func (t Tokens) revokeSelected(ctx context.Context, s session, c *scan, applicationID string, q *token.Query, reason string) ([]token.ID, error) {
	now := t.db.now()
	w := where{args: append([]any{micros(now), reason, micros(now.Add(token.Retention))}, c.args(token.MaxScan)...)}
	w.selected(s.dialect, applicationID, q)
	w.args = append(w.args, token.MaxRevoke)
	return all(ctx, s, scanID, `UPDATE family SET revoked_at = $1, revoked_for = $2,
		removal_at = CASE WHEN removal_at = 0 THEN $3 ELSE removal_at END
		WHERE id IN (SELECT f.id FROM (`+after(3, c.text)+`) f`+joinOfOwners+w.text.String()+
		` ORDER BY f.id DESC LIMIT `+parameter(len(w.args))+`) RETURNING id`, w.args...)
}

func compareIDs(a, b token.ID) int { return bytes.Compare(a[:], b[:]) }

const countLive = `SELECT count(*), coalesce(max(ends), 0) FROM (SELECT CASE format WHEN 'jwt' THEN access_expires_at ELSE 0 END AS ends
	FROM family WHERE client_era = $1 AND client_id = $2 AND revoked_at = 0 AND (removal_at = 0 OR removal_at > $3) LIMIT $4) these`

// CountLive implements token.Store.
func (t Tokens) CountLive(ctx context.Context, era int64, clientID string, now time.Time, limit int) (token.Living, error) {
	living, _, err := readOne(ctx, t.db, func(row scanner) (l token.Living, err error) {
		var last int64
		err = row.Scan(&l.N, &last)
		l.LastJWT = instant(last)
		return l, err
	}, countLive, era, clientID, endless(now), limit)
	return living, err
}
