//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/store"
)

var background = context.Background()

// rowsOutcome is what child-rows measured.
type rowsOutcome struct {
	Count int64
	CPU   float64 // seconds of this process
}

// writers store rows at once, so that 64 share a commit as they do in the
// server under 64 connections.
const writers = 64

// measureRows stores families as the server does, in the real table with its
// real indexes ("rows"), and reads them one by one ("reads"): args are the
// directory of SQLite, the URL of PostgreSQL, and for how long.
func measureRows(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: child-rows DIRECTORY URL DURATION")
	}
	duration, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	db, err := store.Open(background, store.Options{Data: args[0], URL: args[1]})
	if err != nil {
		return err
	}
	var known sync.Map // a family a writer
	tokens := db.Tokens()
	err = converse("ready", func(command string) (any, error) {
		work := func(writer, i int) error {
			f := newFamily()
			if i == 0 {
				known.Store(writer, f.ID)
			}
			_, err := tokens.Mint(background, f)
			return err
		}
		if command == "reads" {
			work = func(writer, _ int) error {
				id, _ := known.Load(writer)
				_, err := tokens.Get(background, floorApplication, id.(token.ID))
				return err
			}
		}
		cpu := ownCPU()
		n, err := crowd(duration, work)
		return rowsOutcome{n, (ownCPU() - cpu).Seconds()}, err
	})
	return errors.Join(err, db.Close())
}

// crowd lets all writers work for a while and counts what they did.
func crowd(duration time.Duration, work func(writer, i int) error) (int64, error) {
	var done atomic.Int64
	var all sync.WaitGroup
	failures := make(chan error, writers)
	until := time.Now().Add(duration)
	for writer := range writers {
		all.Go(func() {
			for i := 0; time.Now().Before(until); i++ {
				if err := work(writer, i); err != nil {
					failures <- err
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	close(failures)
	return done.Load(), <-failures
}

const (
	floorApplication = "73jzx34tnr5ruhsze494ssgz2b"
	floorClient      = "3bchk5hsx6v58dkn288nbybmxfyk32u7"
)

func newFamily() *token.Family {
	now := time.Now()
	f := &token.Family{
		ID: token.NewID(now), ApplicationID: floorApplication, ClientID: floorClient, ClientEra: 8_123_456_789_012_345_678,
		GrantType: oauth.ClientCredentials, Format: lifetime.JWT, TokenKey: 2, IssuedAt: now, AccessExpiresAt: now.Add(time.Hour), Address: "127.0.0.1",
	}
	_, _ = rand.Read(f.Salt[:])
	return f
}

// rows measures the durable row and the point SELECT on one database.
func (b *bench) rows(ctx context.Context, name, dir string, db *postgres) (err error) {
	url := ""
	if db != nil {
		url = db.url("floor")
	}
	c, err := startChild(ctx, "child-rows", dir, url, b.duration.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	for _, command := range []string{"rows", "reads"} {
		before, err := db.cpu()
		if err != nil {
			return err
		}
		var o rowsOutcome
		if err := c.work(command, &o); err != nil {
			return fmt.Errorf("floor: %s on %s: %w", command, name, err)
		}
		after, err := db.cpu()
		if err != nil {
			return err
		}
		thousands := float64(o.Count) / 1000
		b.record(figure("floor", command+"_"+name, 0, "cpu"), o.CPU/thousands)
		b.record(figure("floor", command+"_"+name, 0, "both"), (o.CPU+(after-before).Seconds())/thousands)
	}
	return nil
}
