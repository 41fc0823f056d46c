package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/transfer"
)

const importHelp = `Make clients from a file, or from what is piped in where the file is -.

The file has a client a line, as client export writes it; with --from it is what
another product gives: what hydra list clients --format json of Ory Hydra prints
(or rows of its table hydra_client, which have the secrets' hashes), the export of
a realm of Keycloak, or what the Akamai Identity Cloud answers to GET
/config/{app}/clients.

Each client is refused alone; the reasons are printed, never a value. What is
there already just so is left alone: an import that broke off is begun again with
the same command. Exit status 1: some were refused.`

const importExample = `  ostiary client import clients.ndjson --dry-run
  ostiary client import --from keycloak shop-realm.json --create-scopes
  hydra list clients --format json | ostiary client import --from hydra - --make-secrets --json > report.ndjson`

// importFlags are those of client import.
type importFlags struct {
	from                              string
	dryRun, createScopes, makeSecrets bool
	asJSON                            bool
}

func importCommand() *cobra.Command {
	var f importFlags
	return remoteCommand(&cobra.Command{
		Use: "import FILE", Short: "Make clients from a file: of this product, or of another", Long: importHelp, Example: importExample, Args: cobra.ExactArgs(1),
	}, func(flags *pflag.FlagSet) {
		flags.StringVar(&f.from, "from", "", "the `product` that the file is of: "+strings.Join(sourceNames(), ", "))
		flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be refused, and make nothing")
		flags.BoolVar(&f.createScopes, "create-scopes", false, "make the scopes that are not there")
		flags.BoolVar(&f.makeSecrets, "make-secrets", false, "make a secret where the file has none, and print it")
		flags.BoolVar(&f.asJSON, "json", false, "print the report as JSON, a line a client that was refused or given a secret, the summary last")
	}, func(c *cobra.Command, r *remote, app string, args []string) error {
		in, size, err := openInput(c, args[0])
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
		told, stop := untilSignal(c.Context())
		defer stop()
		progress := newProgress(c, size)
		i := &importing{command: c, remote: r, app: app, flags: &f, progress: progress, told: told}
		err = i.read(progress.reader(in))
		progress.end()
		if err != nil {
			return err
		}
		return i.end()
	})
}

func sourceNames() []string {
	var names []string
	for _, s := range transfer.Sources() {
		names = append(names, s.Name)
	}
	return names
}

// openInput opens a file, or what is piped in; size is -1 where it is not known.
func openInput(c *cobra.Command, path string) (in io.ReadCloser, size int64, err error) {
	if path == "-" {
		return io.NopCloser(c.InOrStdin()), -1, nil
	}
	f, err := os.Open(path) //nolint:gosec // the caller names it
	if err != nil {
		return nil, 0, &config.Error{Err: err}
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// importing sends clients piece by piece, and prints what becomes of each.
type importing struct {
	command  *cobra.Command
	remote   *remote
	app      string
	flags    *importFlags
	progress *progress
	told     context.Context //nolint:containedctx // ends when the import is told to stop, which it does between pieces

	lines   []byte // those to be sent next
	numbers []int  // of their clients in the file
	summary transfer.Summary
}

// Pieces are small enough to show progress. One in which secrets are made is a
// single transaction, so that none is made without being shown.
const (
	pieceLines  = 500
	secretLines = 100
	pieceBytes  = 4 << 20
)

// read reads the file.
func (i *importing) read(in io.Reader) error {
	if i.flags.from == "" {
		for lines := transfer.NewLines(in); ; {
			line, err := lines.Next()
			if errors.Is(err, io.EOF) {
				return i.send()
			}
			if err != nil {
				return fmt.Errorf("read line %d: %w", line.Number, err)
			}
			if err := i.line(line); err != nil {
				return err
			}
		}
	}
	n := slices.Index(sourceNames(), i.flags.from)
	if n < 0 {
		return &config.Error{Err: fmt.Errorf("--from takes %s", strings.Join(sourceNames(), ", "))}
	}
	if err := transfer.Sources()[n].Convert(in, i.entry); err != nil {
		return err
	}
	return i.send()
}

func (i *importing) line(line transfer.Line) error {
	if line.TooLong {
		return i.row(transfer.Row{Line: line.Number, Outcome: transfer.Refused, Reasons: []transfer.Refusal{
			{Reason: fmt.Sprintf("A line has at most %d bytes.", transfer.MaxLine)},
		}}, true)
	}
	return i.add(line.Number, line.Text)
}

// entry takes a client of another product, and says what of it is not kept.
func (i *importing) entry(e *transfer.Entry) error {
	if len(e.Refused) > 0 {
		row := transfer.Row{Line: e.Number, Outcome: transfer.Refused, Reasons: e.Refused}
		if e.Record.ID != nil {
			row.ID = *e.Record.ID
		}
		return i.row(row, true)
	}
	for _, n := range e.Notes {
		i.progress.clear()
		i.say(i.command.ErrOrStderr(), "note: %s: %s: %s", i.place(e.Number, e.Name), n.Field, n.Reason)
	}
	text, err := json.Marshal(e.Record)
	if err != nil {
		return fmt.Errorf("write client %d: %w", e.Number, err)
	}
	return i.add(e.Number, text)
}

func (i *importing) add(number int, text []byte) error {
	i.lines, i.numbers = append(append(i.lines, text...), '\n'), append(i.numbers, number)
	most := pieceLines
	if i.flags.makeSecrets {
		most = secretLines
	}
	if len(i.numbers) < most && len(i.lines) < pieceBytes {
		return nil
	}
	return i.send()
}

// send sends what was added, and prints the report of it.
func (i *importing) send() error {
	if len(i.numbers) == 0 {
		return nil
	}
	if i.told.Err() != nil {
		return errors.New("stopped; import the file again to go on, what is there is left alone")
	}
	rows, end, err := i.remote.importLines(i.command.Context(), i.app, i.flags, i.lines)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Line >= 1 && row.Line <= len(i.numbers) {
			row.Line = i.numbers[row.Line-1]
		}
		if err := i.row(row, false); err != nil {
			return err
		}
	}
	i.summary.Add(end.Summary)
	i.lines, i.numbers = i.lines[:0], i.numbers[:0]
	if end.Stopped != "" {
		return errors.New(end.Stopped)
	}
	return nil
}

// row prints what became of a client; the server counts those that were sent.
func (i *importing) row(row transfer.Row, count bool) error {
	if count {
		i.summary.Count(row.Outcome)
	}
	i.progress.clear()
	if i.flags.asJSON {
		return encodeLine(i.command.OutOrStdout(), row)
	}
	if row.Secret != "" {
		i.say(i.command.OutOrStdout(), "%s %s", row.ID, row.Secret)
	}
	for _, reason := range row.Reasons {
		field := ""
		if reason.Field != "" {
			field = reason.Field + ": "
		}
		i.say(i.command.ErrOrStderr(), "refused: %s: %s%s", i.place(row.Line, row.ID), field, reason.Reason)
	}
	return nil
}

func (i *importing) say(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintln(out, oneLine(fmt.Sprintf(format, args...)))
}

// place names a client by its place in the file.
func (i *importing) place(number int, name string) string {
	what := "line"
	if i.flags.from != "" {
		what = "client"
	}
	if name == "" {
		return fmt.Sprintf("%s %d", what, number)
	}
	return fmt.Sprintf("%s %d (%s)", what, number, name)
}

// end prints the summary.
func (i *importing) end() error {
	s := &i.summary
	s.DryRun = i.flags.dryRun
	if i.flags.asJSON {
		if err := encodeLine(i.command.OutOrStdout(), transfer.End{Summary: *s}); err != nil {
			return err
		}
	} else {
		made, scopes := "made", "made"
		if s.DryRun {
			made, scopes = "would be made", "would be made"
		}
		text := fmt.Sprintf("%s: %d %s, %d there already just so, %d refused", counted(s.Lines, "client"), s.Created, made, s.Unchanged, s.Refused)
		if s.ScopesMade > 0 {
			text += fmt.Sprintf("; %s %s", counted(s.ScopesMade, "scope"), scopes)
		}
		i.say(i.command.ErrOrStderr(), "%s", text)
	}
	if s.Refused > 0 {
		return fmt.Errorf("not all were taken: mend what was refused (%d) and import the file again; the others are left alone", s.Refused)
	}
	return nil
}

// encodeLine prints a line of JSON.
func encodeLine(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
