package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
)

const applyHelp = `Make applications, scopes, clients and resources what a YAML file says. The plan
is shown first; records that the file does not name are left alone, unless --prune
is given, and a second run has nothing to do.

A client is known by its id, or else by its name and version. What an entry
leaves out has its default; of an application it stays as it is. docs/apply.md
describes the file.`

const applyExample = `  ostiary apply -f shop.yaml --dry-run
  ostiary apply -f shop.yaml --yes --credentials ostiary-data/first-start.json
  generate | ostiary apply -f - --yes`

// applying is one run of the command.
type applying struct {
	file                string
	dryRun, yes, asJSON bool
	prune               bool
}

func applyCommand() *cobra.Command {
	var a applying
	return serverCommand(&cobra.Command{
		Use: "apply -f FILE", Short: "Make records what a YAML file says", Long: applyHelp, Example: applyExample, Args: cobra.NoArgs,
	}, func(flags *pflag.FlagSet) {
		flags.StringVarP(&a.file, "file", "f", "", "the `file` that says what there is to be; -: the standard input")
		flags.BoolVar(&a.dryRun, "dry-run", false, "show the plan and change nothing")
		flags.BoolVar(&a.prune, "prune", false, "delete what the file does not name, of the kinds that it has a list of")
		flags.BoolVar(&a.yes, "yes", false, yesUsage)
		flags.BoolVar(&a.asJSON, "json", false, "print one JSON object: changes, applied")
	}, func(c *cobra.Command, r *remote, _ string, _ []string) error { return a.run(c, r) })
}

func (a *applying) run(c *cobra.Command, r *remote) error {
	text, directory, err := a.read(c.InOrStdin())
	if err != nil {
		return &config.Error{Err: err}
	}
	entries, extents, err := readFile(a.file, text)
	if err != nil {
		return err
	}
	p := planner{file: a.file, server: r, realms: map[string]*realm{}}
	steps, err := p.plan(c.Context(), entries)
	if err != nil {
		return err
	}
	if a.prune {
		if steps, err = p.prune(c.Context(), steps, extents); err != nil {
			return err
		}
	}
	secrets, err := gather(steps, a.file, directory)
	if err != nil {
		return err
	}
	if !a.asJSON {
		if err := printPlan(c.OutOrStdout(), steps); err != nil {
			return err
		}
	}
	outcomes := make([]outcome, len(steps))
	for i := range steps {
		outcomes[i] = steps[i].outcome()
	}
	var failure error
	if !a.dryRun && pending(steps) {
		if err := a.confirm(c, steps, r.server); err != nil {
			return err
		}
		failure = a.apply(c, steps, secrets, outcomes)
	}
	if a.asJSON {
		if err := printOutcomes(c.OutOrStdout(), outcomes, !a.dryRun && failure == nil); err != nil {
			return err
		}
	}
	return failure
}

// confirm asks whether the plan is meant. Who deletes types how many it are.
func (a *applying) confirm(c *cobra.Command, steps []step, server string) error {
	deleted := 0
	for i := range steps {
		if steps[i].action == toDelete {
			deleted++
		}
	}
	if deleted == 0 {
		return confirm(c, a.yes, "This changes what is said above on "+server+".")
	}
	return confirmTyping(c, a.yes, fmt.Sprintf("delete %d", deleted),
		fmt.Sprintf("This changes what is said above on %s, and deletes %d of it for good, with all their tokens.", server, deleted))
}

func (a *applying) read(in io.Reader) (text []byte, directory string, err error) {
	switch a.file {
	case "":
		return nil, "", errors.New("say which file with -f; - is the standard input")
	case "-":
		text, err = io.ReadAll(in)
	default:
		text, err = os.ReadFile(a.file)
		directory = filepath.Dir(a.file)
	}
	if err != nil {
		return nil, "", fmt.Errorf("the file cannot be read: %w", err)
	}
	return text, directory, nil
}

// apply makes the steps come true one by one, and stops at the first that does
// not.
func (a *applying) apply(c *cobra.Command, steps []step, secrets []string, outcomes []outcome) error {
	for i := range steps {
		o, err := steps[i].run(c.Context(), secrets[i])
		outcomes[i] = o
		if !a.asJSON && (o.Done || o.OwnerSecret != "") {
			if err := printDone(c.OutOrStdout(), &o); err != nil {
				return err
			}
		}
		if err != nil {
			return fmt.Errorf("%s%s: the %s %s: %w; what is above it is done, and the next run goes on from there", a.file, steps[i].entry.place(), o.Kind, o.Name, explain(c, err))
		}
	}
	return nil
}

// printPlan prints the plan for people.
func printPlan(out io.Writer, steps []step) error {
	table := newTable(out)
	counts := map[string]int{}
	for i := range steps {
		o := steps[i].outcome()
		counts[o.Action]++
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", o.Action, o.Kind, oneLine(o.Name))
		for _, change := range o.Changes {
			text := readable(change.After)
			if o.Action == toUpdate {
				text = readable(change.Before) + " -> " + text
			}
			_, _ = fmt.Fprintf(table, "\t  %s\t%s\n", change.Field, text)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if !pending(steps) {
		_, err := fmt.Fprintf(out, "nothing to do: %d unchanged\n", counts[asItIs])
		return err
	}
	text := fmt.Sprintf("%d to create, %d to update, %d unchanged", counts[toCreate], counts[toUpdate], counts[asItIs])
	if n := counts[toDelete]; n > 0 {
		text += fmt.Sprintf(", %d to delete", n)
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// printDone prints what was done, with the secrets that are shown this once.
func printDone(out io.Writer, o *outcome) error {
	if o.Action == asItIs || !o.Done && o.OwnerSecret == "" {
		return nil
	}
	if _, err := fmt.Fprintf(out, "%sd %s %s\n", o.Action, o.Kind, oneLine(o.Name)); err != nil {
		return err
	}
	table := newTable(out)
	shown := [][2]string{{"id", o.ID}, {"secret, shown this once", o.Secret}, {"owner client", o.OwnerClientID}, {"its secret, shown this once", o.OwnerSecret}}
	for _, row := range shown {
		if row[1] != "" && o.Action == toCreate {
			_, _ = fmt.Fprintf(table, "  %s\t%s\n", row[0], row[1])
		}
	}
	return table.Flush()
}

func printOutcomes(out io.Writer, outcomes []outcome, applied bool) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Changes []outcome `json:"changes"`
		Applied bool      `json:"applied"`
	}{outcomes, applied})
}
