package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
)

// MaxRefusals bounds the lines that a report names; its summary counts all of
// them.
const MaxRefusals = 10_000

// Report is what there is to tell of an import: the rows that were refused or
// lost something, and those that a secret was made for.
type Report struct {
	Rows []Row
	End  End

	named int // rows without a secret
}

func (r *Report) add(row Row) {
	switch {
	case row.Secret != "":
		r.Rows = append(r.Rows, row)
	case (row.Outcome == Refused || len(row.Notes) > 0) && r.named < MaxRefusals:
		r.named++
		r.Rows = append(r.Rows, row)
	}
}

// Lines gives the report as lines, the end last.
func (r *Report) Lines() ([]byte, error) {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	lines.SetEscapeHTML(false)
	for _, row := range r.Rows {
		if err := lines.Encode(row); err != nil { //nolint:gosec // a made secret is shown once, here (G117)
			return nil, err
		}
	}
	err := lines.Encode(r.End)
	return out.Bytes(), err
}

// Reported is Import with a report; watch is told after each row how far it has
// come, and may end it with an error. With an error there is a report too: what
// it counts is done.
func Reported(ctx context.Context, to Target, in io.Reader, options Options, watch func(Summary) error) (*Report, error) {
	r := &Report{}
	so := Summary{DryRun: options.DryRun}
	summary, err := Import(ctx, to, in, options, func(row Row) error {
		so.Count(row.Outcome)
		r.add(row)
		return watch(so)
	})
	r.End.Summary = summary
	return r, err
}
