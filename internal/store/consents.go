package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// Consents keeps what users granted to clients.
type Consents struct{ db *DB }

// Consents gives the store of consents.
func (db *DB) Consents() Consents { return Consents{db} }

var _ consent.Store = Consents{}

// selectConsents reads consents of clients that are there.
const selectConsents = `SELECT x.sequence, x.id, x.application_id, x.user_id, c.id, x.client_sequence, x.scopes, x.granted_at, x.updated_at
	FROM consent x JOIN client c ON c.sequence = x.client_sequence WHERE `

const (
	selectConsent     = selectConsents + `x.application_id = $1 AND x.user_id = $2 AND c.application_id = $3 AND c.id = $4`
	selectConsentByID = selectConsents + `x.application_id = $1 AND x.id = $2`

	// A list that is narrowed by the user is short, and sorted when it is read;
	// others go along the place in the list, that of a client along its own index.
	listConsents         = selectConsents + `x.application_id = $1 AND x.sequence > $2 ORDER BY x.sequence LIMIT $3`
	listConsentsOfUser   = selectConsents + `x.application_id = $1 AND x.user_id = $2`
	listConsentsOfClient = selectConsents + `x.client_sequence = (SELECT sequence FROM client WHERE application_id = $1 AND id = $2)
		AND x.sequence > $3 ORDER BY x.sequence LIMIT $4`
)

func scanConsent(row scanner) (*consent.Consent, error) {
	c := &consent.Consent{}
	var scopes string
	var granted, updated int64
	err := row.Scan(&c.Sequence, &c.ID, &c.ApplicationID, &c.UserID, &c.ClientID, &c.ClientSequence, &scopes, &granted, &updated)
	c.Scopes, c.GrantedAt, c.UpdatedAt = words(scopes), instant(granted), instant(updated)
	return c, err
}

var errNoConsent = fault.NotFoundf("There is no such consent.")

func (t Consents) get(ctx context.Context, text string, args ...any) (*consent.Consent, error) {
	found, ok, err := readOne(ctx, t.db, scanConsent, text, args...)
	if err == nil && !ok {
		err = errNoConsent
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Find implements consent.Store.
func (t Consents) Find(ctx context.Context, applicationID, userID, clientID string) (*consent.Consent, error) {
	if !storable(userID, clientID) {
		return nil, errNoConsent
	}
	return t.get(ctx, selectConsent, applicationID, userID, applicationID, clientID)
}

// Get implements consent.Store.
func (t Consents) Get(ctx context.Context, applicationID, id string) (*consent.Consent, error) {
	if !storable(id) {
		return nil, errNoConsent
	}
	return t.get(ctx, selectConsentByID, applicationID, id)
}

// List implements consent.Store.
func (t Consents) List(ctx context.Context, applicationID string, f consent.Filter) ([]*consent.Consent, error) {
	switch {
	case !storable(f.UserID, f.ClientID):
		return nil, nil
	case f.UserID != "" && f.ClientID != "":
		found, err := t.Find(ctx, applicationID, f.UserID, f.ClientID)
		if fault.KindOf(err) == fault.NotFound || err == nil && found.Sequence <= f.After {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []*consent.Consent{found}, nil
	case f.UserID != "":
		list, err := readAll(ctx, t.db, scanConsent, listConsentsOfUser, applicationID, f.UserID)
		list = slices.DeleteFunc(list, func(c *consent.Consent) bool { return c.Sequence <= f.After })
		slices.SortFunc(list, func(a, b *consent.Consent) int { return cmp.Compare(a.Sequence, b.Sequence) })
		return list[:min(len(list), f.Limit)], err
	case f.ClientID != "":
		return readAll(ctx, t.db, scanConsent, listConsentsOfClient, applicationID, f.ClientID, f.After, f.Limit)
	default:
		return readAll(ctx, t.db, scanConsent, listConsents, applicationID, f.After, f.Limit)
	}
}

// Change implements consent.Store.
func (t Consents) Change(ctx context.Context, applicationID, userID, clientID, id string, change func(*consent.Consent) (audit.Event, error)) (after *consent.Consent, err error) {
	if !storable(userID, clientID) {
		return nil, errNoConsent
	}
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		client, there, err := one(ctx, s, column[int64], clientSequence(s.dialect), applicationID, clientID)
		if err != nil {
			return err
		}
		if !there {
			return fault.NotFoundf("There is no such client in this application.")
		}
		_, there, err = one(ctx, s, column[int64], `SELECT sequence FROM user_record WHERE application_id = $1 AND uuid = $2`+s.dialect.shared, applicationID, userID)
		if err != nil {
			return err
		}
		if !there {
			return noUser()
		}
		before, there, err := one(ctx, s, scanConsent, selectConsent, applicationID, userID, applicationID, clientID)
		if err != nil {
			return err
		}
		if !there {
			before = &consent.Consent{ID: id, ApplicationID: applicationID, UserID: userID, ClientID: clientID, ClientSequence: client}
		}
		changed := *before
		changed.Scopes = slices.Clone(before.Scopes)
		event, err := change(&changed)
		if err != nil {
			return err
		}
		if there {
			err = updateConsent(ctx, s, before, &changed)
		} else {
			err = insertConsent(ctx, s, &changed)
		}
		if err != nil {
			return err
		}
		after = &changed
		return record(ctx, s, event)
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

func insertConsent(ctx context.Context, s session, c *consent.Consent) error {
	sequence, ok, err := one(ctx, s, column[int64], `INSERT INTO consent (id, application_id, user_id, client_sequence, scopes, granted_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING sequence`,
		c.ID, c.ApplicationID, c.UserID, c.ClientSequence, strings.Join(c.Scopes, " "), micros(c.GrantedAt), micros(c.UpdatedAt))
	if err == nil && !ok {
		return errRaced
	}
	c.Sequence = sequence
	return err
}

func updateConsent(ctx context.Context, s session, before, after *consent.Consent) error {
	n, err := s.exec(ctx, `UPDATE consent SET scopes = $1, updated_at = $2 WHERE sequence = $3 AND scopes = $4 AND updated_at = $5`,
		strings.Join(after.Scopes, " "), micros(after.UpdatedAt), before.Sequence, strings.Join(before.Scopes, " "), micros(before.UpdatedAt))
	if err == nil && n == 0 {
		return errRaced
	}
	return err
}

// Delete implements consent.Store.
func (t Consents) Delete(ctx context.Context, applicationID, userID, clientID string, event func(*consent.Consent) (audit.Event, error)) error {
	if !storable(userID, clientID) {
		return errNoConsent
	}
	return t.db.change(ctx, func(ctx context.Context, s session) error {
		found, there, err := one(ctx, s, scanConsent, selectConsent, applicationID, userID, applicationID, clientID)
		if err != nil {
			return err
		}
		if !there {
			return errNoConsent
		}
		made, err := event(found)
		if err != nil {
			return err
		}
		n, err := s.exec(ctx, `DELETE FROM consent WHERE sequence = $1`, found.Sequence)
		if err != nil {
			return err
		}
		if n == 0 {
			return errNoConsent // somebody else was first
		}
		return record(ctx, s, made)
	})
}

// buryConsents hands the consents of a client that is deleted to RemoveOrphans.
const buryConsents = `INSERT INTO gone_client (client_sequence) SELECT client_sequence FROM consent WHERE client_sequence = $1 LIMIT 1`

const (
	selectGone     = `SELECT client_sequence FROM gone_client ORDER BY client_sequence LIMIT 1`
	removeConsents = `DELETE FROM consent WHERE sequence IN (SELECT sequence FROM consent WHERE client_sequence = $1 LIMIT $2)`
)

// RemoveOrphans implements consent.Store.
func (t Consents) RemoveOrphans(ctx context.Context, limit int) (removed int, err error) {
	// A look first: there is hardly ever anything to do, and a transaction costs.
	_, there, err := readOne(ctx, t.db, column[int64], selectGone)
	if err != nil || !there {
		return 0, err
	}
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		for removed = 0; removed < limit; {
			gone, there, err := one(ctx, s, column[int64], selectGone)
			if err != nil || !there {
				return err
			}
			n, err := s.exec(ctx, removeConsents, gone, limit-removed)
			if err != nil {
				return err
			}
			if removed += int(n); removed == limit {
				return nil // there may be more of this client
			}
			if _, err := s.exec(ctx, `DELETE FROM gone_client WHERE client_sequence = $1`, gone); err != nil {
				return err
			}
		}
		return nil
	})
	return removed, err
}
