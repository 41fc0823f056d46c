package store

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/token"
)

// writer is the group commit: whoever writes queues, and one transaction takes
// what waits. On SQLite everything goes this way; on PostgreSQL, where
// transactions run side by side, families only.
type writer struct {
	db   *DB
	wake chan struct{} // holds one when there may be something to take
	done chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex
	queue  []*item
	spare  []*item
	closed bool
}

// item is one write that waits: a family to be inserted or rotated, or an
// operation.
type item struct {
	ctx   context.Context
	state atomic.Int32

	family          *token.Family // nil: an operation
	details, latest string        // of the family, as they are stored
	rotate          bool          // it is there, one generation before
	written         bool          // it was inserted, or was still what it is rotated from
	died            []token.ID    // families that this one replaced

	turn chan session // the operation's turn has come
	over chan error   // the operation ran

	err  error
	done chan struct{} // holds one when err is final
}

// States of an item: it is either taken by the writer or dropped by its owner.
const (
	waiting int32 = iota
	taken
	dropped
)

// maxBatch bounds a transaction: at 12 µs a row it takes 6 ms.
const maxBatch = 512

var errClosed = errors.New("store: closed")

func newWriter(db *DB) *writer {
	return &writer{db: db, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// items are used again: the hot path makes one a token.
var items = sync.Pool{New: func() any { return &item{done: make(chan struct{}, 1)} }}

func newItem(ctx context.Context) *item {
	it := items.Get().(*item) //nolint:forcetypeassert // the pool holds nothing else
	it.ctx = ctx
	it.state.Store(waiting)
	return it
}

// free gives an item back whose outcome was read, or that nobody waits for.
func (it *item) free() {
	it.ctx, it.family, it.died, it.err = nil, nil, nil, nil
	it.details, it.latest, it.rotate, it.written = "", "", false, false
	items.Put(it)
}

// finish tells the owner the outcome; the item must not be touched after.
func (it *item) finish(err error) {
	it.err = err
	it.done <- struct{}{}
}

// take claims an item for the writer; an item whose request has gone is
// finished instead. After it, the write happens whatever becomes of the request.
func (it *item) take() bool {
	if !it.state.CompareAndSwap(waiting, taken) {
		it.free()
		return false
	}
	if err := context.Cause(it.ctx); err != nil {
		it.finish(err)
		return false
	}
	return true
}

// wait gives the outcome of an item, or drops the item where it was not yet
// taken when its request ended. The item must not be touched after it: one that
// was dropped is the writer's at once, hence the request is given apart.
func (it *item) wait(ctx context.Context) (written bool, died []token.ID, err error) {
	select {
	case <-it.done:
	case <-ctx.Done():
		if it.state.CompareAndSwap(waiting, dropped) {
			return false, nil, context.Cause(ctx)
		}
		<-it.done
	}
	written, died, err = it.written, it.died, it.err
	it.free()
	return written, died, err
}

// put queues an item.
func (w *writer) put(it *item) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return fault.Unavailablef(errClosed, "The server is stopping.")
	}
	w.queue = append(w.queue, it)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return nil
}

// write queues a family and waits until it is on disk.
func (w *writer) write(ctx context.Context, f *token.Family, details, latest string, rotate bool) (written bool, died []token.ID, err error) {
	it := newItem(ctx)
	it.family, it.details, it.latest, it.rotate = f, details, latest, rotate
	if err := w.put(it); err != nil {
		return false, nil, err
	}
	return it.wait(ctx)
}

// run is the writer's goroutine.
func (w *writer) run() {
	defer close(w.done)
	for range w.wake {
		for {
			w.gather()
			batch, last := w.next()
			if len(batch) > 0 {
				began := time.Now()
				w.db.backend.flush(batch)
				w.db.meter.batch(len(batch), time.Since(began))
				continue
			}
			if last {
				return
			}
			break
		}
	}
}

// gather lets whoever is about to write do so first: a commit costs as much as
// a dozen rows, and on a busy machine the goroutines that are ready to run are
// those that will queue. On an idle one it costs nothing.
func (w *writer) gather() {
	for before := -1; ; {
		w.mu.Lock()
		n := len(w.queue)
		w.mu.Unlock()
		if n == before || n == 0 || n >= maxBatch {
			return
		}
		before = n
		runtime.Gosched()
	}
}

// next takes what waits, less what is no longer wanted; last says that nothing
// will come after it.
func (w *writer) next() (batch []*item, last bool) {
	w.mu.Lock()
	n := min(len(w.queue), maxBatch)
	batch = w.spare[:0]
	batch = append(batch, w.queue[:n]...)
	w.spare = batch
	rest := copy(w.queue, w.queue[n:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
	last = w.closed && rest == 0 && n == 0
	w.mu.Unlock()

	kept := batch[:0]
	for _, it := range batch {
		if it.take() {
			kept = append(kept, it)
		}
	}
	if len(kept) == 0 && n > 0 {
		return w.next()
	}
	return kept, last
}

// length is how many items are queued at this moment.
func (w *writer) length() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// stop refuses what comes now, finishes what is queued and ends the goroutine.
func (w *writer) stop() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	<-w.done
}
