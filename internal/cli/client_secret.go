package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/config"
)

func secretCommand() *cobra.Command {
	c := &cobra.Command{Use: "secret", Short: "The secrets of a client, ten at most", Args: cobra.NoArgs}
	c.AddCommand(secretAddCommand(), secretListCommand(), secretRetireCommand(), secretRevealCommand())
	return c
}

const secretAddExample = `  ostiary client secret add 3bchk5hsx6v58dkn288nbybmxfyk32u7 --label 2026 --retire-others-in-hours 24` //nolint:gosec // an id, no credential (G101)

func secretAddCommand() *cobra.Command {
	var label, expires string
	var retire int
	var asJSON bool
	var only condition
	return remoteCommand(&cobra.Command{
		Use: "add CLIENT", Short: "Make one more secret, and print it this once", Example: secretAddExample,
		Args: cobra.ExactArgs(1), ValidArgsFunction: clients.completeKeys,
	}, func(flags *pflag.FlagSet) {
		flags.StringVar(&label, "label", "", "what people know it by")
		flags.StringVar(&expires, "expires-at", "", "the `time` or date at which it ends, or how long from now: 90d (default: never)")
		flags.IntVar(&retire, "retire-others-in-hours", 0, "the others work this `number` of hours more, 0 to 168; 0: they are dead at once (default: they stay)")
		only.bind(flags)
		flags.BoolVar(&asJSON, "json", false, jsonUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		document, err := secretDocument(c.Flags(), label, expires, retire, time.Now())
		if err != nil {
			return err
		}
		text, err := body(document)
		if err != nil {
			return err
		}
		made, err := r.take(r.api.CreateSecretWithBody(c.Context(), app, args[0], nil, plainJSON, text, only.header))
		if err != nil {
			return err
		}
		return printMade(c, made, asJSON)
	})
}

func secretDocument(flags *pflag.FlagSet, label, expires string, retire int, now time.Time) (map[string]json.RawMessage, error) {
	document := map[string]json.RawMessage{}
	if flags.Changed("label") {
		text, err := json.Marshal(label)
		if err != nil {
			return nil, err
		}
		document["label"] = text
	}
	if flags.Changed("retire-others-in-hours") {
		document["retire_others_in_hours"] = json.RawMessage(strconv.Itoa(retire))
	}
	if expires != "" {
		at, ok := parseTime(expires)
		if period, err := parsePeriod(expires); !ok && err == nil {
			at, ok = now.Add(period), true
		}
		if !ok {
			return nil, &config.Error{Err: errors.New("--expires-at: write a time as 2026-01-31T12:00:00Z, a date as 2026-01-31, or how long from now as 90d or 24h")}
		}
		document["expires_at"] = json.RawMessage(strconv.Quote(at.UTC().Format(time.RFC3339)))
	}
	return document, nil
}

var secretColumns = []string{"id", "label", "hint", "created_at", "expires_at", "last_used_at"}

func secretListCommand() *cobra.Command {
	var p pages
	return remoteCommand(&cobra.Command{
		Use: "list CLIENT", Short: "List the secrets of a client: what they are called, not what they are",
		Args: cobra.ExactArgs(1), ValidArgsFunction: clients.completeKeys,
	}, p.bind, func(c *cobra.Command, r *remote, app string, args []string) error {
		return p.print(c, secretColumns, func(ctx context.Context, with ...editor) (*record, error) {
			return r.take(r.api.ListSecrets(ctx, app, args[0], nil, with...))
		})
	})
}

func secretRetireCommand() *cobra.Command {
	var yes bool
	var only condition
	return remoteCommand(&cobra.Command{
		Use: "retire CLIENT SECRET", Short: "End a secret at once; tokens that were got with it live on",
		Args: cobra.ExactArgs(2), ValidArgsFunction: completeSecrets,
	}, func(flags *pflag.FlagSet) {
		flags.BoolVar(&yes, "yes", false, yesUsage)
		only.bind(flags)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		found, err := r.take(clients.calls.get(c.Context(), r.api, app, args[0]))
		if err != nil {
			return err
		}
		if err := confirm(c, yes, retirement(found, args[1])); err != nil {
			return err
		}
		if _, err := r.take(r.api.DeleteSecret(c.Context(), app, args[0], args[1], nil, only.header)); err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "retired the secret %s of %s\n", args[1], clients.describe(found))
		return err
	})
}

// retirement says what it means to end a secret.
func retirement(of *record, id string) string {
	text := "This ends the secret " + id + " of " + clients.describe(of) + " at once."
	items, err := of.items("secrets")
	if err == nil && len(items) == 1 {
		text += " It is the only one: the client can't authenticate until it has another."
	}
	return text
}

func secretRevealCommand() *cobra.Command {
	var asJSON bool
	return remoteCommand(&cobra.Command{
		Use: "reveal CLIENT SECRET", Short: "Show a secret again, where the application's secret_policy is revealable; audited",
		Args: cobra.ExactArgs(2), ValidArgsFunction: completeSecrets,
	}, func(flags *pflag.FlagSet) {
		flags.BoolVar(&asJSON, "json", false, jsonUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		shown, err := r.take(r.api.RevealSecret(c.Context(), app, args[0], args[1]))
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), shown)
		}
		_, err = fmt.Fprintln(c.OutOrStdout(), shown.text("secret"))
		return err
	})
}

// completeSecrets completes a client and then one of its secrets.
func completeSecrets(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return clients.completeKeys(c, args, typed)
	}
	within := noun{key: "id", title: "label", calls: calls{
		list: func(ctx context.Context, api *apiclient.API, app string, with ...editor) (*http.Response, error) {
			return api.ListSecrets(ctx, app, args[0], nil, with...)
		},
	}}
	return within.completeKeys(c, nil, typed)
}
