package store

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	sessions "github.com/ostiary/ostiary/internal/core/session" // session is a way to the database here
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Links keeps links that are good once.
type Links struct{ db *DB }

// Links gives the store of links that are good once.
func (db *DB) Links() Links { return Links{db} }

var _ signin.Links = Links{}

const (
	// A link of a user is good while the user has the era of its making.
	selectLink = `SELECT l.digest, l.application_id, l.purpose, l.user_id, l.user_era, l.email, l.request, l.expires_at FROM link l
		LEFT JOIN user_record u ON u.application_id = l.application_id AND u.uuid = l.user_id
		WHERE l.digest = $1 AND l.application_id = $2 AND l.expires_at > $3 AND (l.user_id = '' OR u.era = l.user_era AND NOT u.inactive)`
	removeLinks = `DELETE FROM link WHERE digest IN (SELECT digest FROM link WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`
)

func scanLink(row scanner) (*signin.Link, error) {
	l := &signin.Link{}
	var digest []byte
	var expires int64
	err := row.Scan(&digest, &l.ApplicationID, &l.Purpose, &l.UserID, &l.UserEra, &l.Email, &l.Request, &expires)
	copy(l.Digest[:], digest)
	l.ExpiresAt = instant(expires)
	return l, err
}

var errNoLink = fault.NotFoundf("This link is no longer good.")

// Put implements signin.Links.
func (t Links) Put(ctx context.Context, l *signin.Link, event *audit.Event) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		_, err := s.exec(ctx, `INSERT INTO link (digest, application_id, purpose, user_id, user_era, email, request, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			l.Digest[:], l.ApplicationID, string(l.Purpose), l.UserID, l.UserEra, l.Email, l.Request, micros(l.ExpiresAt))
		if err != nil || event == nil {
			return err
		}
		return record(ctx, s, *event)
	})
}

// Get implements signin.Links.
func (t Links) Get(ctx context.Context, applicationID string, digest [32]byte, now time.Time) (*signin.Link, error) {
	found, ok, err := readOne(ctx, t.db, scanLink, selectLink, digest[:], applicationID, micros(now))
	if err == nil && !ok {
		err = errNoLink
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// takeLink removes a link that is good.
func takeLink(ctx context.Context, s session, applicationID string, digest [32]byte, now time.Time) (*signin.Link, error) {
	found, ok, err := one(ctx, s, scanLink, selectLink, digest[:], applicationID, micros(now))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errNoLink
	}
	n, err := s.exec(ctx, `DELETE FROM link WHERE digest = $1`, digest[:])
	if err == nil && n == 0 {
		err = errNoLink // somebody else was first
	}
	return found, err
}

// Redeem implements signin.Links.
func (t Links) Redeem(ctx context.Context, applicationID string, digest [32]byte, now time.Time, change func(*user.User) (audit.Event, error)) (after *user.User, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		l, err := takeLink(ctx, s, applicationID, digest, now)
		if err != nil {
			return err
		}
		after, err = changeUser(ctx, s, applicationID, l.UserID, "", now, func(u *user.User) (audit.Event, error) {
			if u.Era != l.UserEra || u.Inactive {
				return audit.Event{}, errNoLink
			}
			return change(u)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// Register implements signin.Links.
func (t Links) Register(ctx context.Context, digest [32]byte, now time.Time, u *user.User, event audit.Event) error {
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		if _, err := takeLink(ctx, s, u.ApplicationID, digest, now); err != nil {
			return err
		}
		return createUser(ctx, s, u, event)
	})
}

// ChangePassword implements signin.Links.
func (t Links) ChangePassword(ctx context.Context, before sessions.ID, after *sessions.Session, change func(*user.User) (audit.Event, error)) (changed *user.User, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) (err error) {
		changed, err = changeUser(ctx, s, after.ApplicationID, after.UserID, after.SID, t.db.now(), change)
		if err != nil {
			return err
		}
		renewed := *after
		renewed.UserEra = changed.Era
		return renewSession(ctx, s, before, &renewed)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// RemoveExpired implements signin.Links.
func (t Links) RemoveExpired(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	// A look first: there is mostly nothing to do, and a transaction costs.
	_, there, err := readOne(ctx, t.db, column[int64], `SELECT expires_at FROM link WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1`, micros(now))
	if err != nil || !there {
		return 0, err
	}
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		n, err := s.exec(ctx, removeLinks, micros(now), limit)
		removed = int(n)
		return err
	})
	return removed, err
}
