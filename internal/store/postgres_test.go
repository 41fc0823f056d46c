package store_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/pgtest"
	"github.com/ostiary/ostiary/internal/store"
)

// until waits for a condition that another process brings about.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(30 * time.Second); !condition(); <-tick.C {
		if time.Now().After(limit) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

// query gives the one value of a query.
func query[T any](t *testing.T, url, text string) (v T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(t.Context(), text).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

const endHold = `SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
	WHERE application_name LIKE 'ostiary %' AND datname = current_database()`

func TestSecondServerOnOneDatabase(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	first := environment(t, store.Options{URL: url})
	if second, err := store.Open(t.Context(), store.Options{URL: url}); err == nil {
		t.Fatal("a second server opened the database", second.Close())
	} else if !strings.Contains(err.Error(), "another ostiary") {
		t.Fatalf("the refusal does not say why: %v", err)
	}
	const held = `SELECT held FROM node`
	if !query[bool](t, url, held) {
		t.Error("a server that runs has left no note of it")
	}
	if err := first.DB.Close(); err != nil {
		t.Fatal(err)
	}
	if query[bool](t, url, held) {
		t.Error("a server that stopped in good order has left its note")
	}
	first.Reopen()
	if err := first.DB.Healthy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A server that has just ended is waited for: the database may not have noticed.
func TestHoldThatIsAboutToEnd(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	before, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, int64(0x6f73746961727931)); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() {
		conn, err := pgx.Connect(context.Background(), url)
		if err == nil {
			// The opening server has asked for the lock once it is connected.
			for n := 0; err == nil && n == 0; {
				err = conn.QueryRow(context.Background(), `SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'ostiary %'`).Scan(&n)
			}
			err = errors.Join(err, conn.Close(context.Background()))
		}
		waited <- errors.Join(err, before.Close(context.Background()))
	}()
	environment(t, store.Options{URL: url})
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
}

// A hold that is lost and taken again voids what was remembered meanwhile.
func TestHoldRegained(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	regained := make(chan struct{}, 1)
	env := environment(t, store.Options{URL: url, Regained: func() { regained <- struct{}{} }})
	if n := query[int](t, url, endHold); n != 1 {
		t.Fatalf("%d connections hold the database, want 1", n)
	}
	<-regained
	until(t, "a good lease", func() bool { return env.DB.Healthy(t.Context()) == nil })
}

// A hold that another server takes meanwhile ends this one.
func TestHoldTakenOver(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	fatal := make(chan error, 1)
	env := environment(t, store.Options{URL: url, Fatal: func(err error) { fatal <- err }})
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close(context.Background()) }()
	locked := make(chan error, 1)
	go func() {
		_, err := other.Exec(context.Background(), `SELECT pg_advisory_lock($1)`, int64(0x6f73746961727931))
		locked <- err
	}()
	until(t, "the other server's wait", func() bool {
		return query[int](t, url, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`) == 1
	})
	query[int](t, url, endHold)
	if err := <-locked; err != nil {
		t.Fatal(err)
	}
	if err := <-fatal; !strings.Contains(err.Error(), "another ostiary") {
		t.Fatalf("the store ended because %v", err)
	}
	if _, err := env.DB.Tokens().Mint(t.Context(), family(1)); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("a token after the database was lost: %v", err)
	}
}

// A database that is gone is a fault Unavailable everywhere, and no more once
// it is back.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	cluster := pgtest.New(t)
	env := environment(t, store.Options{URL: cluster.Database(t)})
	stored := family(1)
	if _, err := env.DB.Tokens().Mint(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Stop(); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{
		"mint": func() error {
			_, err := env.DB.Tokens().Mint(t.Context(), family(1))
			return err
		},
		"get": func() error {
			_, err := env.DB.Tokens().Get(t.Context(), stored.ApplicationID, stored.ID)
			return err
		},
		"change": func() error {
			return env.DB.Audit().Record(t.Context(), audit.New(audit.System(), "", "x", "y", now))
		},
	}
	check := func() {
		t.Helper()
		for name, call := range calls {
			if err := call(); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%s without a database: %v", name, err)
			}
		}
	}
	check() // the hold is still believed in: it is the statements that fail
	until(t, "the end of the lease", func() bool { return env.DB.Lease() != nil })
	before := env.DB.Statements()
	check()
	if n := env.DB.Statements() - before; n != 0 {
		t.Errorf("%d statements without a lease, want 0", n)
	}
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "a good lease", func() bool { return env.DB.Healthy(t.Context()) == nil })
	for name, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s after the database came back: %v", name, err)
		}
	}
}

// A commit that the synchronous standby did not confirm is not answered as
// done, and the end of a request does not cut the wait short.
func TestStandbySilent(t *testing.T) {
	t.Parallel()
	cluster := pgtest.New(t)
	url := cluster.Database(t)
	env := environment(t, store.Options{URL: url})
	cluster.Exec(t, `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`)
	cluster.Exec(t, `SELECT pg_reload_conf()`)
	const waiting = `FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()`
	// Commits wait from when the checkpointer has read the setting, whenever that is.
	read := make(chan struct{})
	go func() {
		defer close(read)
		for env.DB.Audit().Record(context.WithoutCancel(t.Context()), audit.New(audit.System(), "", "x", "y", now)) == nil {
			runtime.Gosched()
		}
	}()
	until(t, "the first wait for the standby", func() bool { return query[int](t, url, `SELECT count(pg_cancel_backend(pid)) `+waiting) == 1 })
	<-read
	for name, call := range map[string]func(context.Context) error{
		"mint": func(ctx context.Context) error {
			_, err := env.DB.Tokens().Mint(ctx, family(1))
			return err
		},
		"change": func(ctx context.Context) error {
			return env.DB.Audit().Record(ctx, audit.New(audit.System(), "", "x", "y", now))
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- call(ctx) }()
		until(t, "the wait for the standby", func() bool { return query[int](t, url, `SELECT count(*) `+waiting) == 1 })
		cancel()
		// Whatever the end of the request sets off must have been set off by now.
		for range 10 {
			if query[int](t, url, `SELECT count(*) `+waiting) != 1 {
				t.Fatalf("%s: the end of the request ended the wait", name)
			}
		}
		select {
		case err := <-done:
			t.Fatalf("%s was answered before the standby: %v", name, err)
		default:
		}
		query[int](t, url, `SELECT count(pg_cancel_backend(pid)) `+waiting)
		if err := <-done; fault.KindOf(err) != fault.Unavailable || errors.Is(err, context.Canceled) {
			t.Fatalf("%s without the standby: %v", name, err)
		}
	}
	cluster.Exec(t, `ALTER SYSTEM RESET synchronous_standby_names`)
	cluster.Exec(t, `SELECT pg_reload_conf()`)
}
