package signin

import (
	"context"
	"log/slog"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
)

// Letter is what is to be said to somebody by mail.
type Letter struct {
	Application *application.Application
	Purpose     Purpose
	Known       bool   // of ForRegister: there is an account with the address already, and Token is ""
	To          string // an address
	Locale      string // of the page on which it was asked for
	Token       string // for the link
	Request     string // what goes on afterwards
}

// Writer puts a letter into words.
type Writer func(l *Letter) (subject, text string)

// Mailer sends mail.
type Mailer interface {
	// Send hands a mail over to the server that delivers it. text is plain.
	Send(ctx context.Context, to, subject, text string) error
}

const (
	maxLater    = 1000 // tasks that wait; what is beyond is lost, and asked for again
	workers     = 4
	taskTime    = 2 * time.Minute
	sendTries   = 3
	sendPause   = 5 * time.Second
	drainedTime = 5 * time.Second
)

// Write sets who puts letters into words. It is called before the service is
// used.
func (s *Service) Write(w Writer) { s.writer = w }

// CanMail reports whether mail can be sent.
func (s *Service) CanMail() bool { return s.Mailer != nil && s.writer != nil }

// later has something done when the answer is on its way.
func (s *Service) later(task func(context.Context) error) {
	select {
	case s.tasks <- task:
	default:
		slog.Warn("too much mail waits to be sent; one was dropped")
	}
}

// Run does what was put off, until ctx is done; what waits then still has a few
// seconds.
func (s *Service) Run(ctx context.Context) {
	done := make(chan struct{})
	for range workers {
		go func() {
			for {
				select {
				case task := <-s.tasks:
					s.do(ctx, task)
				case <-ctx.Done():
					done <- struct{}{}
					return
				}
			}
		}()
	}
	for range workers {
		<-done
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainedTime)
	defer cancel()
	s.Work(rest)
}

// Work does what was put off until now, one after the other.
func (s *Service) Work(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case task := <-s.tasks:
			s.do(ctx, task)
		default:
			return
		}
	}
}

// do does a task. The log says what failed; the address, which a stranger may
// have typed, it does not.
func (s *Service) do(ctx context.Context, task func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), taskTime)
	defer cancel()
	if err := task(ctx); err != nil {
		slog.Error("a mail was not sent", "error", err)
	}
}

// send sends a letter, again where the mail server has no time.
func (s *Service) send(ctx context.Context, l *Letter) error {
	subject, text := s.writer(l)
	var err error
	for try := range sendTries {
		if try > 0 {
			pause := time.NewTimer(sendPause)
			select {
			case <-ctx.Done():
				pause.Stop()
				return err
			case <-pause.C:
			}
		}
		if err = s.Mailer.Send(ctx, l.To, subject, text); err == nil {
			return nil
		}
	}
	return err
}
