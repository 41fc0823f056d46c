//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/bench/fill"
	"github.com/ostiary/ostiary/bench/procfs"
	counts "github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/store"
)

// listed is how many clients, audit events, token families and users the lists
// are measured with.
const listed = 1_000_000

// pages are asked of each list in a round: the first ones of some questions of
// its kind, and those that follow them.
const (
	pagesARound = 100
	pagesInARow = 5
)

// lists measures every list, search and filter of the management API on an
// instance of the size that the budgets name.
func (b *bench) lists(ctx context.Context) (err error) {
	if !b.wants("lists") {
		return nil
	}
	if err := b.listsOf(ctx, "lists-sqlite", nil); err != nil {
		return err
	}
	db, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.stop()) }()
	return b.listsOf(ctx, "lists-postgres", db)
}

func (b *bench) listsOf(ctx context.Context, name string, db *postgres) (err error) {
	s, err := b.found(ctx, name, db.url("server"))
	if err != nil {
		return err
	}
	in := fill.Instance{Data: s.data, URL: s.database, Application: s.application, Many: listed, Now: time.Now()}
	some, err := fill.Fill(ctx, in, b.say)
	if err != nil {
		return err
	}
	if err := b.storeReads(ctx, name, s, db, some); err != nil {
		return err
	}
	if err := b.measureStart(ctx, s, name, "start"); err != nil {
		return err
	}
	if _, err := s.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	l := &lister{bench: b, site: s, name: name, database: db}
	if err := l.signIn(ctx); err != nil {
		return err
	}
	for b.round = range b.runs {
		for _, q := range questions(some, in.Now) {
			if err := l.ask(ctx, &q); err != nil {
				return fmt.Errorf("%s: %s: %w", name, q.says, err)
			}
		}
	}
	b.round = 0
	b.record(figure(name, "console", 0, "heaviest"), float64(l.heaviest)/1000)
	if err := b.recordMemory(s, name, "rss"); err != nil {
		return err
	}
	return b.importMany(ctx, name, s, db)
}

// lister asks one server for lists.
type lister struct {
	*bench

	site     *site
	name     string
	database *postgres
	session  *http.Cookie // of the administrator, for pages of the console
	heaviest int          // bytes of the longest of these pages
}

// ask measures one kind of question. Between any two pages it asks for one
// client: how long that takes says how busy the machine was.
func (l *lister) ask(ctx context.Context, q *question) error {
	asked, inARow := 0, 0
	path := q.path(0)
	m := &pages{bench: l.bench, name: l.name, says: q.says, cpu: l.cpu}
	return m.measure(func() (page, single time.Duration, err error) {
		page, next, err := l.get(ctx, path)
		if err != nil {
			return 0, 0, err
		}
		if inARow++; next == "" || inARow == pagesInARow {
			inARow, asked = 0, asked+1
			path = q.path(asked)
		} else {
			path = next
		}
		single, _, err = l.get(ctx, "/clients/"+fill.BusyClient)
		return page, single, err
	})
}

// pages is a measurement of the pages that answer one kind of question.
type pages struct {
	*bench

	name, says string
	cpu        func() (time.Duration, error)
}

// measure asks for pages; ask gives how long one took, and how long it took to
// show one client after it.
func (m *pages) measure(ask func() (page, single time.Duration, err error)) error {
	var pages, single []float64
	before, err := m.cpu()
	if err != nil {
		return err
	}
	for range pagesARound {
		page, one, err := ask()
		if err != nil {
			return err
		}
		pages, single = append(pages, milliseconds(page)), append(single, milliseconds(one))
	}
	after, err := m.cpu()
	if err != nil {
		return err
	}
	p50, p99, beside, spent := percentile(pages, 50), percentile(pages, 99), percentile(single, 99), milliseconds(after-before)/pagesARound
	for unit, value := range map[string]float64{"p50": p50, "p99": p99, "beside": beside, "cpu": spent} {
		m.record(figure(m.name, m.says, 0, unit), value)
	}
	m.say("round %d: %-14s %-50s p50 %6.1f ms, p99 %6.1f ms; one client: p99 %5.1f ms; CPU %5.1f ms", m.round+1, m.name, m.says, p50, p99, beside, spent)
	return nil
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// cpu is what the server and its database have used.
func (l *lister) cpu() (time.Duration, error) {
	server, err := procfs.CPU(l.site.process.Process.Pid)
	if err != nil {
		return 0, err
	}
	database, err := l.database.cpu()
	return server + database, err
}

// get asks for a page, and gives how long it took and the path of the next one,
// "" where there is none.
func (l *lister) get(ctx context.Context, path string) (took time.Duration, next string, err error) {
	below, page := strings.CutPrefix(path, ofConsole)
	address := "http://" + l.site.main.String() + "/api/v1/applications/" + l.site.application + path
	if page {
		address = "http://" + l.site.main.String() + "/console/apps/" + l.site.application + below
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, "", err
	}
	if page {
		request.AddCookie(l.session)
	} else {
		request.Header.Set("Authorization", l.site.owner.basic())
	}
	began := time.Now()
	answer, err := http.DefaultTransport.RoundTrip(request) // a redirect is no page
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(answer.Body)
	took = time.Since(began)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return 0, "", err
	}
	if answer.StatusCode != http.StatusOK {
		return 0, "", fmt.Errorf("GET %s: %s: %.300s", path, answer.Status, body)
	}
	if page {
		l.heaviest = max(l.heaviest, len(body))
		return took, l.nextPage(string(body)), nil
	}
	var list struct {
		Next *string `json:"next_cursor"`
	}
	if err := json.Unmarshal(body, &list); err != nil || list.Next == nil {
		return took, "", err
	}
	return took, following(path, *list.Next), nil
}

// following is the path of the page that begins at a cursor.
func following(path, cursor string) string {
	list, text, _ := strings.Cut(path, "?")
	values, _ := url.ParseQuery(text) // written by query
	values.Set("cursor", cursor)
	return list + "?" + values.Encode()
}

// percentile is the value that p percent of all are not above (nearest rank).
func percentile(values []float64, p int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// storeReads measures what the management API does not answer: the counts of 90
// days, the sessions of a user. The server does not run; the search index is
// made besides, which takes the server minutes since it pauses in between.
func (b *bench) storeReads(ctx context.Context, name string, s *site, server *postgres, some fill.Some) (err error) {
	db, err := store.Open(ctx, store.Options{Data: s.data, URL: s.database})
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, db.Close())
		time.Sleep(500 * time.Millisecond) // see addCallers
	}()
	b.say("indexing texts")
	for more := true; more; {
		if more, err = db.IndexTexts(ctx, 5000); err != nil {
			return err
		}
	}
	busy, err := db.Clients().Get(ctx, s.application, fill.BusyClient)
	if err != nil {
		return err
	}
	last := counts.HourOf(time.Now())
	first := last - fill.Hours
	for _, q := range []struct {
		says  string
		least int // rows that are to be found
		read  func(i int) (int, error)
	}{
		{usageOfClient, fill.Hours / 24, func(int) (int, error) {
			found, err := db.Usage().Clients(ctx, busy.Sequence, first, last, counts.Daily)
			return len(found), err
		}},
		{usageOfApplication, fill.Hours / 24, func(int) (int, error) {
			found, err := db.Usage().Totals(ctx, s.application, first, last, counts.Daily)
			return len(found), err
		}},
		{sessionsOfUser, 1, func(i int) (int, error) {
			// The first of them have their session from another one.
			found, err := db.Sessions().List(ctx, s.application, some.Users[1+i%(len(some.Users)-1)])
			return len(found), err
		}},
		{sessionsOfBusyUser, fill.UserSessions, func(int) (int, error) {
			found, err := db.Sessions().List(ctx, s.application, some.Users[len(some.Users)/2])
			return len(found), err
		}},
	} {
		for b.round = range b.runs {
			i := 0
			m := &pages{bench: b, name: name, says: q.says, cpu: func() (time.Duration, error) {
				database, err := server.cpu()
				return ownCPU() + database, err
			}}
			err := m.measure(func() (time.Duration, time.Duration, error) {
				began := time.Now()
				n, err := q.read(i)
				took := time.Since(began)
				if i++; err != nil || n < q.least {
					return 0, 0, errors.Join(fmt.Errorf("%s: %d found", q.says, n), err)
				}
				_, err = db.Clients().Get(ctx, s.application, fill.BusyClient)
				return took, time.Since(began) - took, err
			})
			if err != nil {
				return err
			}
		}
	}
	b.round = 0
	return nil
}
