package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
)

var _ client.Searcher = Clients{}

const (
	// maxWindow bounds the clients whose columns a search looks at: at 0.7 µs
	// each, 7 ms.
	maxWindow = 10_000
	// maxScan bounds those whose texts it looks at one by one: at 4 µs each, 10 ms.
	maxScan = 2500
	// maxCandidates is how many an index gives at a time, and maxExamined how many
	// of them are read whole: at 30 µs each, 22 ms.
	maxCandidates = 250
	maxExamined   = 750
	// maxNamed is how many are read whole in the order of their names, in which they
	// lie far apart: at 0.2 ms each where nothing is in memory, 30 ms.
	maxNamed = 150
	// maxSecrets bounds the secrets whose clients are looked up, which lie as far apart.
	maxSecrets = 250
	// maxSpell is when a search by text ends its page for being slow to find
	// anything.
	maxSpell = 15 * time.Millisecond
)

// pickClients finds the clients by their ids first: asked for in the order of
// their sequences, SQLite would walk through all of them.
func pickClients(d *dialect) string {
	return selectClients(`sequence IN (SELECT sequence FROM client WHERE application_id = $1 AND id IN (` + d.values("$2") + `))`)
}

// Pick implements client.Searcher.
func (c Clients) Pick(ctx context.Context, applicationID string, ids []string) ([]*client.Client, error) {
	var rows clientRows
	list, err := json.Marshal(ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	_, err = readAll(ctx, c.db, rows.scan, pickClients(c.db.dialect), applicationID, string(list))
	return rows.list, err
}

// expiringSoon looks the clients up one by one: joined, SQLite begins with all of
// them.
const expiringSoon = `SELECT (SELECT c.id FROM client c WHERE c.sequence = x.client_sequence AND c.application_id = $1
		AND ($2 < 0 OR c.inactive = ($3 = 1))), x.client_sequence, x.expires_at
	FROM client_secret x WHERE x.expires_at > 0 AND (x.expires_at, x.client_sequence) > ($4, $5) AND x.expires_at <= $6
	ORDER BY x.expires_at, x.client_sequence LIMIT $7`

// Expiring implements client.Searcher.
func (c Clients) Expiring(ctx context.Context, applicationID string, after client.Expiry, until time.Time, active *bool, limit int) ([]string, client.Expiry, error) {
	type secret struct {
		client sql.NullString
		client.Expiry
	}
	inactive := inactiveOf(active)
	list, err := readAll(ctx, c.db, func(row scanner) (x secret, err error) {
		var at int64
		err = row.Scan(&x.client, &x.Sequence, &at)
		x.At = instant(at)
		return x, err
	}, expiringSoon, applicationID, inactive, inactive, micros(after.At), after.Sequence, micros(until), maxSecrets)
	if err != nil {
		return nil, client.Expiry{}, err
	}
	var ids []string
	for i := range list {
		id := list[i].client
		if !id.Valid || slices.Contains(ids, id.String) {
			continue
		}
		if len(ids) == limit {
			return ids, list[i-1].Expiry, nil
		}
		ids = append(ids, id.String)
	}
	if len(list) < maxSecrets {
		return ids, client.Expiry{}, nil
	}
	return ids, list[maxSecrets-1].Expiry, nil
}

// bySequence gives clients in the order of their sequences.
func (c Clients) bySequence(ctx context.Context, applicationID string, sequences []int64) ([]*client.Client, error) {
	if len(sequences) == 0 {
		return nil, nil
	}
	wanted, err := rowsOf(sequences, func(n *int64) []any { return []any{*n} })
	if err != nil {
		return nil, err
	}
	var rows clientRows
	_, err = readAll(ctx, c.db, rows.scan, selectClients(`sequence IN (SELECT CAST(value->>0 AS BIGINT) FROM `+
		c.db.dialect.elements("$1")+`) AND application_id = $2`), wanted, applicationID)
	return rows.list, err
}

// Search implements client.Searcher.
func (c Clients) Search(ctx context.Context, applicationID string, q client.Search) ([]*client.Client, client.Place, error) {
	limit := q.Limit
	q.Limit++ // one more than is asked for says whether there are more
	s := search{Clients: c, ctx: ctx, applicationID: applicationID, Search: q, text: fold(q.Text)}
	var next client.Place
	var err error
	switch {
	case q.ByName():
		next, err = s.byName()
	case q.Text != "":
		next, err = s.byText()
	default:
		next, err = s.bySettings()
	}
	if err != nil || len(s.found) <= limit {
		return s.found, next, err
	}
	last := s.found[limit-1]
	next = client.Place{Sequence: last.Sequence}
	switch {
	case q.ByName() && last.ID == q.Text: // the names are yet to come
		next.NameKey = s.text
	case q.ByName():
		next = client.Place{NameKey: fold(last.Name), Version: last.Version}
	}
	return s.found[:limit], next, nil
}

// search is one search on its way.
type search struct {
	Clients
	client.Search

	ctx           context.Context // it lives as long as the call
	applicationID string
	text          string // folded
	found         []*client.Client
}

// take keeps those of the clients that match, and reports whether there is room
// for more.
func (s *search) take(list []*client.Client) bool {
	for _, c := range list {
		if len(s.found) == s.Limit {
			return false
		}
		if s.Matches(c) && (s.Tag == "" || slices.Contains(c.Settings.Tags, s.Tag)) && s.named(c) {
			s.found = append(s.found, c)
		}
	}
	return len(s.found) < s.Limit
}

// named reports whether the text is in what people see of a client.
func (s *search) named(c *client.Client) bool {
	if s.ByName() {
		return c.ID == s.Text || strings.HasPrefix(fold(c.Name), s.text)
	}
	return s.text == "" || strings.Contains(fold(textOf(c)), s.text)
}

func textOf(c *client.Client) string { return searched(c.Name, c.ID, c.Settings.Description) }

// searched is the text that a client is found by.
func searched(name, id, description string) string { return name + "\n" + id + "\n" + description }

// windowEnd finds the end of a window in an index, without a look at the rows.
const windowEnd = `SELECT sequence FROM client WHERE application_id = $1 AND sequence > $2
	ORDER BY sequence LIMIT 1 OFFSET $3`

// windowEndFeature is windowEnd among the clients with a feature.
func windowEndFeature(bit int64) string {
	return `SELECT sequence FROM client WHERE application_id = $1 AND sequence > $2 AND ` + featured(bit) + ` ORDER BY sequence LIMIT 1 OFFSET $3`
}

// inWindow finds the clients of a window that may match: whose settings hold the
// tag, as JSON, anywhere. The limit within tells PostgreSQL how few rows there are
// to be looked at.
func inWindow(d *dialect, bit int64) string {
	of := ""
	if bit != 0 {
		of = " AND " + featured(bit)
	}
	return `SELECT sequence FROM (SELECT sequence, kind, public, inactive, settings FROM client
		WHERE application_id = $1 AND sequence > $2 AND sequence <= $3` + of + ` ORDER BY sequence LIMIT $4) w
		WHERE ($5 = '' OR kind = $6) AND ($7 < 0 OR public = ($8 = 1)) AND ($9 < 0 OR inactive = ($10 = 1))
		AND ($11 = '' OR ` + d.position + `(settings, $12) > 0) ORDER BY sequence LIMIT $13`
}

// bySettings reads a window of clients in the order of their creation.
func (s *search) bySettings() (client.Place, error) {
	bit := client.Features{s.Feature}.Bits()
	of := windowEnd
	if bit != 0 {
		of = windowEndFeature(bit)
	}
	end, more, err := readOne(s.ctx, s.db, column[int64], of, s.applicationID, s.After.Sequence, maxWindow-1)
	if err != nil {
		return client.Place{}, err
	}
	if !more {
		end = 1<<63 - 1
	}
	public, inactive := -1, inactiveOf(s.Active)
	if s.Type != "" {
		public = number(s.Type == client.PublicType)
	}
	tag, err := json.Marshal(s.Tag)
	if err != nil {
		return client.Place{}, err
	}
	sequences, err := readAll(s.ctx, s.db, column[int64], inWindow(s.db.dialect, bit), s.applicationID, s.After.Sequence, end, maxWindow,
		string(s.Kind), string(s.Kind), public, public, inactive, inactive, s.Tag, string(tag), s.Limit)
	if err != nil {
		return client.Place{}, err
	}
	list, err := s.bySequence(s.ctx, s.applicationID, sequences)
	if err != nil {
		return client.Place{}, err
	}
	s.take(list)
	switch {
	case len(sequences) == s.Limit:
		return client.Place{Sequence: sequences[s.Limit-1]}, nil
	case !more:
		return client.Place{}, nil
	default:
		return client.Place{Sequence: end}, nil
	}
}

// inactiveOf says for a statement whether clients are to be inactive; -1: they may
// be either.
func inactiveOf(active *bool) int {
	if active == nil {
		return -1
	}
	return number(!*active)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

const clientsByName = `SELECT sequence, name_key, version FROM client WHERE application_id = $1
	AND (name_key, version) >= ($2, $3) AND name_key < $4 ORDER BY name_key, version LIMIT $5`

func clientTexts(d *dialect) string {
	return `SELECT sequence, name, id, ` + d.description + ` FROM client WHERE application_id = $1 AND sequence > $2
		ORDER BY sequence LIMIT $3`
}

// byName reads a window of the clients whose names begin with the text. The one
// whose id is the text comes before all of them.
func (s *search) byName() (client.Place, error) {
	if s.After == (client.Place{}) {
		own, err := s.Pick(s.ctx, s.applicationID, []string{s.Text})
		if err != nil {
			return client.Place{}, err
		}
		s.take(own)
	}
	after, version := s.After.NameKey, s.After.Version
	if after == "" {
		after = s.text
	}
	candidates := maxNamed
	if s.Search == (client.Search{Text: s.Text, After: s.After, Limit: s.Limit}) {
		candidates = s.Limit + 2 // each of them is found, save the last one of the page before and the one of this id
	}
	var last client.Place
	sequences, err := readAll(s.ctx, s.db, func(row scanner) (n int64, err error) {
		err = row.Scan(&n, &last.NameKey, &last.Version)
		return n, err
	}, clientsByName, s.applicationID, after, version, s.text+"\U0010ffff", candidates)
	if err != nil {
		return client.Place{}, err
	}
	list, err := s.bySequence(s.ctx, s.applicationID, sequences)
	if err != nil {
		return client.Place{}, err
	}
	slices.SortFunc(list, func(a, b *client.Client) int {
		return strings.Compare(fold(a.Name)+"\x00"+a.Version, fold(b.Name)+"\x00"+b.Version)
	})
	if s.After != (client.Place{}) && s.After.Sequence == 0 && len(list) > 0 && fold(list[0].Name) == after && list[0].Version == version {
		list = list[1:] // the last one of the page before
	}
	s.take(slices.DeleteFunc(list, func(c *client.Client) bool { return c.ID == s.Text }))
	if len(sequences) < candidates {
		return client.Place{}, nil
	}
	return last, nil
}

// byText asks the index as far as it goes, and looks at a window of what comes
// after it.
func (s *search) byText() (client.Place, error) {
	after, began, wide := s.After.Sequence, s.db.now(), false
	for examined := 0; examined < maxExamined && s.db.now().Sub(began) < maxSpell; {
		sequences, covered, err := s.db.texts.candidates(s.ctx, s.applicationID, s.text, after, wide, maxCandidates)
		if err != nil {
			return client.Place{}, err
		}
		wide = len(sequences) <= few && covered-after >= telling
		if after < covered {
			list, err := s.bySequence(s.ctx, s.applicationID, sequences)
			if err != nil {
				return client.Place{}, err
			}
			if len(sequences) == maxCandidates {
				covered = sequences[maxCandidates-1]
			}
			after, examined = covered, examined+len(sequences)
			if !s.take(list) {
				return client.Place{}, nil // the page is full; it says where to go on
			}
			continue
		}
		last, err := s.scan(after)
		if err != nil || last == 0 {
			return client.Place{}, err
		}
		return client.Place{Sequence: last}, nil
	}
	return client.Place{Sequence: after}, nil
}

// scan looks at a window of clients, and gives where it ended; 0: there are no
// more.
func (s *search) scan(after int64) (int64, error) {
	var sequences []int64
	var last int64
	rows, err := readAll(s.ctx, s.db, func(row scanner) (struct{}, error) {
		var name, id, description string
		if err := row.Scan(&last, &name, &id, &description); err != nil {
			return struct{}{}, err
		}
		if len(sequences) < s.Limit && strings.Contains(fold(searched(name, id, description)), s.text) {
			sequences = append(sequences, last)
		}
		return struct{}{}, nil
	}, clientTexts(s.db.dialect), s.applicationID, after, maxScan)
	if err != nil {
		return 0, err
	}
	list, err := s.bySequence(s.ctx, s.applicationID, sequences)
	if err != nil {
		return 0, err
	}
	s.take(list)
	switch {
	case len(sequences) == s.Limit:
		return sequences[s.Limit-1], nil // those after it were not kept
	case len(rows) < maxScan:
		return 0, nil
	default:
		return last, nil
	}
}
