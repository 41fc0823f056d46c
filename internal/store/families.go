package store

import (
	"context"
	"encoding/json"
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

// familyNames are the columns, in the order of familyValues and scanFamily.
const familyNames = `id, application_id, client_id, client_era, grant_type, scopes, audience, format, salt,
	token_key, generation, issued_at, access_expires_at, revoked_at, revoked_for, removal_at, address`

const familyColumns = 17

const insertFamily = `INSERT INTO family (` + familyNames + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
	ON CONFLICT DO NOTHING`

const (
	selectFamily = `SELECT ` + familyNames + ` FROM family WHERE id = $1`

	// A family that expires is shown as revoked until it would have expired.
	revokeFamily = `UPDATE family SET revoked_at = $1, revoked_for = $2,
		removal_at = CASE WHEN access_expires_at = 0 THEN $3 ELSE removal_at END
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
func familyValues(f *token.Family) [familyColumns]any {
	return [familyColumns]any{
		f.ID[:], f.ApplicationID, f.ClientID, f.ClientEra, string(f.GrantType),
		strings.Join(f.Scopes, " "), strings.Join(f.Audience, " "), string(f.Format), f.Salt[:],
		int64(f.TokenKey), int64(f.Generation), micros(f.IssuedAt), micros(f.AccessExpiresAt),
		micros(f.RevokedAt), f.RevokedFor, removal(f), f.Address,
	}
}

// removal is when a family may be removed: never while it lives and never ends.
func removal(f *token.Family) int64 {
	switch {
	case !f.Never():
		return micros(f.AccessExpiresAt.Add(token.Retention))
	case !f.RevokedAt.IsZero():
		return micros(f.RevokedAt.Add(token.Retention))
	default:
		return 0
	}
}

func scanFamily(row scanner) (*token.Family, error) {
	f := &token.Family{}
	var id, salt []byte
	var grantType, scopes, audience, format string
	var issued, expires, revoked, removal int64
	err := row.Scan(&id, &f.ApplicationID, &f.ClientID, &f.ClientEra, &grantType, &scopes, &audience, &format, &salt,
		&f.TokenKey, &f.Generation, &issued, &expires, &revoked, &f.RevokedFor, &removal, &f.Address)
	if err != nil {
		return nil, err
	}
	copy(f.ID[:], id)
	copy(f.Salt[:], salt)
	f.GrantType, f.Format = oauth.GrantType(grantType), lifetime.Format(format)
	f.Scopes, f.Audience = words(scopes), words(audience)
	f.IssuedAt, f.AccessExpiresAt, f.RevokedAt = instant(issued), instant(expires), instant(revoked)
	return f, nil
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
	if err := t.db.Lease(); err != nil {
		return nil, err
	}
	died, err := t.db.writer.mint(ctx, f)
	return died, t.db.dialect.classify(err)
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

// RemoveExpired implements token.Store.
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

// RemoveDead implements token.Store.
func (t Tokens) RemoveDead(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	err = t.db.change(ctx, func(ctx context.Context, s session) error {
		n, err := s.exec(ctx, `DELETE FROM family WHERE id IN (`+s.dialect.dead+`)`, limit)
		if removed = int(n); err != nil || removed > 0 {
			return err
		}
		_, err = s.exec(ctx, `DELETE FROM dead_era WHERE since <= $1`, micros(now.Add(-eraKept)))
		return err
	})
	return removed, err
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
		if it.family == nil || !it.family.Never() || outcomes[i] != nil {
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
