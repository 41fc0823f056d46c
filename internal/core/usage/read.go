package usage

import (
	"context"
	"fmt"
	"time"
)

// Last gives when the clients with these Sequences, and their secrets, were last
// used: what is not yet written included. One that never was may be absent.
func (m *Meter) Last(ctx context.Context, sequences ...int64) (map[int64]Last, error) {
	if len(sequences) == 0 {
		return nil, nil
	}
	// Memory first: what is written meanwhile is found in the database then.
	recent := make(map[int64]Last, len(sequences))
	for _, client := range sequences {
		if l, ok := m.recent(client); ok {
			recent[client] = l
		}
	}
	found, err := m.store.Last(ctx, sequences)
	if err != nil {
		return nil, fmt.Errorf("read when clients were last used: %w", err)
	}
	for client, r := range recent {
		l := found[client]
		l.Client = later(l.Client, r.Client)
		for id, at := range r.Secrets {
			if l.Secrets == nil {
				l.Secrets = make(map[string]time.Time)
			}
			l.Secrets[id] = later(l.Secrets[id], at)
		}
		found[client] = l
	}
	return found, nil
}

// recent is what memory says of a client.
func (m *Meter) recent(client int64) (l Last, ok bool) {
	s := &m.shard[client&(shards-1)]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, records := range []map[int64]*record{s.old, s.young} {
		r := records[client]
		if r == nil || r.used == 0 {
			continue
		}
		l.Client = later(l.Client, time.UnixMicro(r.used).UTC())
		for _, u := range r.secrets {
			if l.Secrets == nil {
				l.Secrets = make(map[string]time.Time)
			}
			l.Secrets[u.id] = later(l.Secrets[u.id], time.UnixMicro(u.at).UTC())
		}
		ok = true
	}
	return l, ok
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Unused gives at most limit clients of an application that were last used
// before the time given, or made before it and never used, those first that are
// unused for longest, and where to go on; done where there are no more. active
// nil: whether they are active or not. A client that was used a moment ago is left
// out, so there may be fewer.
func (m *Meter) Unused(ctx context.Context, applicationID string, before time.Time, active *bool, after Place, limit int) (found []Unused, next Place, done bool, err error) {
	list, err := m.store.Unused(ctx, applicationID, before, active, after, limit)
	if err != nil {
		return nil, Place{}, false, fmt.Errorf("look for unused clients: %w", err)
	}
	for _, u := range list {
		if l, ok := m.recent(u.Sequence); !ok || l.Client.Before(before) {
			found = append(found, u)
		}
		next = u.Place
	}
	return found, next, len(list) < limit, nil
}

// hourly is the longest time that is given hour by hour: a chart has room for no
// more, and 90 days of an application would be some ten thousand counts.
const hourly = 14 * 24 * time.Hour

// Clients gives the counts of a client, by its Sequence: hour by hour, those of
// more than two weeks day by day. What was counted in the last seconds is not yet
// among them.
func (m *Meter) Clients(ctx context.Context, sequence int64, from, until time.Time) ([]Count, error) {
	first, last, step := m.hours(from, until)
	return m.store.Clients(ctx, sequence, first, last, step)
}

// Totals gives the counts of an application, as Clients.
func (m *Meter) Totals(ctx context.Context, applicationID string, from, until time.Time) ([]Count, error) {
	first, last, step := m.hours(from, until)
	return m.store.Totals(ctx, applicationID, first, last, step)
}

// Denials gives at most limit clients of an application whose requests were Denied
// since a time, those first that have most, as far as they are among the latest of
// all applications.
func (m *Meter) Denials(ctx context.Context, applicationID string, from time.Time, limit int) ([]Denial, error) {
	first, last, _ := m.hours(from, m.now())
	return m.store.Denials(ctx, applicationID, first, last, limit)
}

// hours gives the hours of a time, those of them that there can be counts of,
// and how the counts are added up.
func (m *Meter) hours(from, until time.Time) (first, last Hour, step Step) {
	now, step := m.now(), Hourly
	if until.Sub(from) > hourly {
		step = Daily
	}
	return max(HourOf(from), HourOf(now.Add(-Kept))), min(HourOf(until), HourOf(now)), step
}

// Sweep removes at most limit counts that were kept for long enough, and says
// how many it removed.
func (m *Meter) Sweep(ctx context.Context, limit int) (int, error) {
	return m.store.Remove(ctx, m.now().Add(-Kept), limit)
}
