package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/client"
)

const createHelp = `

A field each is a flag. A list is written with commas between its values, or its
flag is repeated; a comma within a URI is a part of it. What is not given has its
default.`

const editHelp = `Change the fields that are named, a flag each, and no others. A list is written
with commas between its values, or its flag is repeated, and replaces the one
that there is; "" empties it. --unset puts a field back to its default.`

const jsonUsage = "print the API's document, one JSON object"

// placeholder names an argument in a usage line.
func placeholder(field string) string { return strings.ToUpper(field) }

func (n *noun) createCommand() *cobra.Command {
	fields := slices.DeleteFunc(writable(n.fields, true, n.created), func(f client.Field) bool {
		return n.first != nil && !slices.Contains(n.first, f.Name)
	})
	var asJSON bool
	c := n.remote(&cobra.Command{
		Use: "create " + placeholder(n.created), Short: "Make " + article(n.name), Long: "Make " + article(n.name) + "." + createHelp, Example: n.example, Args: cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}, func(flags *pflag.FlagSet) {
		bindFields(flags, fields, true)
		flags.BoolVar(&asJSON, "json", false, jsonUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		document, err := fieldsGiven(c.Flags(), fields)
		if err != nil {
			return err
		}
		if document[n.created], err = json.Marshal(args[0]); err != nil {
			return err
		}
		text, err := body(document)
		if err != nil {
			return err
		}
		made, err := r.take(n.calls.create(c.Context(), r.api, app, text))
		if err != nil {
			return err
		}
		if document["secret"] != nil && !asJSON { // who gave it has it
			made.members = slices.DeleteFunc(made.members, func(m member) bool { return m.name == "secret" })
		}
		return printMade(c, made, asJSON)
	})
	completeFields(c, fields)
	return c
}

// printMade prints a record that may have a secret in it, shown this once.
func printMade(c *cobra.Command, made *record, asJSON bool) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), made)
	}
	if err := printRecord(c.OutOrStdout(), made); err != nil {
		return err
	}
	for _, name := range []string{"secret", "owner_client_secret"} {
		if made.get(name) != nil {
			_, err := fmt.Fprintln(c.ErrOrStderr(), "\nThe secret is shown this once; keep it in a safe place.")
			return err
		}
	}
	return nil
}

func (n *noun) listCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List " + n.name + "s", Args: cobra.NoArgs}
	return pagedCommand(c, n.remote, n.columns, n.filters, n.calls.list)
}

func (n *noun) showCommand() *cobra.Command {
	var asJSON, etag bool
	return n.remote(&cobra.Command{
		Use: "show " + placeholder(n.key), Short: "Show " + article(n.name), Args: cobra.ExactArgs(1), ValidArgsFunction: n.completeKeys,
	}, func(flags *pflag.FlagSet) {
		flags.BoolVar(&etag, "etag", false, "print the tag of its present state alone, for --if-match")
		flags.BoolVar(&asJSON, "json", false, jsonUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		if etag && asJSON {
			return errTagAlone
		}
		found, err := r.take(n.calls.get(c.Context(), r.api, app, args[0]))
		if err != nil {
			return err
		}
		if etag {
			_, err := fmt.Fprintln(c.OutOrStdout(), oneLine(found.etag))
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), found)
		}
		return printRecord(c.OutOrStdout(), found)
	})
}

func (n *noun) editCommand() *cobra.Command {
	fields := writable(n.fields, false, "")
	var asJSON bool
	var unset []string
	var only condition
	c := n.remote(&cobra.Command{
		Use: "edit " + placeholder(n.key), Short: "Change the fields that are named, and no others", Long: editHelp, Args: cobra.ExactArgs(1), ValidArgsFunction: n.completeKeys,
	}, func(flags *pflag.FlagSet) {
		bindFields(flags, fields, false)
		flags.StringSliceVar(&unset, "unset", nil, "put these `fields` back to their defaults")
		only.bind(flags)
		flags.BoolVar(&asJSON, "json", false, jsonUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		document, err := fieldsGiven(c.Flags(), fields)
		if err != nil {
			return err
		}
		if err := unsetFields(document, fields, unset); err != nil {
			return err
		}
		if len(document) == 0 {
			return &config.Error{Err: errors.New("say which fields to change, a flag each; --unset puts one back to its default")}
		}
		return n.patch(c, r, app, args[0], document, asJSON, only.header)
	})
	completeFields(c, fields)
	return c
}

// patch changes a record and prints what became of it.
func (n *noun) patch(c *cobra.Command, r *remote, app, key string, document map[string]json.RawMessage, asJSON bool, with ...editor) error {
	text, err := body(document)
	if err != nil {
		return err
	}
	changed, err := r.take(n.calls.edit(c.Context(), r.api, app, key, text, with...))
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), changed)
	}
	return printRecord(c.OutOrStdout(), changed)
}

func (n *noun) deleteCommand() *cobra.Command {
	var yes bool
	var only condition
	return n.remote(&cobra.Command{
		Use: "delete " + placeholder(n.key), Short: "Delete " + article(n.name), Args: cobra.ExactArgs(1), ValidArgsFunction: n.completeKeys,
	}, func(flags *pflag.FlagSet) {
		flags.BoolVar(&yes, "yes", false, yesUsage)
		only.bind(flags)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		found, err := r.take(n.calls.get(c.Context(), r.api, app, args[0]))
		if err != nil {
			return err
		}
		if err := confirm(c, yes, "This deletes "+n.describe(found)+". "+n.danger(found)); err != nil {
			return err
		}
		if _, err := r.take(n.calls.remove(c.Context(), r.api, app, args[0], only.header)); err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "deleted %s\n", n.describe(found))
		return err
	})
}

// activationCommand switches a record off, which is confirmed where something is
// lost by it, or on again.
func (n *noun) activationCommand(use, short, lost string) *cobra.Command {
	var yes, asJSON bool
	var only condition
	return n.remote(&cobra.Command{
		Use: use + " " + placeholder(n.key), Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: n.completeKeys,
	}, func(flags *pflag.FlagSet) {
		if lost != "" {
			flags.BoolVar(&yes, "yes", false, yesUsage)
		}
		only.bind(flags)
		flags.BoolVar(&asJSON, "json", false, jsonUsage)
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		if lost != "" {
			found, err := r.take(n.calls.get(c.Context(), r.api, app, args[0]))
			if err != nil {
				return err
			}
			if err := confirm(c, yes, "This "+use+"s "+n.describe(found)+". "+lost); err != nil {
				return err
			}
		}
		document := map[string]json.RawMessage{"active": json.RawMessage(strconv.FormatBool(lost == ""))}
		if asJSON {
			return n.patch(c, r, app, args[0], document, true, only.header)
		}
		text, err := body(document)
		if err != nil {
			return err
		}
		changed, err := r.take(n.calls.edit(c.Context(), r.api, app, args[0], text, only.header))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%sd %s\n", use, n.describe(changed))
		return err
	})
}

// describe names a record so that people recognize it.
func (n *noun) describe(r *record) string {
	text := "the " + n.name + " " + r.text(n.key)
	if n.title != n.key && r.text(n.title) != nothing {
		text += " (" + r.text(n.title) + ")"
	}
	return text
}

func article(name string) string {
	if strings.ContainsAny(name[:1], "aeio") {
		return "an " + name
	}
	return "a " + name
}
