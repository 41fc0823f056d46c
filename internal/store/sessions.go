package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	sessions "github.com/ostiary/ostiary/internal/core/session" // session is a way to the database here
)

// Sessions keeps users' sessions.
type Sessions struct{ db *DB }

// Sessions gives the store of users' sessions.
func (db *DB) Sessions() Sessions { return Sessions{db} }

var _ sessions.Store = Sessions{}

// signedIn columns, in the order of scanSignedIn.
const signedInNames = `x.id, x.sid, x.application_id, x.user_id, x.user_era, x.auth_time, x.amr, x.acr, x.created_at, x.seen_at, x.expires_at, x.address, x.user_agent`

const (
	// A row for each client that took part, or one with NULL.
	selectSignedIn = `SELECT ` + signedInNames + `, c.client_id FROM signed_in x
		LEFT JOIN signed_in_client c ON c.sid = x.sid WHERE x.id = $1`
	listSignedIn = `SELECT ` + signedInNames + `, c.client_id FROM signed_in x
		LEFT JOIN signed_in_client c ON c.sid = x.sid WHERE x.application_id = $1 AND x.user_id = $2`
	insertSignedIn = `INSERT INTO signed_in (id, sid, application_id, user_id, user_era, auth_time, amr, acr, created_at, seen_at, expires_at, address, user_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
	selectSIDs = `SELECT sid, auth_time FROM signed_in WHERE application_id = $1 AND user_id = $2`

	selectOverlong = `SELECT user_id, sid FROM signed_in WHERE application_id = $1 AND user_id >= $2 AND expires_at > auth_time + $3 ORDER BY user_id LIMIT $4`
	selectExpired  = `SELECT sid FROM signed_in WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2`
)

// signedInRows puts together what the selections give.
type signedInRows struct{ list []*sessions.Session }

func (r *signedInRows) scan(row scanner) (struct{}, error) {
	x := &sessions.Session{}
	var id []byte
	var amr string
	var authenticated, created, seen, expires int64
	var client *string
	err := row.Scan(&id, &x.SID, &x.ApplicationID, &x.UserID, &x.UserEra, &authenticated, &amr, &x.ACR, &created, &seen, &expires, &x.Address, &x.UserAgent, &client)
	if err != nil {
		return struct{}{}, err
	}
	if i := slices.IndexFunc(r.list, func(y *sessions.Session) bool { return y.SID == x.SID }); i >= 0 {
		x = r.list[i]
	} else {
		copy(x.ID[:], id)
		x.AMR = words(amr)
		x.AuthTime, x.CreatedAt, x.SeenAt, x.ExpiresAt = instant(authenticated), instant(created), instant(seen), instant(expires)
		r.list = append(r.list, x)
	}
	if client != nil {
		i, _ := slices.BinarySearch(x.Clients, *client)
		x.Clients = slices.Insert(x.Clients, i, *client)
	}
	return struct{}{}, nil
}

var errNoSession = fault.NotFoundf("Nobody is signed in here, or no longer.")

// Get implements session.Store.
func (t Sessions) Get(ctx context.Context, id sessions.ID) (*sessions.Session, error) {
	var rows signedInRows
	if _, err := readAll(ctx, t.db, rows.scan, selectSignedIn, id[:]); err != nil {
		return nil, err
	}
	if len(rows.list) == 0 {
		return nil, errNoSession
	}
	return rows.list[0], nil
}

// List implements session.Store.
func (t Sessions) List(ctx context.Context, applicationID, userID string) ([]*sessions.Session, error) {
	if !storable(userID) {
		return nil, nil
	}
	var rows signedInRows
	_, err := readAll(ctx, t.db, rows.scan, listSignedIn, applicationID, userID)
	slices.SortFunc(rows.list, func(a, b *sessions.Session) int {
		return cmp.Or(b.AuthTime.Compare(a.AuthTime), strings.Compare(a.SID, b.SID))
	})
	return rows.list, err
}

// Begin implements session.Store.
func (t Sessions) Begin(ctx context.Context, made *sessions.Session, event audit.Event) (ended []sessions.Ended, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		// His record first, as whoever ends all his sessions takes them.
		if err := signedIn(ctx, s, made.ApplicationID, made.UserID, made.UserEra, made.AuthTime); err != nil {
			return err
		}
		_, err := s.exec(ctx, insertSignedIn, made.ID[:], made.SID, made.ApplicationID, made.UserID, made.UserEra, micros(made.AuthTime),
			strings.Join(made.AMR, " "), made.ACR, micros(made.CreatedAt), micros(made.SeenAt), micros(made.ExpiresAt), made.Address, made.UserAgent)
		if err != nil {
			return err
		}
		surplus, err := surplusSessions(ctx, s, made.ApplicationID, made.UserID)
		if err != nil {
			return err
		}
		if ended, err = endSessions(ctx, s, surplus, t.db.now()); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
	return ended, err
}

// surplusSessions gives the sessions of a user beyond those that signed in last:
// there is hardly ever one.
func surplusSessions(ctx context.Context, s session, applicationID, userID string) ([]string, error) {
	type row struct {
		sid string
		at  int64
	}
	list, err := all(ctx, s, func(r scanner) (x row, err error) {
		err = r.Scan(&x.sid, &x.at)
		return x, err
	}, selectSIDs, applicationID, userID)
	if err != nil || len(list) <= sessions.MaxSessions {
		return nil, err
	}
	slices.SortFunc(list, func(a, b row) int { return cmp.Compare(b.at, a.at) })
	var surplus []string
	for _, x := range list[sessions.MaxSessions:] {
		surplus = append(surplus, x.sid)
	}
	return surplus, nil
}

// Renew implements session.Store.
func (t Sessions) Renew(ctx context.Context, before sessions.ID, after *sessions.Session, event audit.Event) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		if err := signedIn(ctx, s, after.ApplicationID, after.UserID, after.UserEra, after.AuthTime); err != nil {
			return err
		}
		if err := renewSession(ctx, s, before, after); err != nil {
			return err
		}
		return record(ctx, s, event)
	})
}

// renewSession is Renew in a transaction, without the user.
func renewSession(ctx context.Context, s session, before sessions.ID, after *sessions.Session) error {
	n, err := s.exec(ctx, `UPDATE signed_in SET id = $1, user_era = $2, auth_time = $3, amr = $4, acr = $5, seen_at = $6, expires_at = $7,
			address = $8, user_agent = $9 WHERE id = $10 AND sid = $11`,
		after.ID[:], after.UserEra, micros(after.AuthTime), strings.Join(after.AMR, " "), after.ACR, micros(after.SeenAt), micros(after.ExpiresAt),
		after.Address, after.UserAgent, before[:], after.SID)
	if err != nil {
		return err
	}
	if n == 0 {
		return errNoSession
	}
	return nil
}

// Join implements session.Store.
func (t Sessions) Join(ctx context.Context, in *sessions.Session, clientID string) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		// Its end waits for this, so that it finds the client.
		_, there, err := one(ctx, s, column[string], `SELECT sid FROM signed_in WHERE sid = $1`+s.dialect.shared, in.SID)
		if err != nil {
			return err
		}
		if !there {
			return errNoSession
		}
		_, err = s.exec(ctx, `INSERT INTO signed_in_client (sid, client_id, application_id, user_id)
			SELECT $1, $2, $3, $4 WHERE (SELECT COUNT(*) FROM signed_in_client WHERE sid = $5) < $6 ON CONFLICT DO NOTHING`,
			in.SID, clientID, in.ApplicationID, in.UserID, in.SID, sessions.MaxClients)
		return err
	})
}

func updateSeen(d *dialect) string {
	return `UPDATE signed_in SET seen_at = r.at
		FROM (SELECT value->>0 AS sid, CAST(value->>1 AS BIGINT) AS at FROM ` + d.elements("$1") + `) r
		WHERE signed_in.sid = r.sid AND signed_in.seen_at < r.at`
}

// holdSessions makes transactions that change several sessions wait for one
// another: they meet them in any order, and two would wait for each other.
func holdSessions(ctx context.Context, s session, several bool) error {
	if !several {
		return nil
	}
	return s.dialect.lock(ctx, s, lockNumber("several sessions"))
}

// Seen implements session.Store.
func (t Sessions) Seen(ctx context.Context, seen map[string]time.Time) error {
	type row struct {
		sid string
		at  time.Time
	}
	list := make([]row, 0, len(seen))
	for sid, at := range seen {
		list = append(list, row{sid, at})
	}
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		if err := holdSessions(ctx, s, len(list) > 1); err != nil {
			return err
		}
		return changeRows(ctx, s, updateSeen(s.dialect), list, func(r *row) []any { return []any{r.sid, micros(r.at)} })
	})
}

// End implements session.Store.
func (t Sessions) End(ctx context.Context, applicationID, userID, sid string, event audit.Event) (ended sessions.Ended, ok bool, err error) {
	if !storable(applicationID, userID, sid) {
		return ended, false, nil
	}
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		ok = false
		found, there, err := one(ctx, s, column[string], `SELECT sid FROM signed_in WHERE sid = $1 AND application_id = $2 AND ($3 = '' OR user_id = $4)`,
			sid, applicationID, userID, userID)
		if err != nil || !there {
			return err
		}
		list, err := endSessions(ctx, s, []string{found}, t.db.now())
		if err != nil || len(list) == 0 {
			return err
		}
		ended, ok = list[0], true
		return record(ctx, s, event)
	})
	return ended, ok, err
}

// EndAll implements session.Store.
func (t Sessions) EndAll(ctx context.Context, applicationID, userID, except string, event func([]sessions.Ended) (audit.Event, error)) (ended []sessions.Ended, err error) {
	if !storable(applicationID, userID, except) {
		return nil, nil
	}
	err = t.db.change(ctx, func(ctx context.Context, s session) (err error) {
		if ended, err = endSessionsOf(ctx, s, applicationID, userID, except, t.db.now()); err != nil || len(ended) == 0 {
			return err
		}
		made, err := event(ended)
		if err != nil {
			return err
		}
		return record(ctx, s, made)
	})
	return ended, err
}

func shortenSignedIn(d *dialect) string {
	return `UPDATE signed_in SET expires_at = auth_time + $1 WHERE sid IN (` + d.values("$2") + `) AND expires_at > auth_time + $3`
}

// Shorten implements session.Store.
func (t Sessions) Shorten(ctx context.Context, applicationID string, lifetime time.Duration, from string, limit int) (last string, n int, err error) {
	sids, err := readAll(ctx, t.db, func(row scanner) (sid string, err error) {
		err = row.Scan(&last, &sid)
		return sid, err
	}, selectOverlong, applicationID, from, lifetime.Microseconds(), limit)
	if err != nil || len(sids) == 0 {
		return last, 0, err
	}
	list, err := jsonArray(sids)
	if err != nil {
		return last, 0, err
	}
	return last, len(sids), t.db.change(ctx, func(ctx context.Context, s session) error {
		if err := holdSessions(ctx, s, len(sids) > 1); err != nil {
			return err
		}
		_, err := s.exec(ctx, shortenSignedIn(s.dialect), lifetime.Microseconds(), list, lifetime.Microseconds())
		return err
	})
}

// RemoveExpired implements session.Store.
func (t Sessions) RemoveExpired(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	// A look first: there is mostly nothing to do, and a transaction costs.
	_, there, err := readOne(ctx, t.db, column[string], selectExpired, micros(now), 1)
	if err != nil || !there {
		return 0, err
	}
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		expired, err := all(ctx, s, column[string], selectExpired, micros(now), limit)
		if err != nil {
			return err
		}
		ended, err := endSessions(ctx, s, expired, now)
		removed = len(ended)
		return err
	})
	return removed, err
}

// endSessionsOf ends the sessions of a user in a transaction, save one.
func endSessionsOf(ctx context.Context, s session, applicationID, userID, except string, now time.Time) ([]sessions.Ended, error) {
	sids, err := all(ctx, s, column[string], `SELECT sid FROM signed_in WHERE application_id = $1 AND user_id = $2 AND sid <> $3 ORDER BY sid`,
		applicationID, userID, except)
	if err != nil {
		return nil, err
	}
	return endSessions(ctx, s, sids, now)
}

func deleteSignedIn(d *dialect) string {
	return `DELETE FROM signed_in WHERE sid IN (` + d.values("$1") + `) RETURNING id, sid, user_id`
}

func insertNotices(d *dialect) string {
	return `INSERT INTO logout_notice (sid, client_id, application_id, user_id, ended_at, attempts, due_at)
		SELECT sid, client_id, application_id, user_id, $1, 0, $2 FROM signed_in_client WHERE sid IN (` + d.values("$3") + `) ON CONFLICT DO NOTHING`
}

func deleteSignedInClients(d *dialect) string {
	return `DELETE FROM signed_in_client WHERE sid IN (` + d.values("$1") + `)`
}

// endSessions ends sessions in a transaction: whichever way one ends, it goes
// through here. Those that are not there any more are left out.
func endSessions(ctx context.Context, s session, sids []string, now time.Time) ([]sessions.Ended, error) {
	if len(sids) == 0 {
		return nil, nil
	}
	list, err := jsonArray(sids)
	if err != nil {
		return nil, err
	}
	if err := holdSessions(ctx, s, len(sids) > 1); err != nil {
		return nil, err
	}
	ended, err := all(ctx, s, func(row scanner) (e sessions.Ended, err error) {
		var id []byte
		err = row.Scan(&id, &e.SID, &e.UserID)
		copy(e.ID[:], id)
		return e, err
	}, deleteSignedIn(s.dialect), list)
	if err != nil || len(ended) == 0 {
		return nil, err
	}
	at := micros(now)
	if _, err := s.exec(ctx, insertNotices(s.dialect), at, at, list); err != nil {
		return nil, err
	}
	_, err = s.exec(ctx, deleteSignedInClients(s.dialect), list)
	return ended, err
}
