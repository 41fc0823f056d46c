package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// field is an input of a form with all that belongs to it. Its template is
// "input".
type field struct {
	Name        string
	Label       string
	Kind        string // text (""), digits, email, password, number, url, date, area, select, boxes, radios, box, file
	Help        string
	Value       string   // what is typed or chosen, or was
	Values      []string // of boxes: those that are ticked
	Options     []option // of select, boxes and radios
	Rows        int      // of an area
	Size        string   // how much of a row it takes where there is room: half, third; "": all
	Unit        string   // what stands after it, as "seconds"
	Placeholder string
	Required    bool
	Mono        bool   // identifiers, URIs
	Add         string // of an area: what the button says that adds something to it; "": none
	Fixed       bool   // it cannot be changed here: shown, and not sent
	Problems    []page.Text
}

// option is something that may be chosen.
type option struct {
	Value, Label, Help string
	Disabled           bool
}

// beside puts what was refused beside the fields that it is about.
func beside(problems []page.Problem, fields ...*field) {
	for _, p := range problems {
		for _, f := range fields {
			if f.Name == p.Field {
				f.Problems = append(f.Problems, p.Text)
			}
		}
	}
}

// summary is what was refused for the top of a page: each with the label of its
// field, or where the form has none for it, with the field's name.
func summary(problems []page.Problem, fields ...*field) []page.Problem {
	list := make([]page.Problem, len(problems))
	for i, p := range problems {
		label, at := p.Field, ""
		for _, in := range fields {
			if in.Name == p.Field {
				label, at = in.Label, p.Field
			}
		}
		text := p.Text.Values[1] // as say made it
		if label != "" {
			text = label + ": " + text
		}
		list[i] = page.Problem{Field: at, Text: say(text)}
	}
	return list
}

// refusedForm gives the status of a form that was refused, and what is said
// about it; an error of another kind is handed on.
func refusedForm(err error) (int, []page.Problem, error) {
	if fault.KindOf(err) == fault.Precondition {
		return http.StatusPreconditionFailed, []page.Problem{{Text: say("It was changed by somebody else while you were at it, so nothing was done. Look at what is stored now, and go on if you still want to.")}}, nil
	}
	status := http.StatusUnprocessableEntity
	if fault.KindOf(err) == fault.Conflict {
		status = http.StatusConflict
	}
	problems, err := refusals(err)
	return status, problems, err
}

// refill puts into the inputs of a form that was refused what was typed, and what
// was refused beside it; problems become their summary. Where the record is another
// by now, it gives what differs.
func (v *visit) refill(status int, inputs []*field, problems []page.Problem) []difference {
	if status == http.StatusOK {
		return nil
	}
	before := shown(inputs)
	v.retype(inputs)
	beside(problems, inputs...)
	copy(problems, summary(problems, inputs...))
	if status != http.StatusPreconditionFailed {
		return nil
	}
	return differences(before, inputs)
}

// retype puts into inputs what was typed into them.
func (v *visit) retype(inputs []*field) {
	for _, f := range inputs {
		if f.Fixed || f.Kind == "password" || f.Kind == "file" {
			continue
		}
		f.Value, f.Values = v.form.Get(f.Name), v.form[f.Name]
	}
}

// difference is a field that holds something else than what is typed.
type difference struct{ Label, Stored, Typed string }

// shown is what inputs hold, as text.
func shown(inputs []*field) []string {
	list := make([]string, len(inputs))
	for i, f := range inputs {
		list[i] = f.text()
	}
	return list
}

// text is what an input holds.
func (f *field) text() string {
	switch f.Kind {
	case "boxes":
		return strings.Join(slices.Sorted(slices.Values(f.Values)), "\n")
	case "box":
		if f.Value != "" {
			return "yes"
		}
		return "no"
	case "password":
		return ""
	default:
		return strings.TrimSpace(strings.ReplaceAll(f.Value, "\r\n", "\n"))
	}
}

// differences are the inputs in which something else is typed than what was
// there before, which is what is stored.
func differences(before []string, inputs []*field) []difference {
	var list []difference
	for i, f := range inputs {
		if typed := f.text(); typed != before[i] {
			list = append(list, difference{f.Label, before[i], typed})
		}
	}
	return list
}

// listed gives the entries of a list of the form: of boxes that are ticked, or
// of the lines of an area.
func (v *visit) listed(name string) []string {
	return entriesOf(inLines(v.form[name]))
}

// question is a page that asks before something that there is no undo for. Its
// template is "confirm".
type question struct {
	Text    string   // what will be done
	Effects []string // what comes of it
	Action  string   // path that is posted to
	Hidden  []hidden
	Type    string // what must be typed, to the letter; "": nothing
	Button  string
	Back    string
}

type hidden struct{ Name, Value string }

// typed refuses the answer to a question in which something else than want is
// typed. A page shows one space where there are more, or one of another sort.
func (v *visit) typed(want string) error {
	if slices.Equal(strings.Fields(v.form.Get("typed")), strings.Fields(want)) {
		return nil
	}
	return fault.Invalidf("typed", "Type it as it stands there, to the letter. Nothing was done.")
}

// ask shows a question.
func (v *visit) ask(status int, p pageOf, q question) error {
	p.Data = q
	return v.show(status, "confirm", p)
}

// pager is the way on in a list. Its template is "pager".
type pager struct {
	First string // path of the beginning; "": this is it
	Next  string // path of what follows; "": nothing does
	Shown int    // how many rows this page has
}

// pages gives the pager of a list at path, with the filters of the query kept.
func (v *visit) pages(path, next string, shown int) pager {
	query := v.r.URL.Query()
	at := query.Get("cursor")
	query.Del("cursor")
	query.Del("done")
	p := pager{Shown: shown}
	base := path
	if text := query.Encode(); text != "" {
		base += "?" + text
	}
	if at != "" {
		p.First = base
	}
	if next != "" {
		p.Next = with(base, "cursor", next)
	}
	return p
}
