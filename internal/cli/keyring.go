package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
)

const masterKeyHelp = `Wrap the data keys of the database in another master key: the one in the file
that --to names, which is made where it is not there. Nothing else changes, and
whatever was issued stays good. Stop the server first.

Afterwards, let the server find the new key where it found the old one. Keep the
old one for as long as you keep backups made under it: those need it. Where this
breaks off, run it again.`

func masterKeyCommand() *cobra.Command {
	c := &cobra.Command{Use: "master-key", Short: "The key that wraps the data keys", Args: cobra.NoArgs}
	var to string
	rotate := &cobra.Command{
		Use: "rotate", Short: "Wrap the data keys in another master key", Long: masterKeyHelp,
		Example: `  ostiary master-key rotate --to new.key --data /var/lib/ostiary
  mv /var/lib/ostiary/master.key /safe/master.key.old && mv new.key /var/lib/ostiary/master.key`, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := setUp(c)
			if err != nil {
				return err
			}
			if to == "" {
				return &config.Error{Err: errors.New("say where the new master key is, or is to be, with --to")}
			}
			if err := app.RotateMasterKey(c.Context(), conf, to); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "the master key of this database is the one in %s now\n", to)
			if old := app.MasterKeyPath(conf); err == nil && old != "" {
				kept := old + "." + time.Now().UTC().Format("20060102T150405")
				_, err = fmt.Fprintf(c.OutOrStdout(), "Before you start the server: mv %[1]s %[2]s && mv %[3]s %[1]s\nBackups made until now need the key that is %[2]s then.\n",
					quote(old), quote(kept), quote(to))
			}
			return err
		},
	}
	rotate.Flags().StringVar(&to, "to", "", "the `file` of the new master key; made where it is not there")
	config.Bind(rotate.Flags(), config.Keys)
	c.AddCommand(rotate)
	return c
}

const dataKeyHelp = `Make a new data key: digest (under which clients' secrets are kept), token (which
opaque tokens are made with) or sealing (of what is kept encrypted). Stop the
server first.

The old key goes on opening and verifying what it made. A secret's digest is made
anew when the secret is next used; new tokens, and what is sealed from now on, are
made under the new key.`

func dataKeyCommand() *cobra.Command {
	c := &cobra.Command{Use: "data-key", Short: "The keys in the database, which the master key wraps", Args: cobra.NoArgs}
	rotate := &cobra.Command{
		Use: "rotate PURPOSE", Short: "Make a new data key: digest, token or sealing", Long: dataKeyHelp,
		Example: `  ostiary data-key rotate token --data /var/lib/ostiary`, Args: cobra.ExactArgs(1), ValidArgs: app.DataKeyPurposes,
		RunE: func(c *cobra.Command, args []string) error {
			conf, err := setUp(c)
			if err != nil {
				return err
			}
			if err := app.RotateDataKey(c.Context(), conf, args[0]); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "done; the server uses it from its next start on")
			return err
		},
	}
	config.Bind(rotate.Flags(), config.Keys)
	c.AddCommand(dataKeyListCommand(), rotate)
	return c
}

func dataKeyListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the data keys; they themselves are not shown", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := setUp(c)
			if err != nil {
				return err
			}
			list, err := app.DataKeys(c.Context(), conf)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, k := range list {
				if asJSON {
					if err := json.NewEncoder(c.OutOrStdout()).Encode(k); err != nil {
						return err
					}
				}
				rows = append(rows, []string{strconv.Itoa(int(k.Number)), k.Purpose, k.CreatedAt.UTC().Format(time.DateTime), strconv.FormatBool(k.Current)})
			}
			if asJSON {
				return nil
			}
			return printTable(c.OutOrStdout(), []string{"number", "purpose", "created_at", "current"}, rows)
		},
	}
	config.Bind(c.Flags(), config.Database)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line: number, purpose, created_at, current")
	return c
}
