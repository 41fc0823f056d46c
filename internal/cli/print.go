package cli

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

func newTable(out io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(out, 0, 0, 3, ' ', 0) }

// printJSON prints the document as the API gave it, on a line of its own.
func printJSON(out io.Writer, r *record) error {
	_, err := out.Write(append(bytes.Clone(r.raw), '\n'))
	return err
}

// printRecord prints a record for people: a line a member; those of an object
// within it have both names, and lists of objects are tables below.
func printRecord(out io.Writer, r *record) error {
	table := newTable(out)
	var below []member
	for _, m := range r.members {
		switch inner, err := parseRecord(m.raw); {
		case err == nil:
			for _, n := range inner.members {
				_, _ = fmt.Fprintf(table, "%s.%s\t%s\n", m.name, n.name, readable(n.raw))
			}
		case bytes.HasPrefix(m.raw, []byte("[{")):
			below = append(below, m)
		default:
			_, _ = fmt.Fprintf(table, "%s\t%s\n", m.name, readable(m.raw))
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	for _, m := range below {
		items, err := r.items(m.name)
		if err != nil {
			return err
		}
		var columns []string
		for _, n := range items[0].members {
			columns = append(columns, n.name)
		}
		rows := make([][]string, len(items))
		for i, item := range items {
			rows[i] = cellsOf(columns, item)
		}
		_, _ = fmt.Fprintf(out, "\n%s\n", m.name)
		if err := printTable(out, columns, rows); err != nil {
			return err
		}
	}
	return nil
}

// cellsOf gives the row of a record.
func cellsOf(columns []string, r *record) []string {
	cells := make([]string, len(columns))
	for i, name := range columns {
		cells[i] = r.text(name)
	}
	return cells
}

// printTable prints rows for people, a line each under a heading.
func printTable(out io.Writer, columns []string, rows [][]string) error {
	table := newTable(out)
	_, _ = fmt.Fprintln(table, strings.ToUpper(strings.ReplaceAll(strings.Join(columns, "\t"), "_", " ")))
	for _, cells := range rows {
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// counted gives a number of things in words.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}
