package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/token"
)

func opened(t *testing.T, options Options) (*DB, *sqliteBackend) {
	t.Helper()
	options.Data = t.TempDir()
	db, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, db.backend.(*sqliteBackend)
}

func fresh() *token.Family {
	at := time.Now()
	return &token.Family{ID: token.NewID(at), ApplicationID: "a", ClientID: "c", IssuedAt: at, AccessExpiresAt: at.Add(time.Hour)}
}

// A full disk refuses writes, loses nothing, and is over when it is over.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	db, b := opened(t, Options{Fatal: func(err error) { t.Errorf("a full disk stopped the store: %v", err) }})
	limit := func(pages int) {
		t.Helper()
		if _, _, err := one(t.Context(), b.session, column[int], `PRAGMA max_page_count = `+strconv.Itoa(pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(60)
	var stored []*token.Family
	for {
		f := fresh()
		f.Address = string(make([]byte, 1000))
		_, err := db.Tokens().Mint(t.Context(), f)
		if err == nil {
			stored = append(stored, f)
			continue
		}
		if fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("a full disk is %v", err)
		}
		break
	}
	big := audit.New(audit.System(), "", "x", "y", time.Now())
	big.After = make([]byte, 100_000)
	if err := db.Audit().Record(t.Context(), big); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("a full disk is %v", err)
	}
	if err := db.Lease(); err != nil {
		t.Fatal(err)
	}
	for _, f := range stored {
		if _, err := db.Tokens().Get(t.Context(), "a", f.ID); err != nil {
			t.Fatal(err)
		}
	}
	limit(100_000)
	if _, err := db.Tokens().Mint(t.Context(), fresh()); err != nil {
		t.Fatal(err)
	}
}

// failing is a statement of a broken disk.
type failing struct{ driver.Stmt }

var errDisk = errors.New("input/output error")

func (failing) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return nil, errDisk
}

// After a commit of unknown outcome nothing is answered any more, and whoever
// runs the store hears of it once.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	fatal := make(chan error, 10)
	db, b := opened(t, Options{Fatal: func(err error) { fatal <- err }})
	stored := fresh()
	if _, err := db.Tokens().Mint(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	b.rows.committing = failing{b.rows.committing}
	for range 3 {
		if _, err := db.Tokens().Mint(t.Context(), fresh()); fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("a failed commit is %v", err)
		}
		if err := db.Audit().Record(t.Context(), audit.New(audit.System(), "", "x", "y", time.Now())); fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("a failed commit is %v", err)
		}
	}
	if _, err := db.Tokens().Get(t.Context(), "a", stored.ID); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("a read after a failed commit: %v", err)
	}
	if err := db.Healthy(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("healthy after a failed commit: %v", err)
	}
	if err := <-fatal; !errors.Is(err, errDisk) {
		t.Fatalf("told of %v", err)
	}
	if len(fatal) != 0 {
		t.Fatal("told more than once")
	}
}

// Under a load without a pause the log is begun anew all the same.
func TestLogIsBegunAnew(t *testing.T) {
	t.Parallel()
	_, b := opened(t, Options{})
	write := func(ctx context.Context, s session) error {
		event := audit.New(audit.System(), "", "x", "y", time.Now())
		event.After = make([]byte, 256<<10)
		return record(ctx, s, event)
	}
	var before frames
	for anew, written := 0, 0; anew < 3; written++ {
		if written > 8000 {
			t.Fatalf("after 2 GB the log was begun anew %d times and has %d frames", anew, before.all)
		}
		if err := b.change(t.Context(), write); err != nil {
			t.Fatal(err)
		}
		log, _, err := one(t.Context(), b.session, scanFrames, "PRAGMA wal_checkpoint(NOOP)")
		if err != nil {
			t.Fatal(err)
		}
		if log.all < before.all {
			anew++
		}
		before = log
	}
}

// A write whose request ends while it waits behind another is not made.
func TestRequestGoneInQueue(t *testing.T) {
	t.Parallel()
	db, b := opened(t, Options{})
	begun, finish := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- b.change(context.Background(), func(context.Context, session) error {
			close(begun)
			<-finish
			return nil
		})
	}()
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	f, event := fresh(), audit.New(audit.System(), "", "late", "y", time.Now())
	late := make(chan error, 2)
	go func() {
		_, err := db.Tokens().Mint(ctx, f)
		late <- err
	}()
	go func() { late <- db.Audit().Record(ctx, event) }()
	for db.Stats().Queued != 2 {
		runtime.Gosched()
	}
	cancel()
	for range 2 {
		if err := <-late; fault.KindOf(err) != fault.Unavailable || !errors.Is(err, context.Canceled) {
			t.Errorf("a request that ended in the queue got %v", err)
		}
	}
	close(finish)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if _, err := db.Tokens().Mint(t.Context(), fresh()); err != nil { // behind the two
		t.Fatal(err)
	}
	if _, err := db.Tokens().Get(t.Context(), "a", f.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the family was stored all the same: %v", err)
	}
	events, _, err := db.Audit().Events(t.Context(), "", Cursor{}, 10)
	if err != nil || len(events) != 0 {
		t.Errorf("%d events were stored all the same (%v)", len(events), err)
	}
}

// Closing answers what is queued and refuses what comes later.
func TestClose(t *testing.T) {
	t.Parallel()
	db, _ := opened(t, Options{CommitDelay: time.Millisecond})
	const n = 100
	var stored sync.Map
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			f := fresh()
			_, err := db.Tokens().Mint(context.Background(), f)
			switch {
			case err == nil:
				stored.Store(f.ID, true)
			case fault.KindOf(err) != fault.Unavailable:
				t.Errorf("closing answered with %v", err)
			}
		})
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if _, err := db.Tokens().Mint(t.Context(), fresh()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a closed store answered with %v", err)
	}
}

// A directory is given back while a program that is just being started has the
// file of the lock open still.
func TestUnlock(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	first, err := lockDirectory(directory)
	if err != nil {
		t.Fatal(err)
	}
	inherited, err := syscall.Dup(int(first.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(inherited) }()
	if err := unlockDirectory(first); err != nil {
		t.Fatal(err)
	}
	second, err := lockDirectory(directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := unlockDirectory(second); err != nil {
		t.Fatal(err)
	}
}
