// Package transfer moves API clients in and out as NDJSON, a client a line, and
// reads what other products give of theirs. It owns the form of the lines and of
// the report, and what stands for what; which values are good, and what is
// stored, is decided in the core.
package transfer

import (
	"errors"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// ContentType of the lines and of the report.
const ContentType = "application/x-ndjson"

// Row is what became of one line.
type Row struct {
	Line    int       `json:"line"`              // the first is 1
	ID      string    `json:"id,omitempty"`      // of the client, where it is known
	Outcome string    `json:"outcome"`           // created, unchanged or refused
	Secret  string    `json:"secret,omitempty"`  // that was made, shown this once
	Reasons []Refusal `json:"reasons,omitempty"` // why it was refused
	Notes   []Refusal `json:"notes,omitempty"`   // what of another product's client has no counterpart here
}

// Refusal is one reason. It never repeats the value.
type Refusal struct {
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

// The outcomes of a row.
const (
	Created   = "created"
	Unchanged = "unchanged" // the client is there already, just so
	Refused   = "refused"
)

// Summary counts the rows.
type Summary struct {
	Lines      int  `json:"lines"`
	Created    int  `json:"created"`
	Unchanged  int  `json:"unchanged"`
	Refused    int  `json:"refused"`
	ScopesMade int  `json:"scopes_made"`
	DryRun     bool `json:"dry_run"`
}

// End is the last line of a report.
type End struct {
	Summary Summary `json:"summary"`
	Stopped string  `json:"stopped,omitempty"` // why not all lines were read
}

// Add adds what another part came to.
func (s *Summary) Add(part Summary) {
	s.Lines += part.Lines
	s.Created += part.Created
	s.Unchanged += part.Unchanged
	s.Refused += part.Refused
	s.ScopesMade += part.ScopesMade
}

// Count counts a row.
func (s *Summary) Count(outcome string) {
	s.Lines++
	switch outcome {
	case Created:
		s.Created++
	case Unchanged:
		s.Unchanged++
	default:
		s.Refused++
	}
}

// refusals gives the reasons that are in an error of the core.
func refusals(err error) []Refusal {
	if problems, ok := errors.AsType[fault.Problems](err); ok {
		list := make([]Refusal, len(problems))
		for i, p := range problems {
			list[i] = Refusal{p.Field, p.Message}
		}
		return list
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return []Refusal{{f.Field, f.Message}}
	}
	return []Refusal{{"", "This could not be done."}}
}
