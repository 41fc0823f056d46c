//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/store"
)

// serveInstrumented is the server with what only a measurement needs: a commit
// that takes longer, and a CPU profile that is written when it stops. The
// server's own flags follow after "--".
func serveInstrumented(args []string) (err error) {
	flags := flag.NewFlagSet("child-serve", flag.ContinueOnError)
	delay := flags.Duration("commit-delay", 0, "how much longer a commit takes")
	profile := flags.String("cpu-profile", "", "write a CPU profile to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	serve := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	config.Bind(serve, config.Serve)
	if err := serve.Parse(flags.Args()); err != nil {
		return err
	}
	c, err := config.Load(serve)
	if err != nil {
		return err
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	ctx, stop := signal.NotifyContext(background, syscall.SIGTERM, os.Interrupt)
	defer stop()
	listeners, err := app.Listen(ctx, c)
	if err != nil {
		return err
	}
	server, err := app.Open(ctx, c, time.Now, func(o *store.Options) { o.CommitDelay = *delay })
	if err != nil {
		return errors.Join(err, listeners.Close())
	}
	return errors.Join(server.Run(ctx, listeners), server.Close())
}

// profile writes CPU profiles of the server under each kind of load.
func (b *bench) profile(ctx context.Context) error {
	self, err := os.Executable()
	if err := errors.Join(err, b.build(ctx)); err != nil {
		return err
	}
	if err := os.MkdirAll(b.profiles, 0o750); err != nil {
		return err
	}
	for _, work := range []string{"cc_jwt", "cc_opaque", "refresh", "code_flow", "userinfo", "introspect_opaque", "introspect_opaque_cold", "introspect_jwt", "introspect_jwt_first", "forged_jwt", "discovery", "config_create"} {
		if !b.asks(work) {
			continue
		}
		s, err := b.found(ctx, "profile-"+work, "")
		if err != nil {
			return err
		}
		s.command = []string{self, "child-serve", "--cpu-profile", filepath.Join(b.profiles, work+".prof"), "--"}
		if _, err := s.start(ctx); err != nil {
			return err
		}
		for _, c := range b.siteCells(ctx, s, s.target("profiled", nil)) {
			if c.work == work {
				c.connections = []int{64}
				err = errors.Join(err, b.measure(c))
			}
		}
		if err := errors.Join(err, s.stop()); err != nil {
			return fmt.Errorf("profile of %s: %w", work, err)
		}
	}
	return nil
}
