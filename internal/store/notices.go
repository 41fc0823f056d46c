package store

import (
	"context"
	"time"

	sessions "github.com/ostiary/ostiary/internal/core/session" // session is a way to the database here
)

// Notices keeps notices of sessions that ended.
type Notices struct{ db *DB }

// Notices gives the store of notices of sessions that ended.
func (db *DB) Notices() Notices { return Notices{db} }

var _ sessions.Notices = Notices{}

const selectNotices = `SELECT application_id, client_id, user_id, sid, ended_at, attempts, due_at FROM logout_notice
	WHERE due_at <= $1 ORDER BY due_at, sid, client_id LIMIT $2`

// Due implements session.Notices.
func (t Notices) Due(ctx context.Context, now time.Time, limit int) ([]sessions.Notice, error) {
	return readAll(ctx, t.db, func(row scanner) (n sessions.Notice, err error) {
		var ended, due int64
		err = row.Scan(&n.ApplicationID, &n.ClientID, &n.UserID, &n.SID, &ended, &n.Attempts, &due)
		n.EndedAt, n.DueAt = instant(ended), instant(due)
		return n, err
	}, selectNotices, micros(now), limit)
}

// Settle implements session.Notices.
func (t Notices) Settle(ctx context.Context, done, again []sessions.Notice) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		for _, n := range done {
			if _, err := s.exec(ctx, `DELETE FROM logout_notice WHERE sid = $1 AND client_id = $2`, n.SID, n.ClientID); err != nil {
				return err
			}
		}
		for _, n := range again {
			_, err := s.exec(ctx, `UPDATE logout_notice SET attempts = $1, due_at = $2 WHERE sid = $3 AND client_id = $4`,
				n.Attempts, micros(n.DueAt), n.SID, n.ClientID)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
