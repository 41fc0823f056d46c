package usage

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
)

const (
	shards = 64 // a power of two; sequences are spread evenly over them

	// early is how many clients are counted at once before they are written
	// ahead of time: about 6 MB.
	early = 25_000
	// most is how many at all, where the database takes nothing for long; what is
	// beyond is lost, and counted as such.
	most = 4 * early
)

// Meter counts in memory. It is safe for concurrent use.
type Meter struct {
	store   Store
	limits  *ratelimit.Limiter
	now     func() time.Time
	shard   [shards]shard
	strays  strays
	size    atomic.Int64  // records in all shards
	full    chan struct{} // holds one when it is time to write early
	lost    atomic.Uint64
	totals  [kinds][reasons]atomic.Uint64
	records sync.Pool

	flushing sync.Mutex
}

// shard holds the records of some clients: what is counted now, and what is
// being written at this moment.
type shard struct {
	mu    sync.Mutex
	young map[int64]*record
	old   map[int64]*record
	_     [32]byte // keeps the locks of neighbours apart
}

// record is what is known of a client since the last writing.
type record struct {
	application string
	used        int64 // microseconds since 1970; 0: not used
	secrets     []secretUse
	counts      []count
}

type secretUse struct {
	id string
	at int64 // microseconds since 1970
}

type count struct {
	cell
	n int64
}

type cell struct {
	hour   Hour
	kind   Kind
	reason Reason
}

// strays are counts of requests whose client is not known.
type strays struct {
	mu     sync.Mutex
	counts map[stray]int64
}

type stray struct {
	application string
	cell
}

// NewMeter makes a meter that writes to store, and with it the daily counts of
// limits.
func NewMeter(store Store, limits *ratelimit.Limiter, now func() time.Time) *Meter {
	m := &Meter{
		store: store, limits: limits, now: now, full: make(chan struct{}, 1),
		records: sync.Pool{New: func() any { return &record{} }},
	}
	m.strays.counts = make(map[stray]int64)
	return m
}

// Used notes that a secret of a client was the right one at the time at. The
// client is named by its Sequence.
func (m *Meter) Used(applicationID string, client int64, secret string, at time.Time) {
	s := &m.shard[client&(shards-1)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := m.record(s, applicationID, client); r != nil {
		r.use(secret, at.UnixMicro())
	}
}

// Count counts a request: what it asked for and what came of it. client is a
// Sequence, 0 where nobody is known; applicationID is "" where it is not known.
// A token that was issued is a use of its client.
func (m *Meter) Count(applicationID string, client int64, kind Kind, reason Reason) {
	m.totals[kind][reason].Add(1)
	at := m.now()
	c := cell{HourOf(at), kind, reason}
	if client == 0 {
		m.strays.add(applicationID, c)
		return
	}
	s := &m.shard[client&(shards-1)]
	s.mu.Lock()
	defer s.mu.Unlock()
	r := m.record(s, applicationID, client)
	if r == nil {
		return
	}
	if reason == Issued {
		r.used = max(r.used, at.UnixMicro())
	}
	r.add(c, 1)
}

// record gives the record of a client, a new one where there is none; nil where
// there is no room. The shard is locked.
func (m *Meter) record(s *shard, applicationID string, client int64) *record {
	if r, ok := s.young[client]; ok {
		return r
	}
	switch n := m.size.Add(1); {
	case n > most:
		m.size.Add(-1)
		m.lost.Add(1)
		return nil
	case n >= early:
		select {
		case m.full <- struct{}{}:
		default:
		}
	}
	if s.young == nil {
		s.young = make(map[int64]*record)
	}
	r := m.records.Get().(*record) //nolint:forcetypeassert // nothing else is in it
	r.application = applicationID
	s.young[client] = r
	return r
}

// free gives a record back that nobody else has.
func (m *Meter) free(r *record) {
	clear(r.secrets)
	*r = record{secrets: r.secrets[:0], counts: r.counts[:0]}
	m.records.Put(r)
}

func (r *record) use(secret string, at int64) {
	r.used = max(r.used, at)
	for i := range r.secrets {
		if s := &r.secrets[i]; s.id == secret {
			s.at = max(s.at, at)
			return
		}
	}
	r.secrets = append(r.secrets, secretUse{secret, at})
}

func (r *record) add(c cell, n int64) {
	for i := range r.counts {
		if r.counts[i].cell == c {
			r.counts[i].n += n
			return
		}
	}
	r.counts = append(r.counts, count{c, n})
}

// merge adds what an older record of the client says.
func (r *record) merge(older *record) {
	r.used = max(r.used, older.used)
	for _, s := range older.secrets {
		r.use(s.id, s.at)
	}
	for _, c := range older.counts {
		r.add(c.cell, c.n)
	}
}

func (s *strays) add(applicationID string, c cell) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[stray{applicationID, c}]++
}

// Requests gives how many requests of each kind came to each end since the
// start: what the metrics show is counted nowhere else.
func (m *Meter) Requests(visit func(kind Kind, reason Reason, n uint64)) {
	for k := range kinds {
		for r := range reasons {
			if n := m.totals[k][r].Load(); n > 0 {
				visit(k, Reason(r), n)
			}
		}
	}
}

// Lost is how many requests were not counted because the database took nothing
// for too long.
func (m *Meter) Lost() uint64 { return m.lost.Load() }

// Run writes what was counted, every so often and whenever there is much of it,
// until ctx is done; what is left then is for Flush. Errors are reported, and
// what could not be written is tried again with what has come since.
func (m *Meter) Run(ctx context.Context, every time.Duration, report func(error)) {
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-m.full:
		}
		if err := m.Flush(ctx); err != nil {
			if ctx.Err() == nil {
				report(err)
			}
			// Not at once again, however much there is.
			select {
			case <-ctx.Done():
				return
			case <-time.After(every):
			}
		}
		timer.Reset(every)
	}
}
