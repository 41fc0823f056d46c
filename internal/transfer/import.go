package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// Options say how an import goes about it.
type Options struct {
	client.ImportOptions

	CreateScopes bool   // scopes that are not there are made, of the kind any
	From         Source // whose file it is; the zero value: lines of ours
}

// Target is where clients are imported to.
type Target struct {
	Application *application.Application
	Clients     *client.Operations
	Scopes      *scope.Operations
	Source      audit.Source
	Role        admin.Role // of whoever imports
}

// Import makes a client of each line, or of each client of another product's
// file. report is told of each row, in order, and
// may end it with an error. An error of Import is about the whole; what was
// reported before is done, and to import the same lines again goes on from
// there.
func Import(ctx context.Context, to Target, in io.Reader, options Options, report func(Row) error) (Summary, error) {
	run := importing{Target: to, options: options, report: report, known: map[string]bool{}}
	run.summary.DryRun = options.DryRun
	if options.CreateScopes {
		if err := to.Role.Require(admin.EditScopes); err != nil {
			return run.summary, err
		}
	}
	read := run.lines
	if options.From.convert != nil {
		read = run.convert
	}
	if err := read(ctx, in); err != nil {
		return run.summary, err
	}
	return run.summary, run.flush(ctx)
}

type importing struct {
	Target

	options Options
	report  func(Row) error
	summary Summary
	known   map[string]bool // scopes that were looked for; false: there is none (in a dry run)

	notes   []Refusal // on the client that is added next
	rows    []Row     // those to be reported next
	records []client.Record
	places  []int // of the records among the rows
}

// lines reads lines of ours.
func (i *importing) lines(ctx context.Context, in io.Reader) error {
	for lines := NewLines(in); ; {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read line %d: %w", len(i.rows)+i.summary.Lines+1, err)
		}
		if err := i.add(ctx, line); err != nil {
			return err
		}
	}
}

// convert reads another product's file. What is wrong with it as a whole is a
// fault Invalid.
func (i *importing) convert(ctx context.Context, in io.Reader) error {
	var stopped error
	err := i.options.From.Convert(in, func(e *Entry) error {
		if len(e.Refused) > 0 {
			row := Row{Line: e.Number, Outcome: Refused, Reasons: e.Refused, Notes: e.Notes}
			if e.Record.ID != nil {
				row.ID = *e.Record.ID
			}
			i.rows = append(i.rows, row)
			stopped = i.flushFull(ctx)
			return stopped
		}
		text, err := json.Marshal(e.Record)
		if err != nil {
			return fmt.Errorf("write client %d: %w", e.Number, err)
		}
		i.notes = e.Notes
		stopped = i.add(ctx, Line{Number: e.Number, Text: text})
		return stopped
	})
	if err != nil && stopped == nil {
		return fault.Invalidf("file", "The file cannot be read as one of %s: %v.", i.options.From.Name, err)
	}
	return err
}

// flushFull imports what was added, once it is enough for a transaction.
func (i *importing) flushFull(ctx context.Context) error {
	if len(i.rows) < client.MaxImport {
		return nil
	}
	return i.flush(ctx)
}

// notUTF8 refuses what the JSON parser would put other characters into.
const notUTF8 = "This is not in UTF-8; convert the file."

// add judges the form of a line.
func (i *importing) add(ctx context.Context, line Line) error {
	row := Row{Line: line.Number, Outcome: Refused, Notes: i.notes}
	r, err := client.ParseRecord(line.Text)
	switch {
	case line.TooLong:
		row.Reasons = []Refusal{{"", fmt.Sprintf("A line has at most %d bytes.", MaxLine)}}
	case !utf8.Valid(line.Text):
		row.Reasons = []Refusal{{"", notUTF8}}
	case err != nil:
		row.Reasons = refusals(err)
		if r.ID != nil && client.ValidID(*r.ID) {
			row.ID = *r.ID
		}
	default:
		i.records, i.places = append(i.records, r), append(i.places, len(i.rows))
	}
	i.rows = append(i.rows, row)
	return i.flushFull(ctx)
}

// flush imports what was added, and reports it.
func (i *importing) flush(ctx context.Context) error {
	if i.options.CreateScopes {
		if err := i.makeScopes(ctx); err != nil {
			return err
		}
	}
	outcomes, err := i.Clients.Import(ctx, i.Source, i.Application, i.records, i.options.ImportOptions)
	if err != nil {
		return err
	}
	for n, o := range outcomes {
		row := &i.rows[i.places[n]]
		row.ID, row.Secret = o.ID, o.Secret
		switch {
		case o.Refusal != nil:
			row.Reasons = refusals(o.Refusal)
			if !client.ValidID(o.ID) {
				row.ID = ""
			}
		case o.Outcome == client.Unchanged:
			row.Outcome = Unchanged
		default:
			row.Outcome = Created
		}
	}
	for _, row := range i.rows {
		i.summary.Count(row.Outcome)
		if err := i.report(row); err != nil {
			return err
		}
	}
	i.rows, i.records, i.places = i.rows[:0], i.records[:0], i.places[:0]
	return nil
}

// maxKnown bounds the scopes that are remembered.
const maxKnown = 10_000

// makeScopes makes the scopes of the records that are not there. In a dry run
// they are taken out of the records instead. A name that no scope can have is
// left for the client to be refused.
func (i *importing) makeScopes(ctx context.Context) error {
	for n := range i.records {
		r := &i.records[n]
		if r.Scopes == nil {
			continue
		}
		kept := make([]string, 0, len(*r.Scopes))
		for _, name := range *r.Scopes {
			there, err := i.scope(ctx, name)
			if err != nil {
				return err
			}
			if there {
				kept = append(kept, name)
			}
		}
		r.Scopes = &kept
	}
	return nil
}

// canBeMade reports whether a scope can have the name.
func canBeMade(name string) bool {
	return len(name) <= maxScopeName && oauth.ValidScopeName(name) && !strings.HasPrefix(scope.Key(name), scope.Prefix)
}

const maxScopeName = 128

// scope makes a scope, unless it is there. false: in a dry run, one that would
// be made.
func (i *importing) scope(ctx context.Context, name string) (there bool, err error) {
	if there, ok := i.known[name]; ok {
		return there, nil
	}
	_, err = i.Scopes.Get(ctx, i.Application.ID, name)
	there = err == nil
	if fault.KindOf(err) == fault.NotFound && canBeMade(name) {
		i.summary.ScopesMade++
		if i.options.DryRun {
			err = nil
		} else {
			_, err = i.Scopes.Create(ctx, i.Source, i.Application.ID, scope.Fields{Name: name})
			there = true
		}
	}
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Invalid, fault.Conflict:
		return true, nil // the client's own rules say what is wrong
	case fault.Internal, fault.Denied, fault.Unavailable, fault.Precondition:
		if err != nil {
			return false, err
		}
	}
	if len(i.known) < maxKnown {
		i.known[name] = there
	}
	return there, nil
}
