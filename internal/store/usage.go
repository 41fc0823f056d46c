package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/usage"
)

// Usage keeps how clients are used.
type Usage struct{ db *DB }

// Usage gives the store of usage.
func (db *DB) Usage() Usage { return Usage{db} }

var _ usage.Store = Usage{}

// What Add runs. Rows of clients and secrets that are gone find nothing to
// change.
func addUses(d *dialect) string {
	return `UPDATE client SET used_at = r.at
		FROM (SELECT CAST(value->>0 AS BIGINT) AS sequence, CAST(value->>1 AS BIGINT) AS at FROM ` + d.elements("$1") + `) r
		WHERE client.sequence = r.sequence AND client.used_at < r.at`
}

func addSecretUses(d *dialect) string {
	return `UPDATE client_secret SET used_at = r.at
		FROM (SELECT CAST(value->>0 AS BIGINT) AS sequence, value->>1 AS id, CAST(value->>2 AS BIGINT) AS at FROM ` + d.elements("$1") + `) r
		WHERE client_secret.client_sequence = r.sequence AND client_secret.id = r.id AND client_secret.used_at < r.at`
}

var (
	addClientCounts = newInsertion("usage_client", "hour BIGINT, client_sequence BIGINT, kind, reason, n BIGINT",
		`ON CONFLICT (hour, client_sequence, kind, reason) DO UPDATE SET n = usage_client.n + excluded.n`)
	addTotals = newInsertion("usage_application", "hour BIGINT, application_id, kind, reason, n BIGINT",
		`ON CONFLICT (hour, application_id, kind, reason) DO UPDATE SET n = usage_application.n + excluded.n`)
	addDays = newInsertion("usage_day", "client_sequence BIGINT, day BIGINT, n BIGINT",
		`ON CONFLICT (client_sequence) DO UPDATE SET day = excluded.day,
		n = CASE WHEN usage_day.day = excluded.day THEN usage_day.n + excluded.n ELSE excluded.n END
		WHERE usage_day.day <= excluded.day`)
)

// Add implements usage.Store.
func (u Usage) Add(ctx context.Context, batch *usage.Batch) error {
	return u.db.change(ctx, func(ctx context.Context, s session) error {
		d := s.dialect
		if err := holdClients(ctx, s); err != nil {
			return err
		}
		if err := markIssued(ctx, s, batch.Totals); err != nil {
			return err
		}
		// Clients before secrets, as whoever changes a client takes them.
		if err := changeRows(ctx, s, addUses(d), batch.Uses, func(x *usage.Use) []any { return []any{x.Client, micros(x.At)} }); err != nil {
			return err
		}
		if err := changeRows(ctx, s, addSecretUses(d), batch.Secrets, func(x *usage.SecretUse) []any { return []any{x.Client, x.Secret, micros(x.At)} }); err != nil {
			return err
		}
		if err := insert(ctx, s, addClientCounts, batch.Clients, func(x *usage.ClientCount) []any { return []any{x.Hour, x.Client, x.Kind, x.Reason, x.N} }); err != nil {
			return err
		}
		if err := insert(ctx, s, addTotals, batch.Totals, func(x *usage.Total) []any { return []any{x.Hour, x.ApplicationID, x.Kind, x.Reason, x.N} }); err != nil {
			return err
		}
		return insert(ctx, s, addDays, batch.Days, func(x *ratelimit.Day) []any { return []any{x.Client, x.Day, x.N} })
	})
}

// holdClients makes transactions that change or remove many clients wait for one
// another: they meet them in any order, and two would wait for each other.
func holdClients(ctx context.Context, s session) error {
	return s.dialect.lock(ctx, s, lockNumber("many clients"))
}

// markIssued notes which applications have issued tokens: once each, and it
// outlives the tokens and the counts.
func markIssued(ctx context.Context, s session, totals []usage.Total) error {
	var ids []string
	for _, t := range totals {
		if t.Reason == "" && !slices.Contains(ids, t.ApplicationID) {
			ids = append(ids, t.ApplicationID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	list, err := jsonArray(ids)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `UPDATE application SET issued = TRUE WHERE NOT issued AND id IN (`+s.dialect.values("$1")+`)`, list)
	return err
}

func selectLast(d *dialect) string {
	return `SELECT c.sequence, c.used_at, s.id, s.used_at FROM client c LEFT JOIN client_secret s ON s.client_sequence = c.sequence
		WHERE c.sequence IN (SELECT CAST(value AS BIGINT) FROM ` + d.elements("$1") + `)`
}

// Last implements usage.Store.
func (u Usage) Last(ctx context.Context, sequences []int64) (map[int64]usage.Last, error) {
	list, err := json.Marshal(sequences)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]usage.Last, len(sequences))
	_, err = readAll(ctx, u.db, func(row scanner) (struct{}, error) {
		var client, used int64
		var secret sql.NullString
		var secretUsed sql.NullInt64
		err := row.Scan(&client, &used, &secret, &secretUsed)
		if used == 0 {
			return struct{}{}, err
		}
		l := found[client]
		l.Client = instant(used)
		if secretUsed.Int64 != 0 {
			if l.Secrets == nil {
				l.Secrets = make(map[string]time.Time)
			}
			l.Secrets[secret.String] = instant(secretUsed.Int64)
		}
		found[client] = l
		return struct{}{}, err
	}, selectLast(u.db.dialect), string(list))
	return found, err
}

// unusedSince is the expression of the index client_unused.
const unusedSince = `CASE WHEN used_at > created_at THEN used_at ELSE created_at END`

const selectUnused = `SELECT id, ` + unusedSince + `, sequence FROM client
	WHERE application_id = $1 AND inactive = $2 AND ` + unusedSince + ` >= $3 AND (` + unusedSince + ` > $4 OR sequence > $5) AND ` + unusedSince + ` < $6
	ORDER BY ` + unusedSince + `, sequence LIMIT $7`

// Unused implements usage.Store. Both the active and the inactive are two walks
// through the index: of one neither planner makes use of its order.
func (u Usage) Unused(ctx context.Context, applicationID string, before time.Time, active *bool, after usage.Place, limit int) ([]usage.Unused, error) {
	inactive := []bool{false, true}
	if active != nil {
		inactive = []bool{!*active}
	}
	var list []usage.Unused
	for _, of := range inactive {
		found, err := readAll(ctx, u.db, func(row scanner) (found usage.Unused, err error) {
			var since int64
			err = row.Scan(&found.ID, &since, &found.Sequence)
			found.Since = instant(since)
			return found, err
		}, selectUnused, applicationID, of, micros(after.Since), micros(after.Since), after.Sequence, micros(before), limit)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	slices.SortFunc(list, func(a, b usage.Unused) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Sequence, b.Sequence))
	})
	return list[:min(len(list), limit)], nil
}

func selectClientCounts(d *dialect, step usage.Step) string {
	return selectCounts(d, step, "usage_client", "client_sequence")
}

func selectTotals(d *dialect, step usage.Step) string {
	return selectCounts(d, step, "usage_application", "application_id")
}

// selectCounts looks each hour up: a range of hours would be one of all clients.
func selectCounts(d *dialect, step usage.Step, table, whose string) string {
	return fmt.Sprintf(`SELECT hour - hour %% %d AS began, kind, reason, CAST(SUM(n) AS BIGINT) FROM %s
		WHERE hour IN (SELECT CAST(value AS BIGINT) FROM %s) AND %s = $2
		GROUP BY began, kind, reason ORDER BY began, kind, reason`, step, table, d.elements("$1"), whose)
}

// Clients implements usage.Store.
func (u Usage) Clients(ctx context.Context, sequence int64, first, last usage.Hour, step usage.Step) ([]usage.Count, error) {
	return u.counts(ctx, selectClientCounts(u.db.dialect, step), first, last, sequence)
}

// Totals implements usage.Store.
func (u Usage) Totals(ctx context.Context, applicationID string, first, last usage.Hour, step usage.Step) ([]usage.Count, error) {
	return u.counts(ctx, selectTotals(u.db.dialect, step), first, last, applicationID)
}

func (u Usage) counts(ctx context.Context, text string, first, last usage.Hour, whose any) ([]usage.Count, error) {
	var hours []usage.Hour
	for hour := first; hour <= last; hour++ {
		hours = append(hours, hour)
	}
	list, err := json.Marshal(hours)
	if err != nil {
		return nil, err
	}
	return readAll(ctx, u.db, func(row scanner) (c usage.Count, err error) {
		var hour int64 // database/sql writes any other type out in decimal, and reads that
		err = row.Scan(&hour, &c.Kind, &c.Reason, &c.N)
		c.Hour = usage.Hour(hour)
		return c, err
	}, text, string(list), whose)
}

// selectDenials adds up before it looks for the clients. It reads the index
// usage_client_denied alone, and the clients.
const selectDenials = `SELECT (SELECT c.id FROM client c WHERE c.sequence = w.client_sequence AND c.application_id = $1), w.total
	FROM (SELECT client_sequence, CAST(SUM(n) AS BIGINT) AS total FROM (SELECT client_sequence, n FROM usage_client
		WHERE reason = 'access_denied' AND kind <> $2 AND hour >= $3 AND hour <= $4 ORDER BY hour DESC LIMIT 2000) d
	GROUP BY client_sequence) w`

// Denials implements usage.Store.
func (u Usage) Denials(ctx context.Context, applicationID string, first, last usage.Hour, limit int) ([]usage.Denial, error) {
	list, err := readAll(ctx, u.db, func(row scanner) (x usage.Denial, err error) {
		var id sql.NullString
		err = row.Scan(&id, &x.N)
		x.ID = id.String
		return x, err
	}, selectDenials, applicationID, usage.Authorization.String(), int64(first), int64(last))
	list = slices.DeleteFunc(list, func(x usage.Denial) bool { return x.ID == "" })
	slices.SortFunc(list, func(a, b usage.Denial) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.ID, b.ID)) })
	return list[:min(len(list), limit)], err
}

const selectDayUse = `SELECT n FROM usage_day WHERE client_sequence = $1 AND day = $2`

// DayUse implements usage.Store.
func (u Usage) DayUse(ctx context.Context, sequence, day int64) (int64, error) {
	n, _, err := readOne(ctx, u.db, column[int64], selectDayUse, sequence, day)
	return n, err
}

const (
	removeClientCounts = `DELETE FROM usage_client WHERE (hour, client_sequence, kind, reason) IN
		(SELECT hour, client_sequence, kind, reason FROM usage_client WHERE hour < $1 ORDER BY hour LIMIT $2)`

	removeTotals = `DELETE FROM usage_application WHERE (hour, application_id, kind, reason) IN
		(SELECT hour, application_id, kind, reason FROM usage_application WHERE hour < $1 ORDER BY hour LIMIT $2)`

	removeDays = `DELETE FROM usage_day WHERE client_sequence IN
		(SELECT client_sequence FROM usage_day WHERE day < $1 ORDER BY day LIMIT $2)`
)

// Remove implements usage.Store.
func (u Usage) Remove(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	hour := usage.HourOf(before)
	err = u.db.change(ctx, func(ctx context.Context, s session) error {
		removed = 0
		for _, remove := range []struct {
			text   string
			before int64
		}{{removeClientCounts, int64(hour)}, {removeTotals, int64(hour)}, {removeDays, int64(hour) / 24}} {
			n, err := s.exec(ctx, remove.text, remove.before, limit-removed)
			if err != nil {
				return err
			}
			removed += int(n)
		}
		return nil
	})
	return removed, err
}
