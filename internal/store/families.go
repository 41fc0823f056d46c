package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
)

// Tokens keeps token families.
type Tokens struct{ db *DB }

// Tokens gives the store of token families.
func (db *DB) Tokens() Tokens { return Tokens{db} }

var _ token.Store = Tokens{}

// plainNames are the columns of every family, ofUserNames those that only
// families of users fill; together they are in the order of familyValues and
// scanFamily.
const (
	plainNames = `id, application_id, client_id, client_era, grant_type, scopes, audience, format, salt,
	token_key, generation, issued_at, access_expires_at, revoked_at, revoked_for, removal_at, address`
	ofUserNames = `user_id, user_era, session_id, details, access_issued_at, refresh_generation, rotated_from, rotated_at,
	refreshes, refresh_expires_at, family_expires_at, latest`
	familyNames = plainNames + `, ` + ofUserNames

	plainColumns  = 17
	familyColumns = plainColumns + 12
)

// A client's own family, of which there are the most, leaves what is not its own
// to the defaults.
const (
	insertFamily = `INSERT INTO family (` + plainNames + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
	ON CONFLICT DO NOTHING`

	insertUserFamily = `INSERT INTO family (` + familyNames + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
	ON CONFLICT DO NOTHING`

	// The condition is the whole of the rotation: nothing else changes a row but a
	// revocation.
	rotateFamily = `UPDATE family SET format = $1, address = $2, generation = $3, access_issued_at = $4, access_expires_at = $5,
	removal_at = $6, refresh_generation = $7, rotated_from = $8, rotated_at = $9, refreshes = $10, refresh_expires_at = $11,
	family_expires_at = $12, latest = $13 WHERE id = $14 AND generation = $15 AND revoked_at = 0`

	rotateColumns = 15
)

const (
	selectFamily = `SELECT ` + familyNames + ` FROM family WHERE id = $1`

	// A family that expires is shown as revoked until it would have expired.
	revokeFamily = `UPDATE family SET revoked_at = $1, revoked_for = $2,
		removal_at = CASE WHEN removal_at = 0 THEN $3 ELSE removal_at END
		WHERE id = $4 AND application_id = $5 AND revoked_at = 0`

	removeExpired = `DELETE FROM family WHERE id IN
		(SELECT id FROM family WHERE removal_at > 0 AND removal_at <= $1 ORDER BY removal_at LIMIT $2)`

	replaceFamilies = `UPDATE family SET revoked_at = $1, revoked_for = 'replaced', removal_at = $2
		WHERE application_id = $3 AND client_id = $4 AND id IN
		(SELECT id FROM family WHERE client_era = $5 AND access_expires_at = 0 AND revoked_at = 0
		ORDER BY id DESC LIMIT 1000000 OFFSET $6) RETURNING id`
)

// errDuplicate: an id has 80 random bits, so this is a defect of the caller.
var errDuplicate = fault.Conflictf("There is a token family of this id already.")

// familyValues gives a family as its row, in the types of package driver.
// Scopes (RFC 6749 §3.3) and resource URIs have no space in them.
func (it *item) familyValues() [familyColumns]any {
	f := it.family
	return [familyColumns]any{
		f.ID[:], f.ApplicationID, f.ClientID, f.ClientEra, string(f.GrantType),
		strings.Join(f.Scopes, " "), strings.Join(f.Audience, " "), string(f.Format), f.Salt[:],
		int64(f.TokenKey), int64(f.Generation), micros(f.IssuedAt), micros(f.AccessExpiresAt),
		micros(f.RevokedAt), f.RevokedFor, removal(f), f.Address,
		f.UserID, f.UserEra, f.SID, it.details, micros(f.AccessIssuedAt), int64(f.RefreshGeneration), int64(f.RotatedFrom), micros(f.RotatedAt),
		int64(f.Refreshes), micros(f.RefreshExpiresAt), micros(f.FamilyExpiresAt), it.latest,
	}
}

// rotateValues gives what rotateFamily stores of a family.
func (it *item) rotateValues() [rotateColumns]any {
	f := it.family
	return [rotateColumns]any{
		string(f.Format), f.Address, int64(f.Generation), micros(f.AccessIssuedAt), micros(f.AccessExpiresAt),
		removal(f), int64(f.RefreshGeneration), int64(f.RotatedFrom), micros(f.RotatedAt), int64(f.Refreshes), micros(f.RefreshExpiresAt),
		micros(f.FamilyExpiresAt), it.latest, f.ID[:], int64(f.Generation) - 1,
	}
}

// removal is when a family may be removed: never while it lives and never ends.
func removal(f *token.Family) int64 {
	switch end := f.EndsAt(); {
	case !end.IsZero():
		return micros(end.Add(token.Retention))
	case !f.RevokedAt.IsZero():
		return micros(f.RevokedAt.Add(token.Retention))
	default:
		return 0
	}
}

// endless is what removal_at must exceed, apart from 0, for a family not to have
// ended.
func endless(now time.Time) int64 { return micros(now.Add(token.Retention)) }

func scanFamily(row scanner) (*token.Family, error) {
	f := &token.Family{}
	var id, salt []byte
	var grantType, scopes, audience, format, details, latest string
	var issued, expires, revoked, removal, accessIssued, rotated, refreshExpires, familyExpires int64
	err := row.Scan(&id, &f.ApplicationID, &f.ClientID, &f.ClientEra, &grantType, &scopes, &audience, &format, &salt,
		&f.TokenKey, &f.Generation, &issued, &expires, &revoked, &f.RevokedFor, &removal, &f.Address,
		&f.UserID, &f.UserEra, &f.SID, &details, &accessIssued, &f.RefreshGeneration, &f.RotatedFrom, &rotated,
		&f.Refreshes, &refreshExpires, &familyExpires, &latest)
	if err != nil {
		return nil, err
	}
	copy(f.ID[:], id)
	copy(f.Salt[:], salt)
	f.GrantType, f.Format = oauth.GrantType(grantType), lifetime.Format(format)
	f.Scopes, f.Audience = words(scopes), words(audience)
	f.IssuedAt, f.AccessExpiresAt, f.RevokedAt = instant(issued), instant(expires), instant(revoked)
	f.AccessIssuedAt, f.RotatedAt = instant(accessIssued), instant(rotated)
	f.RefreshExpiresAt, f.FamilyExpiresAt = instant(refreshExpires), instant(familyExpires)
	if details != "" {
		if err := json.Unmarshal([]byte(details), &f.Details); err != nil {
			return nil, fmt.Errorf("read the details of family %s: %w", f.ID, err)
		}
	}
	if latest != "" {
		if err := json.Unmarshal([]byte(latest), &f.Latest); err != nil {
			return nil, fmt.Errorf("read the last exchange of family %s: %w", f.ID, err)
		}
	}
	return f, nil
}

// encoded gives what is stored of a part of a family as JSON; "" where there is
// nothing.
func encoded(part any) (string, error) {
	text, err := json.Marshal(part)
	if err != nil || string(text) == "{}" {
		return "", err
	}
	return string(text), nil
}

// words is the inverse of strings.Join by a space.
func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, " ")
}

// Mint implements token.Store.
func (t Tokens) Mint(ctx context.Context, f *token.Family) ([]token.ID, error) {
	_, died, err := t.write(ctx, f, false)
	return died, err
}

// Rotate implements token.Store.
func (t Tokens) Rotate(ctx context.Context, f *token.Family) (bool, []token.ID, error) {
	return t.write(ctx, f, true)
}

func (t Tokens) write(ctx context.Context, f *token.Family, rotate bool) (bool, []token.ID, error) {
	var details, latest string
	if f.UserID != "" {
		var err error
		if !rotate { // the details do not change
			details, err = encoded(&f.Details)
		}
		if err == nil {
			latest, err = encoded(&f.Latest)
		}
		if err != nil {
			return false, nil, err
		}
	}
	if err := t.db.Lease(); err != nil {
		return false, nil, err
	}
	written, died, err := t.db.writer.write(ctx, f, details, latest, rotate)
	return written && err == nil, died, t.db.dialect.classify(err)
}

// Get implements token.Store.
func (t Tokens) Get(ctx context.Context, applicationID string, id token.ID) (*token.Family, error) {
	f, ok, err := readOne(ctx, t.db, scanFamily, selectFamily, id[:])
	if err != nil {
		return nil, err
	}
	if !ok || f.ApplicationID != applicationID {
		return nil, fault.NotFoundf("There is no such token.")
	}
	return f, nil
}

// Revoke implements token.Store.
func (t Tokens) Revoke(ctx context.Context, applicationID string, id token.ID, reason string, event audit.Event) (revoked bool, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		now := t.db.now()
		n, err := s.exec(ctx, revokeFamily, micros(now), reason, micros(now.Add(token.Retention)), id[:], applicationID)
		if revoked = n == 1; err != nil || !revoked {
			return err
		}
		return record(ctx, s, event)
	})
	return revoked && err == nil, err
}

// RemoveExpired removes at most limit families that ended longer than
// token.Retention before now, and says how many it removed.
func (t Tokens) RemoveExpired(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		n, err := s.exec(ctx, removeExpired, micros(now), limit)
		removed = int(n)
		return err
	})
	return removed, err
}

// eraKept is how long a dead era is swept for: a request that was under way when
// it died may store a family a little later.
const eraKept = 10 * time.Minute

// RemoveDead removes at most limit families of deactivated and deleted clients
// and users (those of an era that is over), and says how many it removed.
func (t Tokens) RemoveDead(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		removed = 0
		for _, dead := range []string{s.dialect.dead, s.dialect.deadOfUsers} {
			n, err := s.exec(ctx, `DELETE FROM family WHERE id IN (`+dead+`)`, limit-removed)
			if removed += int(n); err != nil || removed >= limit {
				return err
			}
		}
		if removed > 0 {
			return nil
		}
		for _, table := range []string{"dead_era", "dead_user_era"} {
			if _, err := s.exec(ctx, `DELETE FROM `+table+` WHERE since <= $1`, micros(now.Add(-eraKept))); err != nil {
				return err
			}
		}
		return nil
	})
	return removed, err
}

// buryUser hands the families of an era of a user to the sweeper.
func buryUser(ctx context.Context, s session, applicationID, uuid string, era int64, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO dead_user_era (era, application_id, user_id, since)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, era, applicationID, uuid, micros(now))
	return err
}

// bury hands the families of an era to the sweeper.
func bury(ctx context.Context, s session, applicationID, clientID string, era int64, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO dead_era (era, application_id, client_id, since)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, era, applicationID, clientID, micros(now))
	return err
}

// replaceOldest takes back the oldest never-expiring families of each client in
// the batch that has more than token.MaxNever of them. It reads at most that
// many entries of an index that holds nothing but live ones. Each item of such
// a client learns what died: whichever answers first has voided it.
func replaceOldest(ctx context.Context, s session, now time.Time, batch []*item, outcomes []error) error {
	var done map[int64][]token.ID
	for i, it := range batch {
		if it.family == nil || !it.written || !it.family.Never() || outcomes[i] != nil {
			continue
		}
		died, ok := done[it.family.ClientEra]
		if !ok {
			var err error
			if died, err = replace(ctx, s, now, it.family); err != nil {
				return err
			}
			if done == nil {
				done = make(map[int64][]token.ID)
			}
			done[it.family.ClientEra] = died
		}
		it.died = died
	}
	return nil
}

func replace(ctx context.Context, s session, now time.Time, f *token.Family) ([]token.ID, error) {
	died, err := all(ctx, s, scanID, replaceFamilies, micros(now), micros(now.Add(token.Retention)), f.ApplicationID, f.ClientID, f.ClientEra, token.MaxNever)
	if err != nil {
		return nil, err
	}
	for _, id := range died {
		event := audit.New(audit.System(), f.ApplicationID, "token.revoke", "family:"+id.String(), now)
		event.Before = json.RawMessage(`{"state":"live"}`)
		event.After = json.RawMessage(`{"state":"revoked","why":"replaced"}`)
		if err := record(ctx, s, event); err != nil {
			return nil, err
		}
	}
	return died, nil
}

func scanID(row scanner) (id token.ID, err error) {
	var b []byte
	err = row.Scan(&b)
	copy(id[:], b)
	return id, err
}
