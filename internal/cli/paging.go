package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
)

const (
	defaultLimit = 50
	maxPage      = 200 // what the API gives in one answer
)

// pages are how much of a list is wanted.
type pages struct {
	limit  int
	all    bool
	asJSON bool
}

func (p *pages) bind(flags *pflag.FlagSet) {
	flags.IntVar(&p.limit, "limit", defaultLimit, "print at most this `number`")
	flags.BoolVar(&p.all, "all", false, "print all of them")
	flags.BoolVar(&p.asJSON, "json", false, "print the API's documents, one JSON object a line")
}

// pagedCommand makes a command that prints a list, page by page.
func pagedCommand(c *cobra.Command, dialled func(*cobra.Command, func(*pflag.FlagSet), action) *cobra.Command, columns []string, filters []filter, call listCall) *cobra.Command {
	var p pages
	dialled(c, func(flags *pflag.FlagSet) {
		for _, f := range filters {
			if f.truth {
				flags.Bool(f.name, false, f.usage)
			} else {
				flags.String(f.name, "", f.usage)
			}
		}
		p.bind(flags)
	}, func(c *cobra.Command, r *remote, app string, _ []string) error {
		chosen, err := filtersGiven(c.Flags(), filters, time.Now())
		if err != nil {
			return err
		}
		return p.print(c, columns, func(ctx context.Context, with ...editor) (*record, error) {
			return r.take(call(ctx, r.api, app, append(with, query(chosen...))...))
		})
	})
	for _, f := range filters {
		if f.values != nil {
			_ = c.RegisterFlagCompletionFunc(f.name, cobra.FixedCompletions(f.values, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
		}
	}
	return c
}

// print fetches and prints until there is enough, or nothing more.
func (p *pages) print(c *cobra.Command, columns []string, fetch func(context.Context, ...editor) (*record, error)) error {
	if p.limit < 1 {
		return &config.Error{Err: errors.New("--limit is a number of 1 or more; --all prints everything")}
	}
	var rows [][]string // not the records: there may be a million
	printed, cursor := 0, ""
	for {
		size := maxPage
		if !p.all {
			size = min(maxPage, p.limit-printed)
		}
		page, err := fetch(c.Context(), query("limit", strconv.Itoa(size), "cursor", cursor))
		if err != nil {
			return err
		}
		items, err := page.items("items")
		if err != nil {
			return err
		}
		printed += len(items)
		for _, item := range items {
			if !p.asJSON {
				rows = append(rows, cellsOf(columns, item))
			} else if err := printJSON(c.OutOrStdout(), item); err != nil {
				return err
			}
		}
		cursor = ""
		if next := page.text("next_cursor"); next != nothing {
			cursor = next
		}
		if cursor == "" || !p.all && printed >= p.limit {
			break
		}
	}
	if !p.asJSON {
		if err := printTable(c.OutOrStdout(), columns, rows); err != nil {
			return err
		}
	}
	if cursor != "" {
		_, err := fmt.Fprintf(c.ErrOrStderr(), "There are more; --limit prints more of them, --all every one.\n")
		return err
	}
	return nil
}

// filtersGiven gives the parameters that the flags stand for: names and values
// in turn.
func filtersGiven(flags *pflag.FlagSet, filters []filter, now time.Time) ([]string, error) {
	var chosen []string
	for _, f := range filters {
		given := flags.Lookup(f.name)
		if !given.Changed {
			continue
		}
		value := given.Value.String()
		if f.moment {
			at, err := parseMoment(value, now)
			if err != nil {
				return nil, &config.Error{Err: fmt.Errorf("--%s: %w", f.name, err)}
			}
			value = at
		}
		parameter := f.parameter
		if parameter == "" {
			parameter = strings.ReplaceAll(f.name, "-", "_")
		}
		chosen = append(chosen, parameter, value)
	}
	return chosen, nil
}

// parseMoment reads a time, a date, or how long ago it was.
func parseMoment(text string, now time.Time) (string, error) {
	const form = "write a time as 2026-01-31T12:00:00Z, a date as 2026-01-31, or how long ago as 90d, 24h or 15m"
	if at, ok := parseTime(text); ok {
		return at.Format(time.RFC3339), nil
	}
	ago, err := parsePeriod(text)
	if err != nil {
		return "", errors.New(form)
	}
	return now.Add(-ago).UTC().Format(time.RFC3339), nil
}

// parseTime reads a time, or the date on which it is midnight, UTC.
func parseTime(text string) (at time.Time, ok bool) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), true
		}
	}
	return at, false
}

// parsePeriod reads a duration; besides Go's units there are days.
func parsePeriod(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	period, err := time.ParseDuration(text)
	if err == nil && period < 0 {
		err = errors.New("negative")
	}
	return period, err
}
