package console

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// recordPages are the pages of one kind of small record: R as the core has it, F
// its fields. Which record a page is of stands in its query, since browsers take
// names as ".." out of paths.
type recordPages[R, F any] struct {
	noun, plural string // as they are read
	section      string // of the navigation, and of the paths
	key          string // the field that names a record; its parameter in queries
	texts, lists []string
	need         admin.Permission // to write
	core         func(*visit) recordEditor[R, F]
	read         func(fields *F, document []byte) error
	name         func(*R) string
	revision     func(*R) int64
	fixed        func(*R) string                                      // why it cannot be altered; "": it can
	inputs       func(v *visit, stored *R) ([]*field, error)          // of a stored record, or of a new one (nil)
	related      func(v *visit, stored *R) ([]navLink, error)         // where to go on from a record
	rows         func(v *visit, list []*R) (rows []recordRow)         // of the list
	effects      func(v *visit, stored *R) (text string, of []string) // of its deletion
	about        string                                               // what the list says above itself
	columns      []string
}

// recordEditor is what the core offers for a kind of record.
type recordEditor[R, F any] interface {
	Create(ctx context.Context, source audit.Source, applicationID string, fields F) (*R, error)
	Get(ctx context.Context, applicationID, key string) (*R, error)
	List(ctx context.Context, applicationID, after string, limit int) ([]*R, string, error)
	Patch(ctx context.Context, source audit.Source, applicationID, key string, patch []byte, revision *int64) (*R, error)
	Delete(ctx context.Context, source audit.Source, applicationID, key string, revision *int64) error
}

func (k *recordPages[R, F]) routes(s *routes) {
	base := inApplication + "/" + k.section
	s.get(base, toRead, k.list)
	s.get(base+"/new", to(k.need), func(v *visit) error { return k.show(v, http.StatusOK, nil, nil) })
	s.post(base+"/new", to(k.need), k.create)
	s.get(base+"/edit", toRead, func(v *visit) error { return k.form(v, http.StatusOK, nil) })
	s.post(base+"/edit", to(k.need), k.edit)
	s.get(base+"/delete", to(k.need), func(v *visit) error { return k.question(v, http.StatusOK, nil) })
	s.post(base+"/delete", to(k.need), k.remove)
}

// path is that of a page of one record.
func (k *recordPages[R, F]) path(v *visit, verb, key string) string {
	return with(v.at(k.section, verb), k.key, key)
}

// recordsData is a list of records.
type recordsData struct {
	Title, About, Noun string
	Columns            []string
	Rows               []recordRow
	Pager              pager
	New                string // path of the form for another one; "": not his to make
}

// recordRow is a row of it: the name, and a cell for each column after that.
type recordRow struct {
	Name, Path string
	Tag        string // beside the name
	Cells      []recordCell
}

// recordCell is what stands under a column; List is of identifiers.
type recordCell struct {
	Column, Text string
	List         []string
	More         int // of the list, left out
}

// listed is a cell of a list that may be long.
func listed(list []string) recordCell {
	const most = 4
	c := recordCell{More: max(0, len(list)-most)}
	for _, entry := range list[:min(most, len(list))] {
		c.List = append(c.List, clip(entry))
	}
	return c
}

func (k *recordPages[R, F]) list(v *visit) error {
	list, next, err := k.core(v).List(v.r.Context(), v.app.ID, v.form.Get("cursor"), perPage)
	if fault.KindOf(err) == fault.Invalid {
		return v.redirect(v.at(k.section)) // a link that was cut
	}
	if err != nil {
		return err
	}
	d := recordsData{
		Title: title(k.plural), About: k.about, Noun: k.noun, Columns: k.columns, Rows: k.rows(v, list),
		Pager: v.pages(v.at(k.section), next, len(list)),
	}
	for i := range d.Rows {
		d.Rows[i].Name, d.Rows[i].Path = clip(k.name(list[i])), k.path(v, "edit", k.name(list[i]))
		for j := range d.Rows[i].Cells {
			cell := &d.Rows[i].Cells[j]
			cell.Column, cell.Text = k.columns[j], clip(cell.Text)
		}
	}
	if v.may(k.need) {
		d.New = v.at(k.section, "new")
	}
	return v.show(http.StatusOK, "records", pageOf{Title: d.Title, Section: k.section, Data: d})
}

// recordData is the form of a record.
type recordData struct {
	Name     string // "": a new one
	Fixed    string // why it cannot be changed; "": it can
	Fields   []*field
	Revision int64 // 0: a new one
	Button   string
	Back     string
	Delete   string // path of the question; "": not to be deleted
	Changed  []difference
	Related  []navLink
}

// show answers with the form of a record, or of another one (nil).
func (k *recordPages[R, F]) show(v *visit, status int, stored *R, problems []page.Problem) error {
	inputs, err := k.inputs(v, stored)
	if err != nil {
		return err
	}
	p := pageOf{
		Title: "New " + k.noun, Section: k.section, Problems: problems,
		Crumbs: []crumb{{title(k.plural), v.at(k.section)}},
	}
	d := recordData{Fields: inputs, Back: v.at(k.section), Button: "Make the " + k.noun, Changed: v.refill(status, inputs, problems)}
	if stored != nil {
		p.Title = k.name(stored)
		d.Name, d.Revision, d.Fixed, d.Button = p.Title, k.revision(stored), k.fixed(stored), "Save"
		if !v.may(k.need) {
			d.Fixed = "Your role reads, and changes nothing here."
		}
		if d.Fixed == "" {
			d.Delete = k.path(v, "delete", d.Name)
		}
		for _, f := range inputs {
			f.Fixed = f.Fixed || d.Fixed != ""
		}
		if d.Related, err = k.related(v, stored); err != nil {
			return err
		}
	}
	p.Data = d
	return v.show(status, "record", p)
}

// document is the form as the management API would take it.
func (k *recordPages[R, F]) document(v *visit) ([]byte, error) {
	document := map[string]any{}
	for _, name := range k.texts {
		if v.form.Has(name) {
			document[name] = v.form.Get(name)
		}
	}
	for _, name := range k.lists {
		document[name] = v.listed(name)
	}
	if v.form.Has(k.key) {
		document[k.key] = strings.TrimSpace(v.form.Get(k.key)) // no name of a record has spaces around it, what is pasted may
	}
	return json.Marshal(document)
}

func (k *recordPages[R, F]) create(v *visit) error {
	document, err := k.document(v)
	if err != nil {
		return err
	}
	var fields F
	if err = k.read(&fields, document); err == nil {
		var made *R
		if made, err = k.core(v).Create(v.r.Context(), v.source, v.app.ID, fields); err == nil {
			return v.done(k.path(v, "edit", k.name(made)), "made")
		}
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return k.show(v, status, nil, problems)
}

// stored gives the record that the query names.
func (k *recordPages[R, F]) stored(v *visit) (*R, error) {
	return k.core(v).Get(v.r.Context(), v.app.ID, v.r.URL.Query().Get(k.key))
}

func (k *recordPages[R, F]) form(v *visit, status int, problems []page.Problem) error {
	stored, err := k.stored(v)
	if err != nil {
		return err
	}
	return k.show(v, status, stored, problems)
}

func (k *recordPages[R, F]) edit(v *visit) error {
	document, err := k.document(v)
	if err != nil {
		return err
	}
	key := v.r.URL.Query().Get(k.key)
	_, err = k.core(v).Patch(v.r.Context(), v.source, v.app.ID, key, document, v.revision())
	if err == nil {
		return v.done(k.path(v, "edit", key), "saved")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return k.form(v, status, problems)
}

// question asks before a record is deleted, or says why it was not.
func (k *recordPages[R, F]) question(v *visit, status int, problems []page.Problem) error {
	stored, err := k.stored(v)
	if err != nil {
		return err
	}
	name := k.name(stored)
	back := k.path(v, "edit", name)
	if why := k.fixed(stored); why != "" {
		return fault.Conflictf("%s", why)
	}
	text, effects := k.effects(v, stored)
	effects = append(effects, "There is no undo.")
	return v.ask(status, pageOf{
		Title: "Delete this " + k.noun + "?", Section: k.section, Problems: problems,
		Crumbs: []crumb{{title(k.plural), v.at(k.section)}, {name, back}},
	}, question{
		Text: text, Effects: effects, Action: k.path(v, "delete", name),
		Hidden: []hidden{{"revision", strconv.FormatInt(k.revision(stored), 10)}}, Type: name, Button: "Delete the " + k.noun, Back: back,
	})
}

func (k *recordPages[R, F]) remove(v *visit) error {
	stored, err := k.stored(v)
	if err != nil {
		return err
	}
	if err = v.typed(k.name(stored)); err == nil {
		err = k.core(v).Delete(v.r.Context(), v.source, v.app.ID, k.name(stored), v.revision())
	}
	if err == nil {
		return v.done(v.at(k.section), "deleted")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return k.question(v, status, problems)
}

// title is a text as it begins a page.
func title(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
