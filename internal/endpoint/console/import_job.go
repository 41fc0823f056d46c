package console

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/transfer"
)

// An upload is in memory until it is imported: at most maxUpload bytes of each of
// maxUploads administrators.
const (
	maxUpload  = 32 << 20
	maxUploads = 4
)

// stage is how far an import has come.
type stage uint8

// The stages of an import.
const (
	judging stage = iota // what it would do is found out
	judged
	storing
	stored
	failed
)

// upload is a file of an administrator, and what has become of it. What changes
// is read by look.
type upload struct {
	app     string // id of the application that it is for
	name    string // of the file
	product string // whose file it is; "": ours
	options transfer.Options
	begun   time.Time

	mu      sync.Mutex
	text    []byte // nil once it was imported
	size    int64
	read    int64
	stage   stage
	summary transfer.Summary
	report  *transfer.Report // of the stage before
	failure string
}

// look is an upload at one moment.
type look struct {
	Stage      stage
	Read, Size int64
	Summary    transfer.Summary
	Report     *transfer.Report
	Failure    string
}

func (u *upload) look() look {
	u.mu.Lock()
	defer u.mu.Unlock()
	return look{u.stage, u.read, u.size, u.summary, u.report, u.failure}
}

func (l *look) running() bool { return l.Stage == judging || l.Stage == storing }

// uploads are those of all administrators, one of each. It is safe for
// concurrent use.
type uploads struct {
	mu     sync.Mutex
	of     map[string]*upload // by the administrator's address
	ctx    context.Context    //nolint:containedctx // of what goes on when its request is answered
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

func newUploads() *uploads {
	u := &uploads{of: map[string]*upload{}}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	return u
}

// end stops what goes on, and waits for it.
func (u *uploads) end() {
	u.cancel()
	u.tasks.Wait()
}

// get gives the upload of an administrator; nil: there is none.
func (u *uploads) get(who string) *upload {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.of[who]
}

// drop forgets an upload, unless something goes on with it.
func (u *uploads) drop(who string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if one := u.of[who]; one != nil {
		if l := one.look(); !l.running() {
			delete(u.of, who)
		}
	}
}

var (
	errOneImport   = fault.Conflictf("Your last import is still under way.")
	errManyImports = fault.Conflictf("Others are importing now. Try again in a moment.")
)

// put keeps an upload, in the place of the one before; where there are too many,
// the oldest with which nothing goes on is forgotten.
func (u *uploads) put(who string, one *upload) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	oldest := ""
	for name, other := range u.of {
		l := other.look()
		switch {
		case name == who && l.running():
			return errOneImport
		case !l.running() && (oldest == "" || other.begun.Before(u.of[oldest].begun)):
			oldest = name
		}
	}
	if u.of[who] == nil && len(u.of) >= maxUploads {
		if oldest == "" {
			return errManyImports
		}
		delete(u.of, oldest)
	}
	u.of[who] = one
	return nil
}

// start goes through the file, to judge it or to store what is in it; false:
// this is not its turn.
func (u *uploads) start(one *upload, to transfer.Target, next stage) bool {
	one.mu.Lock()
	if next == storing && one.stage != judged {
		one.mu.Unlock()
		return false
	}
	options, text := one.options, one.text
	options.DryRun = next == judging
	one.stage, one.read, one.summary = next, 0, transfer.Summary{DryRun: options.DryRun}
	one.mu.Unlock()
	u.tasks.Go(func() {
		in := &counted{Reader: bytes.NewReader(text), upload: one}
		report, err := transfer.Reported(u.ctx, to, in, options, func(s transfer.Summary) error {
			one.mu.Lock()
			defer one.mu.Unlock()
			one.summary = s
			return nil
		})
		one.finish(report, err)
	})
	return true
}

func (u *upload) finish(report *transfer.Report, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.summary, u.report = report.End.Summary, report
	dry := u.stage == judging
	switch {
	case err != nil:
		if u.failure = messageOf(err); u.failure == "" {
			slog.Error("an import failed", "application", u.app, "error", err)
			u.failure = "The server failed; what failed is in its log."
		}
		if !dry {
			u.failure += " What was imported until then stays: import the file again, and what is there is left alone."
		}
		report.End.Stopped = u.failure
		u.stage, u.text = failed, nil
	case dry:
		u.stage = judged
	default:
		u.stage, u.text = stored, nil
	}
}

// counted notes how far a file was read.
type counted struct {
	io.Reader

	upload *upload
}

// Read implements io.Reader.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.upload.mu.Lock()
	defer c.upload.mu.Unlock()
	c.upload.read += int64(n)
	return n, err
}
