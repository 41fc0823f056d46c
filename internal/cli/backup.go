package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
)

const backupHelp = `Write the SQLite database, as it is at one moment, into a new file that only
you may read. A server that runs goes on, and nobody waits.

The master key is not in it: keep a copy of that in another place. A PostgreSQL
database is backed up with its own tools.`

func backupCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "backup FILE", Short: "Write the database into a new file, while the server runs", Long: backupHelp,
		Example: `  ostiary backup /backup/ostiary-$(date +%F).db --data /var/lib/ostiary`, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			conf, err := setUp(c)
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(c.Context())
			defer stop()
			progress := newProgress(c, -1)
			err = app.Backup(ctx, conf, args[0], progress.set)
			progress.end()
			if err != nil {
				return err
			}
			info, err := os.Stat(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(map[string]any{"file": args[0], "bytes": info.Size()})
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %d bytes; the master key is not in it\n", args[0], info.Size())
			return err
		},
	}
	config.Bind(c.Flags(), config.Database)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object: file, bytes")
	return c
}

const restoreHelp = `Put a backup into a data directory that has no database, and end every token,
session and link in it: some may have been taken back after the backup was made.
Clients get new tokens, users sign in again. The server must not run.

On PostgreSQL, restore the database with its own tools, then run ostiary restore
without FILE before a server is started on it.

The master key that the backup's server had is needed to start a server on it.`

const restoreExample = `  ostiary restore /backup/ostiary-2026-01-31.db --data /var/lib/ostiary
  pg_restore --dbname "$URL" ostiary.dump && ostiary restore --database "$URL"`

func restoreCommand() *cobra.Command {
	var keep, asJSON, yes bool
	c := &cobra.Command{
		Use: "restore [FILE]", Short: "Put a backup in place, and end the tokens in it", Long: restoreHelp, Example: restoreExample,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			conf, err := setUp(c)
			if err != nil {
				return err
			}
			backup, size := "", int64(0)
			if len(args) > 0 {
				info, err := os.Stat(args[0])
				if err != nil {
					return err
				}
				backup, size = args[0], info.Size()
			}
			if conf.Database != "" && !keep {
				err := confirm(c, yes, "Every token, session and link in this PostgreSQL database dies now: clients get new ones, users sign in again.")
				if err != nil {
					return err
				}
			}
			ctx, stop := untilSignal(c.Context())
			defer stop()
			progress := newProgress(c, size)
			err = app.Restore(ctx, conf, backup, keep, progress.set)
			progress.end()
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(map[string]any{"data": conf.Data, "tokens_kept": keep})
			}
			return printRestored(c, conf, keep)
		},
	}
	config.Bind(c.Flags(), config.Keys)
	c.Flags().BoolVar(&keep, "keep-tokens", false, "let tokens, sessions and links live on, those too that were taken back since the backup")
	c.Flags().BoolVar(&yes, "yes", false, yesUsage)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object: data, tokens_kept")
	return c
}

func printRestored(c *cobra.Command, conf *config.Config, keep bool) error {
	out := c.OutOrStdout()
	said := "every token, session and link in it is dead"
	if keep {
		said = "its tokens, sessions and links live on; take back again what was taken back since the backup"
	}
	_, err := fmt.Fprintf(out, "restored; %s\n", said)
	path := app.MasterKeyPath(conf)
	if _, missing := os.Stat(path); err == nil && path != "" && errors.Is(missing, fs.ErrNotExist) {
		_, err = fmt.Fprintf(out, "Before you start a server, put the master key of the backup's server into %s.\n", path)
	}
	return err
}
