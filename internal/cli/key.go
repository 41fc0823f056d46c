package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/apiclient"
)

var keyColumns = []string{"id", "algorithm", "state", "created_at", "active_at", "retired_at"}

func keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "The keys that tokens are signed with", Args: cobra.NoArgs}
	c.AddCommand(
		pagedCommand(&cobra.Command{Use: "list", Short: "List the signing keys, the oldest first", Args: cobra.NoArgs}, remoteCommand, keyColumns, nil, listing((*apiclient.API).ListKeys)),
		keyRotateCommand(), keyWithdrawCommand(),
	)
	return c
}

const keyRotateHelp = `Begin with the next signing key ahead of its schedule. It is published now, and
signs once those who cache the JWK set have had the time to learn of it.

With --immediately it signs at once, for a key that leaked: whoever has
remembered the JWK set refuses its tokens until they fetch the set again.`

func keyRotateCommand() *cobra.Command {
	var p pages
	var immediately, yes bool
	return remoteCommand(&cobra.Command{
		Use: "rotate", Short: "Begin with the next signing key", Long: keyRotateHelp, Args: cobra.NoArgs,
	}, func(flags *pflag.FlagSet) {
		flags.BoolVar(&immediately, "immediately", false, "let it sign at once")
		flags.BoolVar(&yes, "yes", false, yesUsage)
		flags.BoolVar(&p.asJSON, "json", false, "print the API's documents, one JSON object a line")
	}, func(c *cobra.Command, r *remote, app string, _ []string) error {
		if immediately {
			if err := confirm(c, yes, "From now on the tokens of the application "+app+" bear a key that is in no cached JWK set: they are refused wherever one is cached, until it is fetched again."); err != nil {
				return err
			}
		}
		document := map[string]json.RawMessage{}
		if immediately {
			document["immediately"] = json.RawMessage("true")
		}
		text, err := body(document)
		if err != nil {
			return err
		}
		p.all, p.limit = true, defaultLimit
		return p.print(c, keyColumns, func(ctx context.Context, _ ...editor) (*record, error) {
			return r.take(r.api.RotateKeysWithBody(ctx, app, plainJSON, text))
		})
	})
}

const keyWithdrawHelp = `Take a retired signing key out of the JWK set at once, for a key that leaked: what
it signed is refused from now on. Rotate first, with --immediately: a key that
signs, or will, is not withdrawn. Refresh tokens stay good.`

func keyWithdrawCommand() *cobra.Command {
	var yes bool
	return remoteCommand(&cobra.Command{
		Use: "withdraw KEY", Short: "Take a key that leaked out of the JWK set", Long: keyWithdrawHelp, Args: cobra.ExactArgs(1),
	}, func(flags *pflag.FlagSet) {
		flags.BoolVar(&yes, "yes", false, yesUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		if err := confirm(c, yes, "Every JWT of the application "+app+" that the key "+args[0]+" signed is refused from now on."); err != nil {
			return err
		}
		if _, err := r.take(r.api.WithdrawKey(c.Context(), app, args[0])); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "withdrew the key %s\n", args[0])
		return err
	})
}
