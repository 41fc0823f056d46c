package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/internal/app"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

const initHelp = `Set an empty store up without serving: make an application, an owner API client
and an administrator, and print their secrets, this once.

With --json it prints one object: application_id, issuer, owner_client_id,
owner_client_secret, admin_email, admin_password, data.

On a store that was set up before it fails and changes nothing.`

const initExample = `  ostiary init --json --data /var/lib/ostiary --public-url https://id.example.com
  ostiary init --preset appdirect --set secret_policy=revealable`

func initCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "init", Short: "Set an empty store up, without serving", Long: initHelp, Example: initExample,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return initialize(c, asJSON) },
	}
	config.Bind(c.Flags(), config.Init)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func initialize(c *cobra.Command, asJSON bool) (err error) {
	conf, err := setUp(c)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context())
	defer stop()
	a, err := app.Open(ctx, conf, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	first, err := foundOnce(ctx, a)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(c.OutOrStdout()).Encode(first)
	}
	return printFirstStart(c.OutOrStdout(), first, conf.DerivedPublicURL(), "ostiary serve"+flagsAgain(conf))
}

func foundOnce(ctx context.Context, a *app.App) (*app.FirstStart, error) {
	first, err := a.Found(ctx, nil)
	if errors.Is(err, app.ErrFounded) {
		return nil, fmt.Errorf("%w; start it with ostiary serve, or choose an empty directory with --data", err)
	}
	return first, err
}

// flagsAgain gives the flags that serve needs to find what init made.
func flagsAgain(conf *config.Config) string {
	flags := ""
	if conf.File != "" {
		return " --config " + quote(conf.File)
	}
	if conf.Data != config.Default("data") {
		flags += " --data " + quote(conf.Data)
	}
	if conf.Listen != config.Default("listen") {
		flags += " --listen " + quote(conf.Listen)
	}
	return flags
}

// printFirstStart prints what was made, for people. begin is how to start the
// server, "" where it starts at once.
func printFirstStart(out io.Writer, first *app.FirstStart, url, begin string) error {
	var text strings.Builder
	text.WriteString("Ostiary is set up. This is shown once; keep it in a safe place.\n\n")
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	for _, row := range [][2]string{
		{"Application", first.ApplicationID},
		{"Issuer", first.Issuer},
		{"Owner client", first.OwnerClientID},
		{"Owner secret", first.OwnerClientSecret},
		{"Console", url + "/console"},
		{"Administrator", first.AdminEmail},
		{"Password", first.AdminPassword},
		{"Data", first.Data},
	} {
		_, _ = fmt.Fprintf(table, "  %s\t%s\n", row[0], row[1])
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print what was set up: %w", err)
	}
	if begin != "" {
		text.WriteString("\nStart the server:\n\n  " + begin + "\n")
	}
	_, _ = fmt.Fprintf(&text, "\nFor the commands of ostiary and of its documents, in another terminal:\n\n"+
		"  export OSTIARY_SERVER=%s OSTIARY_APPLICATION=%s OSTIARY_CLIENT_ID=%s OSTIARY_CLIENT_SECRET=%s\n",
		quote(url), quote(first.ApplicationID), quote(first.OwnerClientID), quote(first.OwnerClientSecret))
	owner := quote(first.OwnerClientID + ":" + first.OwnerClientSecret)
	_, _ = fmt.Fprintf(&text, "\nSee the API clients, as the owner:\n\n  curl -u %s %s\n",
		owner, quote(url+"/config/"+first.ApplicationID+"/clients"))
	_, _ = fmt.Fprintf(&text, "\nGet a token:\n\n  curl -u %s -d grant_type=client_credentials %s\n\n",
		owner, quote(url+"/"+first.ApplicationID+oauth.TokenPath))
	_, err := io.WriteString(out, text.String())
	return err
}

// quote makes a word of the shell.
func quote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
