package store

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/token"
)

func selectScopeNames(d *dialect) string {
	return `SELECT name FROM scope WHERE application_id = $1 AND name_key IN (` + d.values("$2") + `)` + d.shared
}

// writeClientScopes makes the rows of what a client is allowed, which was
// before, those of after. What is added must be there, and cannot be deleted
// before the commit.
func writeClientScopes(ctx context.Context, s session, applicationID string, sequence int64, before, after []string) error {
	if err := holdScopes(ctx, s, applicationID, after, without(after, before)); err != nil {
		return err
	}
	return clientScopes.write(ctx, s, applicationID, sequence, before, after)
}

// without gives what is in a and not in b.
func without(a, b []string) []string {
	there := make(map[string]bool, len(b))
	for _, name := range b {
		there[name] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(name string) bool { return there[name] })
}

func jsonArray(list []string) (string, error) {
	if list == nil {
		list = []string{} // PostgreSQL takes no elements out of null
	}
	encoded, err := json.Marshal(list)
	return string(encoded), err
}

// holdScopes keeps scopes from being deleted before the commit. Those that are
// not there are fault.Problems of the list that they are added to.
func holdScopes(ctx context.Context, s session, applicationID string, list, added []string) error {
	there, err := findScopes(ctx, s, applicationID, added)
	if err != nil {
		return err
	}
	return missingScopes(list, added, there)
}

// findScopes says which scopes are there, and keeps those from being deleted
// before the commit.
func findScopes(ctx context.Context, s session, applicationID string, list []string) (there map[string]bool, err error) {
	keys := map[string]bool{}
	for _, name := range list {
		if !scope.IsBuiltIn(name) {
			keys[scope.Key(name)] = true
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	sought, err := jsonArray(slices.Collect(maps.Keys(keys)))
	if err != nil {
		return nil, err
	}
	names, err := all(ctx, s, column[string], selectScopeNames(s.dialect), applicationID, sought)
	there = make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	return there, err
}

// missingScopes gives, as fault.Problems of the list that they are added to, the
// scopes that are not there.
func missingScopes(list, added []string, there map[string]bool) error {
	var problems fault.Problems
	for _, name := range added {
		if !there[name] && !scope.IsBuiltIn(name) {
			problems.Add("scopes["+strconv.Itoa(slices.Index(list, name))+"]", "There is no such scope in this application; make it first.")
		}
	}
	return problems.OrNil()
}

const (
	// scanStep is how many families are looked at in one statement: a few
	// milliseconds, so that no limit of time is met however many there are.
	scanStep = 20_000
	// mintTime is how long a family may be under way between the making of its
	// id and its commit: longer than a batch is tried for. At 5,000 tokens a
	// second a later look then reads 300,000 rows, in a third of a second.
	mintTime = time.Minute
)

// scanEnd gives the id that ends a step.
const scanEnd = `SELECT id FROM family WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2`

// liveWithScope finds a live family that carries a scope, one that can be
// refreshed or redeemed too, among those of a range of ids. Deactivation and
// deletion leave rows behind, so client and user are asked.
func liveWithScope(d *dialect) string {
	return `SELECT f.id FROM family f WHERE f.id > $1 AND f.id <= $2 AND f.application_id = $3 AND f.revoked_at = 0
		AND (f.removal_at = 0 OR f.removal_at > $4) AND ` + d.position + `(' ' || f.scopes || ' ', $5) > 0
		AND EXISTS (SELECT 1 FROM client c WHERE c.application_id = f.application_id AND c.id = f.client_id AND c.era = f.client_era AND NOT c.inactive)
		AND (f.user_id = '' OR EXISTS (SELECT 1 FROM user_record u WHERE u.application_id = f.application_id AND u.uuid = f.user_id AND u.era = f.user_era AND NOT u.inactive))
		LIMIT 1`
}

var lastID = bytes.Repeat([]byte{0xff}, len(token.ID{}))

// How a scope is in use.
var (
	errAllowed = fault.Conflictf("A client is allowed this scope; take it from the clients first.")
	errListed  = fault.Conflictf("A resource lists this scope; take it off the list first.")
	errCarried = fault.Conflictf("A live token carries this scope; revoke it, or wait until it has expired.")
)

// spaced is a word as it is found in words with a space around each.
func spaced(name string) string { return " " + name + " " }

// noToken looks for a live token that carries a scope, or a client that may get
// one: a fault Conflict. It says from which id on a later look must begin.
func (db *DB) noToken(ctx context.Context, applicationID, name string) (since token.ID, err error) {
	_, allowed, err := readOne(ctx, db, column[int64], clientsAllowed, applicationID, name)
	if err == nil && allowed {
		err = errAllowed // before anything is scanned for
	}
	if err != nil {
		return since, err
	}
	now := db.now()
	since = token.FirstID(now.Add(-mintTime))
	for after := make([]byte, len(since)); ; {
		end, more, err := readOne(ctx, db, column[[]byte], scanEnd, after, scanStep-1)
		if err != nil {
			return since, err
		}
		if !more {
			end = lastID
		}
		_, found, err := readOne(ctx, db, column[[]byte], liveWithScope(db.dialect), after, end, applicationID, endless(now), spaced(name))
		switch {
		case err != nil:
			return since, err
		case found:
			return since, errCarried
		case !more:
			return since, nil
		}
		if err := context.Cause(ctx); err != nil {
			return since, err
		}
		after = end
	}
}

func carriesScope(d *dialect) string {
	return `SELECT identifier FROM resource WHERE application_id = $1 AND ` + d.position + `(' ' || scopes || ' ', $2) > 0 LIMIT 1`
}

const clientsAllowed = `SELECT client_sequence FROM client_scope WHERE application_id = $1 AND scope = $2 LIMIT 1`

// unused refuses, with a fault Conflict, a scope that a client is allowed, that
// a resource lists, or that a live token carries whose id is greater than since.
func unused(ctx context.Context, s session, applicationID, name string, now time.Time, since token.ID) error {
	_, allowed, err := one(ctx, s, column[int64], clientsAllowed, applicationID, name)
	if err != nil {
		return err
	}
	if allowed {
		return errAllowed
	}
	_, listed, err := one(ctx, s, column[string], carriesScope(s.dialect), applicationID, spaced(name))
	if err != nil {
		return err
	}
	if listed {
		return errListed
	}
	_, carried, err := one(ctx, s, column[[]byte], liveWithScope(s.dialect), since[:], lastID, applicationID, endless(now), spaced(name))
	if err == nil && carried {
		err = errCarried
	}
	return err
}
