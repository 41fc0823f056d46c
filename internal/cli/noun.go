package cli

import (
	"context"
	"io"
	"net/http"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/client"
)

// noun is a kind of record that is created, listed, shown, edited and deleted in
// the same way; a command each follows from what it says.
type noun struct {
	name    string         // "client"
	short   string         // of the command that the others are below
	key     string         // the field that names one
	created string         // the field that names one to be made, the argument of create
	fields  []client.Field // in the order in which they are shown
	first   []string       // of the fields, those that create takes; nil: all
	columns []string       // of a list
	filters []filter       // of a list
	title   string         // the field that people know one by
	global  bool           // in no application
	calls   calls
	danger  func(r *record) string // what becomes of what hangs on one that is deleted
	example string                 // of create
}

// filter is a flag of list that is a parameter of its request.
type filter struct {
	name, usage string // of the flag
	parameter   string // "": the name, with underscores
	values      []string
	truth       bool // the flag alone is true
	moment      bool // a time, or how long ago
}

type (
	editor   = apiclient.RequestEditorFn
	listCall = func(ctx context.Context, api *apiclient.API, app string, with ...editor) (*http.Response, error)
	oneCall  = func(ctx context.Context, api *apiclient.API, app, key string, with ...editor) (*http.Response, error)
	makeCall = func(ctx context.Context, api *apiclient.API, app string, document io.Reader, with ...editor) (*http.Response, error)
	editCall = func(ctx context.Context, api *apiclient.API, app, key string, document io.Reader, with ...editor) (*http.Response, error)
)

// calls are the operations of the API upon a noun.
type calls struct {
	list   listCall
	create makeCall
	get    oneCall
	edit   editCall
	remove oneCall
}

// The generated operations take their parameters as a type each. Those are nil
// here: what a list is filtered by is set by an editor, from the flags.
func listing[P any](call func(*apiclient.API, context.Context, string, *P, ...editor) (*http.Response, error)) listCall {
	return func(ctx context.Context, api *apiclient.API, app string, with ...editor) (*http.Response, error) {
		return call(api, ctx, app, nil, with...)
	}
}

func creating(call func(*apiclient.API, context.Context, string, string, io.Reader, ...editor) (*http.Response, error)) makeCall {
	return func(ctx context.Context, api *apiclient.API, app string, document io.Reader, with ...editor) (*http.Response, error) {
		return call(api, ctx, app, plainJSON, document, with...)
	}
}

func getting(call func(*apiclient.API, context.Context, string, string, ...editor) (*http.Response, error)) oneCall {
	return func(ctx context.Context, api *apiclient.API, app, key string, with ...editor) (*http.Response, error) {
		return call(api, ctx, app, key, with...)
	}
}

func editing[P any](call func(*apiclient.API, context.Context, string, string, *P, string, io.Reader, ...editor) (*http.Response, error)) editCall {
	return func(ctx context.Context, api *apiclient.API, app, key string, document io.Reader, with ...editor) (*http.Response, error) {
		return call(api, ctx, app, key, nil, mergePatch, document, with...)
	}
}

func removing[P any](call func(*apiclient.API, context.Context, string, string, *P, ...editor) (*http.Response, error)) oneCall {
	return func(ctx context.Context, api *apiclient.API, app, key string, with ...editor) (*http.Response, error) {
		return call(api, ctx, app, key, nil, with...)
	}
}

// command makes the noun's command and those below it.
func (n *noun) command(more ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: n.name, Short: n.short, Args: cobra.NoArgs}
	c.AddCommand(n.createCommand(), n.listCommand(), n.showCommand(), n.editCommand())
	c.AddCommand(more...)
	c.AddCommand(n.deleteCommand())
	return c
}

type action = func(c *cobra.Command, r *remote, app string, args []string) error

// remoteCommand gives a command its way into an application of a server: after
// its own flags those that say which, and RunE with both.
func remoteCommand(c *cobra.Command, own func(*pflag.FlagSet), run action) *cobra.Command {
	return serverCommand(c, own, func(c *cobra.Command, r *remote, _ string, args []string) error {
		app, err := r.app(c.Context())
		if err != nil {
			return err
		}
		return run(c, r, app, args)
	})
}

// serverCommand is remoteCommand for what is in no application: app is "".
func serverCommand(c *cobra.Command, own func(*pflag.FlagSet), run action) *cobra.Command {
	own(c.Flags())
	config.Bind(c.Flags(), config.Remote)
	c.RunE = func(c *cobra.Command, args []string) error {
		r, err := dial(c)
		if err != nil {
			return err
		}
		return explain(c, run(c, r, "", args))
	}
	return c
}

// remote is the one of the two that is right for the noun.
func (n *noun) remote(c *cobra.Command, own func(*pflag.FlagSet), run action) *cobra.Command {
	if n.global {
		return serverCommand(c, own, run)
	}
	return remoteCommand(c, own, run)
}

// completeKeys completes the key of a record by asking the server for some.
func (n *noun) completeKeys(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, none
	}
	r, err := dial(c)
	if err != nil {
		return nil, none
	}
	app := ""
	if !n.global {
		if app, err = r.app(c.Context()); err != nil {
			return nil, none
		}
	}
	page, err := r.take(n.calls.list(c.Context(), r.api, app, query("limit", "200")))
	if err != nil {
		return nil, none
	}
	items, err := page.items("items")
	if err != nil {
		return nil, none
	}
	var found []string
	for _, item := range items {
		entry := item.text(n.key)
		if n.title != n.key {
			entry += "\t" + item.text(n.title)
		}
		found = append(found, entry)
	}
	return found, none
}
