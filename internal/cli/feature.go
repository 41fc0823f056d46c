package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
)

const featureHelp = `Give a client the feature metadata, or take it away.

No API grants this feature: its bearer may change user records without a trace
in their lastUpdated. Stop the server first; the command works on the database.`

const featureExample = `  ostiary feature metadata grant --client 3bchk5hsx6v58dkn288nbybmxfyk32u7 --data /var/lib/ostiary`

func featureCommand() *cobra.Command {
	c := &cobra.Command{Use: "feature", Short: "Give and take features that no API grants", Args: cobra.NoArgs}
	metadata := &cobra.Command{
		Use: "metadata", Short: "Give a client the feature metadata, or take it away", Long: featureHelp, Example: featureExample, Args: cobra.NoArgs,
	}
	metadata.AddCommand(
		metadataCommand("grant", "Give a client the feature metadata", true),
		metadataCommand("revoke", "Take the feature metadata from a client", false),
	)
	c.AddCommand(metadata)
	return c
}

func metadataCommand(use, short string, grant bool) *cobra.Command {
	var application, client string
	c := &cobra.Command{
		Use: use, Short: short, Long: featureHelp, Example: featureExample, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := setUp(c)
			if err != nil {
				return err
			}
			if client == "" {
				return &config.Error{Err: errors.New("say which client, with --client")}
			}
			if err := app.SetMetadata(c.Context(), conf, application, client, grant); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "done")
			return err
		},
	}
	c.Flags().StringVar(&application, "application", "", "the client's application (default: the default one)")
	c.Flags().StringVar(&client, "client", "", "the client's id")
	config.Bind(c.Flags(), config.Database)
	return c
}
