package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
)

const serveHelp = `Serve until told to stop.

On an empty store, serve first makes an application, an owner API client and an
administrator. To a terminal it prints their secrets, this once; without one it
writes them to first-start.json in the data directory, which only its owner may
read.

Every flag can also be given as a variable (--public-url as OSTIARY_PUBLIC_URL)
or as a key in the file that --config names (public_url). A flag beats the
environment, the environment beats the file.

SIGTERM or SIGINT ends it: readiness turns 503, requests are still taken for
--drain-delay while clients are asked to leave, and those under way end. A
second signal stops at once.`

const serveExample = `  ostiary serve
  ostiary serve --data /var/lib/ostiary --listen 0.0.0.0:8080 --public-url https://id.example.com --trusted-proxies 10.0.0.0/8
  ostiary serve --preset akamai --owner-client-secret-file ./owner-secret`

func serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "serve", Short: "Serve, after setting an empty store up", Long: serveHelp, Example: serveExample,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return serve(c) },
	}
	config.Bind(c.Flags(), config.Serve)
	return c
}

func serve(c *cobra.Command) (err error) {
	conf, err := setUp(c)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context())
	defer stop()
	listeners, err := app.Listen(ctx, conf)
	if err != nil {
		return err
	}
	defer func() { _ = listeners.Close() }() // closed before, save where the start fails
	a, err := app.Open(ctx, conf, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if a.Instance == nil {
		if err := found(ctx, c, conf, a); err != nil {
			return err
		}
	}
	return a.Run(ctx, listeners)
}

// found sets an empty store up, and gives the secrets to whoever started it.
func found(ctx context.Context, c *cobra.Command, conf *config.Config, a *app.App) error {
	if out, isFile := c.OutOrStdout().(*os.File); isFile && term.IsTerminal(int(out.Fd())) {
		first, err := a.Found(ctx, nil)
		if err != nil {
			return err
		}
		return printFirstStart(out, first, conf.DerivedPublicURL(), "")
	}
	path, err := a.FoundToFile(ctx)
	if err != nil {
		return err
	}
	// No line of the log: whatever level that has, somebody has to find them.
	_, err = fmt.Fprintf(c.ErrOrStderr(), "Set up: the secrets of the owner client and the administrator are in %s, which only its owner may read.\n", path)
	return err
}

// untilSignal gives a context that the first SIGTERM or SIGINT ends. A second
// one ends the process: what was acknowledged is on disk at any moment.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		<-signals
		slog.Warn("told twice to stop; requests under way are cut")
		os.Exit(failed)
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}
