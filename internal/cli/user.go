package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/client"
)

var users = noun{
	name: "user", short: "Users: the people who sign in",
	key: "uuid", created: "email", title: "email",
	fields: []client.Field{
		{Name: "email", Type: aString, Doc: `The address, unique in the application without regard to case; "" where the user has none.`},
		{Name: "email_verified", Type: aBoolean, Doc: "Whether the user proved to read what is sent to the address.", Default: "false"},
		{Name: "attributes", Type: "a JSON object", Doc: "What else is known: givenName=Ann, primaryAddress.city=Ulm; NAME= removes one. Or a JSON object.", Default: "null"},
		{Name: "roles", Type: anArray, Doc: "What the user may be given scopes for that require a role.", Default: "[]"},
		{Name: "active", Type: aBoolean, Doc: "Whether the user can sign in.", Default: "true"},
		{Name: "password", Type: aString, Doc: "The password alone, of 8 to 256 characters.", Default: "null", WriteOnly: true},
	},
	columns: []string{"uuid", "email", "email_verified", "active", "roles", "last_signed_in_at"},
	filters: []filter{
		{name: "q", usage: "only those whose names, address or uuid have words that begin with those of this `text`"},
		{name: "role", usage: "only those with this `role`"},
		{name: "active", usage: "only those who are active; --active=false: only those who are not", truth: true},
	},
	calls: calls{
		list:   listing((*apiclient.API).ListUsers),
		create: creating((*apiclient.API).CreateUserWithBody),
		get:    userNamed(getting((*apiclient.API).GetUser)),
		edit:   userEdited(editing((*apiclient.API).EditUserWithBody)),
		remove: userNamed(removing((*apiclient.API).DeleteUser)),
	},
	danger: func(*record) string {
		return "All sessions, consents, codes and tokens of the user die with it, at once and for good."
	},
	example: `  ostiary user create ann@example.com --attributes givenName=Ann --attributes familyName=Lee --roles clerk
  ostiary user create bob@example.com --email-verified --password-file bob.password`,
}

func userCommand() *cobra.Command {
	c := users.command(
		users.activationCommand("activate", "Let a user sign in again; nothing that was given before is alive", ""),
		users.activationCommand("deactivate", "Keep a user from signing in; all that the user was given dies at once, for good",
			"All sessions, codes and tokens of the user die at once; activating it again revives none."),
		setPasswordCommand(), resetLinkCommand(),
	)
	c.Long = users.short + ".\n\nWhere a command takes a UUID it takes the user's address as well."
	return c
}

// userNamed lets a call take the user's address for the uuid.
func userNamed(call oneCall) oneCall {
	return func(ctx context.Context, api *apiclient.API, app, key string, with ...editor) (*http.Response, error) {
		uuid, refusal, err := userKey(ctx, api, app, key)
		if err != nil || refusal != nil {
			return refusal, err
		}
		return call(ctx, api, app, uuid, with...)
	}
}

func userEdited(call editCall) editCall {
	return func(ctx context.Context, api *apiclient.API, app, key string, document io.Reader, with ...editor) (*http.Response, error) {
		uuid, refusal, err := userKey(ctx, api, app, key)
		if err != nil || refusal != nil {
			return refusal, err
		}
		return call(ctx, api, app, uuid, document, with...)
	}
}

// userKey gives the uuid of the user with an address, or the server's refusal to
// tell it. What is no address, and an address that nobody has, is given back: the
// server says that there is no such user.
func userKey(ctx context.Context, api *apiclient.API, app, key string) (uuid string, refusal *http.Response, err error) {
	if !strings.Contains(key, "@") {
		return key, nil, nil
	}
	answer, err := api.ListUsers(ctx, app, nil, query("q", key, "limit", "200"))
	if err != nil || answer.StatusCode != http.StatusOK {
		return "", answer, err
	}
	defer func() { _ = answer.Body.Close() }()
	var page struct {
		Items []struct{ UUID, Email string }
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&page); err != nil {
		return "", nil, fmt.Errorf("read the list of users: %w", err)
	}
	for _, item := range page.Items {
		if strings.EqualFold(item.Email, key) {
			return item.UUID, nil, nil
		}
	}
	return key, nil, nil
}

const setPasswordHelp = `Give a user another password. All sessions, codes and tokens of the user die at
once. The password is asked for twice, or read from a file; it never stands on a
command line, where every process can read it.`

func setPasswordCommand() *cobra.Command {
	var file string
	return users.remote(&cobra.Command{
		Use: "set-password UUID", Short: "Give a user another password", Long: setPasswordHelp, Args: cobra.ExactArgs(1), ValidArgsFunction: users.completeKeys,
	}, func(flags *pflag.FlagSet) {
		flags.StringVar(&file, "password-file", "", "read the password from this `file`, in which it stands alone")
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		password, err := newPassword(c, file)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(password)
		if err != nil {
			return err
		}
		text, err := body(map[string]json.RawMessage{"password": raw})
		if err != nil {
			return err
		}
		changed, err := r.take(users.calls.edit(c.Context(), r.api, app, args[0], text))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "gave %s another password\n", users.describe(changed))
		return err
	})
}

func resetLinkCommand() *cobra.Command {
	var asJSON bool
	return users.remote(&cobra.Command{
		Use: "reset-link UUID", Short: "Print a link by which the user chooses a password, once; whoever has it can",
		Args: cobra.ExactArgs(1), ValidArgsFunction: users.completeKeys,
	}, func(flags *pflag.FlagSet) {
		flags.BoolVar(&asJSON, "json", false, jsonUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		link := userNamed(func(ctx context.Context, api *apiclient.API, app, key string, with ...editor) (*http.Response, error) {
			return api.CreateResetLinkWithBody(ctx, app, key, plainJSON, strings.NewReader("{}"), with...)
		})
		made, err := r.take(link(c.Context(), r.api, app, args[0]))
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), made)
		}
		if _, err := fmt.Fprintln(c.OutOrStdout(), made.text("url")); err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.ErrOrStderr(), "It is good once, until %s.\n", made.text("expires_at"))
		return err
	})
}

var (
	errNoPassword   = errors.New("there is no terminal to ask for the password on; give a file with --password-file")
	errNotTheSame   = errors.New("nothing was done: the two are not the same")
	passwordPrompts = []string{"New password: ", "Again: "}
)

// newPassword reads a password from a file, or twice from the terminal, which
// does not show it.
func newPassword(c *cobra.Command, file string) (string, error) {
	if file != "" {
		password, err := config.SecretFromFile(file)
		if err != nil {
			return "", &config.Error{Err: fmt.Errorf("--password-file: %w", err)}
		}
		return password, nil
	}
	in, isFile := c.InOrStdin().(*os.File)
	if !isFile || !term.IsTerminal(int(in.Fd())) {
		return "", &config.Error{Err: errNoPassword}
	}
	done, err := restored(int(in.Fd()))
	if err != nil {
		return "", err
	}
	defer done()
	var typed [2]string
	for i, prompt := range passwordPrompts {
		if _, err := fmt.Fprint(c.ErrOrStderr(), prompt); err != nil {
			return "", err
		}
		text, err := term.ReadPassword(int(in.Fd()))
		_, _ = fmt.Fprintln(c.ErrOrStderr()) // the line break that was not shown
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", errNotTheSame
	}
	return typed[0], nil
}

// restored lets a signal that ends the program at a prompt leave a terminal that
// shows what is typed, until done is called.
func restored(terminal int) (done func(), err error) {
	state, err := term.GetState(terminal)
	if err != nil {
		return nil, fmt.Errorf("ask the terminal: %w", err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		if s, ok := (<-signals).(syscall.Signal); ok {
			_ = term.Restore(terminal, state) // there is nobody to tell
			signal.Reset(s)
			_ = syscall.Kill(os.Getpid(), s)
			os.Exit(128 + int(s)) // it is ignored: a shell that has no jobs started this behind it
		}
	}()
	return func() { signal.Stop(signals); close(signals) }, nil
}
