package usage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
)

// maxStep bounds a transaction, in rows: it holds the one writer that SQLite has
// for 4 ms, or 10 where each row is of another of 1,000,000 clients.
const maxStep = 200

// step is a part of what is to be written.
type step struct {
	batch   Batch
	clients []int64 // whose records are in it
	strays  map[stray]int64
	totals  map[stray]int64
}

// Flush writes what was counted until now. Where it fails, what is not yet
// written is kept for the next time; nothing is written twice.
func (m *Meter) Flush(ctx context.Context) error {
	m.flushing.Lock()
	defer m.flushing.Unlock()
	clients := m.take()
	days := m.limits.Take()
	strays := m.strays.take()
	for len(clients)+len(days)+len(strays) > 0 {
		s := step{strays: strays, totals: maps.Clone(strays)}
		if s.totals == nil {
			s.totals = make(map[stray]int64)
		}
		var rows int
		clients, rows = m.fill(&s, clients)
		n := min(len(days), max(0, maxStep-rows))
		s.batch.Days, days = days[:n], days[n:]
		s.sum()
		if err := m.store.Add(ctx, &s.batch); err != nil {
			m.giveBack(&s, days)
			return fmt.Errorf("write how clients are used: %w", err)
		}
		m.written(s.clients)
		strays = nil
	}
	m.limits.Forget()
	return nil
}

// take makes what was counted what is being written, and gives its clients in
// order.
func (m *Meter) take() []int64 {
	var clients []int64
	for i := range m.shard {
		s := &m.shard[i]
		s.mu.Lock()
		s.old, s.young = s.young, nil
		for client := range s.old {
			clients = append(clients, client)
		}
		s.mu.Unlock()
	}
	slices.Sort(clients)
	return clients
}

func (s *strays) take() map[stray]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.counts) == 0 {
		return nil
	}
	taken := s.counts
	s.counts = make(map[stray]int64)
	return taken
}

// fill puts the records of clients into a step, as many as it may hold and at
// least one, and gives those that are left. Nobody writes to an old record, so
// the pointers may leave the lock.
func (m *Meter) fill(s *step, clients []int64) (left []int64, rows int) {
	for i, client := range clients {
		if rows >= maxStep {
			return clients[i:], rows
		}
		shard := &m.shard[client&(shards-1)]
		shard.mu.Lock()
		r := shard.old[client]
		shard.mu.Unlock()
		rows += s.add(client, r)
	}
	return nil, rows
}

// add puts a record into the batch, and says how many rows it makes there.
func (s *step) add(client int64, r *record) int {
	s.clients = append(s.clients, client)
	b := &s.batch
	if r.used > 0 {
		b.Uses = append(b.Uses, Use{client, time.UnixMicro(r.used).UTC()})
	}
	for _, u := range r.secrets {
		b.Secrets = append(b.Secrets, SecretUse{client, u.id, time.UnixMicro(u.at).UTC()})
	}
	for _, c := range r.counts {
		b.Clients = append(b.Clients, ClientCount{client, c.shown(c.n)})
		s.totals[stray{r.application, c.cell}] += c.n
	}
	return 1 + len(r.secrets) + len(r.counts)
}

func (c cell) shown(n int64) Count { return Count{c.hour, c.kind.String(), c.reason.String(), n} }

// sum makes the totals, and puts all that has no order yet in one.
func (s *step) sum() {
	b := &s.batch
	for t, n := range s.totals {
		b.Totals = append(b.Totals, Total{t.application, t.shown(n)})
	}
	slices.SortFunc(b.Totals, func(x, y Total) int {
		return cmp.Or(cmp.Compare(x.ApplicationID, y.ApplicationID), Compare(x.Count, y.Count))
	})
	slices.SortFunc(b.Clients, func(x, y ClientCount) int {
		return cmp.Or(cmp.Compare(x.Hour, y.Hour), cmp.Compare(x.Client, y.Client), Compare(x.Count, y.Count))
	})
	slices.SortFunc(b.Secrets, func(x, y SecretUse) int {
		return cmp.Or(cmp.Compare(x.Client, y.Client), cmp.Compare(x.Secret, y.Secret))
	})
}

// Compare orders counts by hour, kind and reason.
func Compare(x, y Count) int {
	return cmp.Or(cmp.Compare(x.Hour, y.Hour), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Reason, y.Reason))
}

// written forgets the records of clients that are on disk.
func (m *Meter) written(clients []int64) {
	for _, client := range clients {
		s := &m.shard[client&(shards-1)]
		s.mu.Lock()
		r := s.old[client]
		delete(s.old, client)
		s.mu.Unlock()
		m.free(r)
	}
	m.size.Add(-int64(len(clients)))
}

// giveBack counts again what could not be written: all old records, and of the
// step what is in no record.
func (m *Meter) giveBack(s *step, days []ratelimit.Day) {
	m.limits.Restore(s.batch.Days)
	m.limits.Restore(days)
	for t, n := range s.strays {
		m.strays.mu.Lock()
		m.strays.counts[t] += n
		m.strays.mu.Unlock()
	}
	for i := range m.shard {
		shard := &m.shard[i]
		shard.mu.Lock()
		for client, older := range shard.old {
			if r, ok := shard.young[client]; ok {
				r.merge(older)
				m.size.Add(-1)
				m.free(older)
				continue
			}
			if shard.young == nil {
				shard.young = make(map[int64]*record)
			}
			shard.young[client] = older
		}
		shard.old = nil
		shard.mu.Unlock()
	}
}
