package app

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	// sweepStep bounds what one transaction removes: about 5 ms of the one
	// writer that SQLite has.
	sweepStep  = 500
	sweepEvery = 5 * time.Second
	// stepPause lies between steps while there is more, so that requests come
	// between: up to 10,000 rows a second, more than are issued.
	stepPause = 50 * time.Millisecond
	// failedPause follows a step that failed.
	failedPause = 5 * time.Second
	// secretKept is how long an expired secret stays visible.
	secretKept = 30 * 24 * time.Hour

	signingEvery = time.Minute

	// usageEvery is how often what was counted is written: a crash loses what
	// came since, and half as much again where the writing takes long.
	usageEvery = 5 * time.Second
)

// Sweep takes one small step at everything that has ended save sessions, and
// reports whether there may be more.
func (a *App) Sweep(ctx context.Context) (more bool, err error) {
	now := a.now()
	tokens := a.Store.Tokens()
	for _, remove := range []func() (int, error){
		func() (int, error) { return tokens.RemoveExpired(ctx, now, sweepStep) },
		func() (int, error) { return tokens.RemoveDead(ctx, now, sweepStep) },
		func() (int, error) {
			return a.Store.Clients().RemoveExpiredSecrets(ctx, now.Add(-secretKept), sweepStep)
		},
		func() (int, error) { return a.Usage.Sweep(ctx, sweepStep) },
		func() (int, error) { return a.Consents.Sweep(ctx, sweepStep) },
		func() (int, error) { return a.Store.Links().RemoveExpired(ctx, now, sweepStep) },
		func() (int, error) { return a.Store.Users().RemoveRemains(ctx, now, sweepStep) },
		func() (int, error) { return a.Store.Instance().RemoveRemains(ctx, now, sweepStep) },
	} {
		n, err := remove()
		if err != nil {
			return false, err
		}
		more = more || n >= sweepStep
	}
	return more, nil
}

func (a *App) sweepLoop(ctx context.Context) {
	steadily(ctx, sweepEvery, a.Sweep, func(err error) { slog.Error("expired rows were not removed; trying again", "error", err) })
}

// sessionsEvery is how often sessions that are over are looked for: clients hear of
// an end within five seconds, and their answer may take four of these.
const sessionsEvery = time.Second

func (a *App) sessionLoop(ctx context.Context) {
	steadily(ctx, sessionsEvery, func(ctx context.Context) (more bool, err error) {
		n, err := a.Sessions.Sweep(ctx, sweepStep)
		return n >= sweepStep, err
	}, func(err error) { slog.Error("sessions that are over were not ended; trying again", "error", err) })
}

func usageFailed(err error) {
	slog.Error("what was counted is not written; trying again", "error", err, "in", usageEvery)
}

// Tend takes the steps that are due in the schedules of the signing keys, of
// every application. What fails in one keeps no other from its turn.
func (a *App) Tend(ctx context.Context) error {
	const page = 200
	var failed []error
	for after := ""; ; {
		apps, err := a.Store.Instance().List(ctx, after, page)
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		for _, app := range apps {
			failed = append(failed, a.Signers.Tend(ctx, app.ID, app.Settings.Algorithm()))
			after = app.ID
		}
		if len(apps) < page {
			return errors.Join(failed...)
		}
	}
}

func (a *App) signingLoop(ctx context.Context) {
	steadily(ctx, signingEvery, func(ctx context.Context) (more bool, err error) { return false, a.Tend(ctx) },
		func(err error) { slog.Error("the signing keys were not looked after; trying again", "error", err) })
}

const (
	// indexStep bounds what one step of the search index writes: about 20 ms, in
	// a file that nothing else waits for.
	indexStep  = 200
	indexEvery = time.Second
)

// indexLoop keeps the index that clients are searched by up to date.
func (a *App) indexLoop(ctx context.Context) {
	steadily(ctx, indexEvery, func(ctx context.Context) (more bool, err error) { return a.Store.IndexTexts(ctx, indexStep) },
		func(err error) { slog.Error("the search index is not up to date; trying again", "error", err) })
}

// seenEvery is how often the times at which sessions were seen are written.
const seenEvery = 30 * time.Second

func (a *App) seenLoop(ctx context.Context) {
	steadily(ctx, seenEvery, func(ctx context.Context) (more bool, err error) { return false, a.Sessions.Flush(ctx) },
		func(err error) { slog.Error("when sessions were seen is not written; trying again", "error", err) })
}

// steadily takes a step every so often, as long as the context lasts; the next
// one soon where there is more to do, and later where one failed.
func steadily(ctx context.Context, every time.Duration, step func(context.Context) (more bool, err error), failed func(error)) {
	for wait := every; pause(ctx, wait); {
		wait = every
		more, err := step(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			wait = max(every, failedPause)
			failed(err)
		case more:
			wait = stepPause
		}
	}
}

// pause waits, and reports whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
