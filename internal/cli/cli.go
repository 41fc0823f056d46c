// Package cli owns the command line: one constructor a command, the help texts,
// what is printed for people and for programs, and the exit status. What the
// commands do is in package app.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
)

// Exit statuses.
const (
	ok            = 0
	failed        = 1
	usage         = 2 // what was asked for is malformed; nothing was begun
	absent        = 3 // the server has no such thing
	refusedStatus = 4 // the server refused it; nothing was changed
)

const rootHelp = `Ostiary keeps a platform's API clients and gives them their OAuth 2 tokens.

  ostiary serve          sets up an empty directory, and serves
  ostiary init --json    sets it up without serving, for programs
  ostiary client list    asks a server that runs, as all commands for records do:
                         --server says which, --credentials as whom
  ostiary apply -f FILE  makes records what a file says

Exit status: 0 done, 1 failed, 2 malformed flags or configuration, 3 there is no
such record, 4 the server refused it and changed nothing.`

// Run runs a command line and gives its exit status.
func Run(args []string, out, errs io.Writer) int {
	started := false
	root := newRoot()
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	root.SetFlagErrorFunc(nearestFlag)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return ok
	}
	_, _ = fmt.Fprintln(errs, "ostiary:", err)
	if _, malformed := errors.AsType[*config.Error](err); malformed || !started {
		_, _ = fmt.Fprintln(errs, "Run ostiary --help, or --help after a command, to see what there is.")
		return usage
	}
	if s, ok := errors.AsType[*statusError](err); ok {
		return s.status
	}
	return failed
}

// newRoot makes the command that all others are below.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "ostiary",
		Short:         "API clients and their OAuth tokens",
		Long:          rootHelp,
		Version:       readBuild().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddCommand(
		serveCommand(), initCommand(), migrateCommand(), backupCommand(), restoreCommand(), masterKeyCommand(), dataKeyCommand(),
		featureCommand(), versionCommand(),
		applyCommand(), applicationCommand(), clientCommand(), scopeCommand(), resourceCommand(), userCommand(),
		tokenCommand(), keyCommand(), auditCommand(),
	)
	strict(root)
	return root
}

// strict lets a command that only has others below it refuse what is none of
// them, rather than print its help as if that had been asked for. One that wants
// another number of arguments says how it is written.
func strict(c *cobra.Command) {
	for _, below := range c.Commands() {
		if judge := below.Args; judge != nil && strings.Contains(below.Use, " ") {
			below.Args = func(c *cobra.Command, args []string) error {
				switch {
				case judge(c, args) != nil:
					return errors.New("write it as: " + c.UseLine())
				case slices.Contains(args, ""): // as of a script whose variable is not set
					return errors.New("an argument is empty; write it as: " + c.UseLine())
				}
				return nil
			}
		}
		if below.HasSubCommands() && !below.Runnable() {
			below.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
		strict(below)
	}
}

// nearestFlag names the flag that was probably meant.
func nearestFlag(c *cobra.Command, err error) error {
	unknown, isUnknown := errors.AsType[*pflag.NotExistError](err)
	if !isUnknown || !c.HasAvailableLocalFlags() {
		return err
	}
	near := config.NearestFlag(c.LocalFlags(), unknown.GetSpecifiedName())
	if near == "" {
		return err
	}
	return fmt.Errorf("%w; did you mean --%s?", err, near)
}

// setUp reads the configuration and sets the log up as it says.
func setUp(c *cobra.Command) (*config.Config, error) {
	conf, err := config.Load(c.Flags())
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: conf.LogLevel}
	var h slog.Handler = slog.NewTextHandler(c.ErrOrStderr(), options)
	if conf.LogFormat == "json" {
		h = slog.NewJSONHandler(c.ErrOrStderr(), options)
	}
	slog.SetDefault(slog.New(h))
	for _, name := range conf.Strangers {
		slog.Warn("there is no such environment variable; it is passed over", "variable", name)
	}
	return conf, nil
}
