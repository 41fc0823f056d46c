package report

import (
	"strings"
	"unicode/utf8"
)

// Table is a Markdown table; its first row is the head.
type Table [][]string

// String writes the table with aligned columns, so that it can be read as it is
// too.
func (t Table) String() string {
	if len(t) == 0 {
		return ""
	}
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	for n, row := range t {
		for i, w := range widths {
			cell := ""
			if i < len(row) {
				cell = row[i]
			}
			out.WriteString("| " + cell + strings.Repeat(" ", w-utf8.RuneCountInString(cell)) + " ")
		}
		out.WriteString("|\n")
		if n == 0 {
			for _, w := range widths {
				out.WriteString("|" + strings.Repeat("-", w+2))
			}
			out.WriteString("|\n")
		}
	}
	return out.String()
}
