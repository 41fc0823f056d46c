package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/config"
)

func tokenCommand() *cobra.Command {
	c := &cobra.Command{Use: "token", Short: "What was given out: a family is one authorization and all that came of it", Args: cobra.NoArgs}
	c.AddCommand(tokenListCommand(), tokenInspectCommand(), tokenRevokeCommand())
	return c
}

func tokenListCommand() *cobra.Command {
	return pagedCommand(
		&cobra.Command{Use: "list", Short: "List token families", Args: cobra.NoArgs}, remoteCommand,
		[]string{"id", "client_id", "user_id", "grant_type", "scopes", "issued_at", "access_expires_at", "state"},
		[]filter{
			{name: "of-client", parameter: "client_id", usage: "only those of the client with this `id`"},
			{name: "of-user", parameter: "user_id", usage: "only those of the user with this `id`"},
			{name: "scope", usage: "only those with this `scope`"},
			{name: "state", usage: "only those in this `state`: live, expired or revoked", values: []string{"live", "expired", "revoked"}},
		},
		listing((*apiclient.API).ListTokens),
	)
}

//nolint:gosec // prose (G101)
const tokenRevokeHelp = `Revoke a token family by its id, or all those of a client, a user or a scope.
They are dead at once.`

//nolint:gosec // ids, no credentials (G101)
const tokenRevokeExample = `  ostiary token revoke AaIBcI6BQnnxtGaJktjQRQ
  ostiary token revoke --of-client 3bchk5hsx6v58dkn288nbybmxfyk32u7 --scope orders.write --yes`

func tokenRevokeCommand() *cobra.Command {
	var yes, asJSON bool
	which := []struct{ flag, field, usage string }{
		{"of-client", "client_id", "all those of the client with this `id`"},
		{"of-user", "user_id", "all those of the user with this `id`"},
		{"scope", "scope", "all those with this `scope`"},
	}
	return remoteCommand(&cobra.Command{
		Use: "revoke [FAMILY]", Short: "Revoke tokens", Long: tokenRevokeHelp, Example: tokenRevokeExample,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
	}, func(flags *pflag.FlagSet) {
		for _, w := range which {
			flags.String(w.flag, "", w.usage)
		}
		flags.BoolVar(&yes, "yes", false, yesUsage)
		flags.BoolVar(&asJSON, "json", false, jsonUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		document := map[string]json.RawMessage{}
		var words []string
		for _, w := range which {
			given := c.Flags().Lookup(w.flag)
			if !given.Changed {
				continue
			}
			value := given.Value.String()
			if value == "" { // as of a script whose variable is not set: without it more would be hit than was meant
				return &config.Error{Err: fmt.Errorf("--%s is empty", w.flag)}
			}
			text, err := json.Marshal(value)
			if err != nil {
				return err
			}
			document[w.field] = text
			words = append(words, w.field+" "+value)
		}
		switch {
		case len(args) == 1 && len(words) == 0:
			return revokeFamily(c, r, app, args[0], yes, asJSON)
		case len(args) == 0 && len(words) > 0:
			what := "This revokes every token with " + strings.Join(words, " and ") + " in the application " + app + "."
			return revokeAll(c, r, app, document, what, yes, asJSON)
		}
		return &config.Error{Err: errors.New("say one family, or which of them with --of-client, --of-user and --scope")}
	})
}

func revokeFamily(c *cobra.Command, r *remote, app, id string, yes, asJSON bool) error {
	if err := confirm(c, yes, "This revokes the token family "+id+"."); err != nil {
		return err
	}
	if _, err := r.take(r.api.RevokeToken(c.Context(), app, id)); err != nil {
		return err
	}
	return printRevoked(c, &record{raw: json.RawMessage(`{"revoked":1}`)}, asJSON, "1")
}

func revokeAll(c *cobra.Command, r *remote, app string, document map[string]json.RawMessage, what string, yes, asJSON bool) error {
	if err := confirm(c, yes, what); err != nil {
		return err
	}
	text, err := body(document)
	if err != nil {
		return err
	}
	done, err := r.take(r.api.RevokeTokensWithBody(c.Context(), app, plainJSON, text))
	if err != nil {
		return err
	}
	return printRevoked(c, done, asJSON, done.text("revoked"))
}

func printRevoked(c *cobra.Command, done *record, asJSON bool, n string) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), done)
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "revoked: %s\n", n)
	return err
}
