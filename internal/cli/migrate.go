package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
)

const migrateHelp = `Look at the database's schema, or bring it up to date.

ostiary serve brings the schema up to date by itself when it starts. Migrate up
does it apart from that, for deployments that want to see it done first.`

func migrateCommand() *cobra.Command {
	c := &cobra.Command{Use: "migrate", Short: "Look at the database's schema, or bring it up to date", Long: migrateHelp, Args: cobra.NoArgs}
	c.AddCommand(
		schemaCommand("status", "Print the schema's version and the newest one known", app.SchemaOf),
		schemaCommand("up", "Bring the schema up to date; refused while a server runs", app.Migrate),
	)
	return c
}

func schemaCommand(use, short string, do func(context.Context, *config.Config) (app.Schema, error)) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := setUp(c)
			if err != nil {
				return err
			}
			schema, err := do(c.Context(), conf)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(schema)
			}
			text := "up to date"
			if schema.Version < schema.Known {
				text = "run ostiary migrate up, or start the server, to bring it up to date"
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "schema version %d of %d: %s\n", schema.Version, schema.Known, text)
			return err
		},
	}
	config.Bind(c.Flags(), config.Database)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object: version, known")
	return c
}
