package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/web"
)

// clientForm is the form of a client, one that is to be made or one that there
// is. It has those fields of the table of parts that are for its kind.
type clientForm struct {
	kind    client.Kind
	client  *client.Client // nil: it is to be made
	app     *application.Application
	role    admin.Role
	scopes  []*scope.Scope // of the application, as scopesToTick gives them
	address string         // of whoever fills it in
	values  url.Values     // by the names of the inputs
	stored  clientDocument // of what there is
	base    clientDocument // of what there was when the form was made, as it is carried; nil: not known
}

// clientDocument is a client's fields as JSON, in the one form in which a value of the
// form is written, so that equal values are equal bytes.
type clientDocument map[string]json.RawMessage

// maxCarried bounds what a form carries of a field as it was, in bytes.
const maxCarried = 256

// carried gives the document as a form carries it: of long values digests, which
// are enough to see that one is another.
func (d clientDocument) carried() clientDocument {
	short := clientDocument{}
	for name, value := range d {
		short[name] = carriedValue(value)
	}
	return short
}

func carriedValue(value json.RawMessage) json.RawMessage {
	if len(value) <= maxCarried {
		return value
	}
	return fmt.Appendf(nil, `{%q:"%x"}`, digestName, sha256.Sum256(value))
}

// digestName is the member of the object that stands for a long value; no value
// of the form has it.
const digestName = "sha256"

func isDigest(value json.RawMessage) bool {
	object, _ := decoded(value).(map[string]any)
	return object[digestName] != nil
}

// clientForm makes the form of a client, or of one of a kind that is to be made,
// with what there is or else the defaults filled in.
func (v *visit) clientForm(kind client.Kind, c *client.Client) (*clientForm, error) {
	f := &clientForm{kind: kind, client: c, app: v.app, role: v.role, address: web.InfoOf(v.r).Address.String()}
	var err error
	if f.scopes, err = v.scopesToTick(); err != nil {
		return nil, err
	}
	if f.values, err = f.filled(c); err != nil {
		return nil, err
	}
	if f.stored, err = f.document(f.values); err != nil {
		return nil, err
	}
	f.base = f.stored.carried()
	return f, nil
}

// filled gives the inputs of a client; nil: one that is to be made.
func (f *clientForm) filled(c *client.Client) (url.Values, error) {
	var view client.View
	var err error
	if c != nil {
		view = c.View(f.app, "", client.Usage{})
	} else {
		noName := "-"
		view, err = client.Preview(f.app, nil, client.Fields{Name: &noName, Kind: &f.kind}, nil)
		view.Name = ""
	}
	if err != nil {
		return nil, fmt.Errorf("the defaults of a client of kind %s: %w", f.kind, err)
	}
	text, err := json.Marshal(view) //nolint:gosec // G117: only the answer to what makes a secret has one
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	// What follows from other fields is shown as following.
	if c == nil || c.Settings.AccessToken.Format == "" {
		fields["access_token_format"] = nil
	}
	if f.kind == client.Other && (c == nil || c.Settings.GrantTypes == nil) {
		fields["grant_types"] = nil
	}
	values := url.Values{}
	for p := range f.parts {
		p.shape.fill(values, p.name, fields[p.name])
	}
	return values, nil
}

// parts are those of the table that the form has.
func (f *clientForm) parts(yield func(*part) bool) {
	for i := range clientParts {
		if p := &clientParts[i]; (p.shown == nil || p.shown(f)) && !yield(p) {
			return
		}
	}
}

// document reads the inputs.
func (f *clientForm) document(values url.Values) (clientDocument, error) {
	d := clientDocument{}
	for p := range f.parts {
		value, err := json.Marshal(p.shape.read(values, p.name))
		if err != nil {
			return nil, err
		}
		d[p.name] = value
	}
	return d, nil
}

// patch gives what the form says other than there was.
func (f *clientForm) patch() (clientDocument, error) {
	typed, err := f.document(f.values)
	if err != nil {
		return nil, err
	}
	for name, was := range f.base {
		if bytes.Equal(carriedValue(typed[name]), was) {
			delete(typed, name)
		}
	}
	return typed, nil
}

// take takes what was sent for what is typed.
func (f *clientForm) take(sent url.Values) {
	f.values = sent
	if f.client == nil {
		return
	}
	f.base = nil
	if text := sent.Get("base"); text != "" && json.Unmarshal([]byte(text), &f.base) != nil {
		f.base = nil // whoever alters his own form overwrites all of it
	}
}

// clientChange is a field that somebody else changed while the form was filled in.
type clientChange struct {
	Label     string
	Before    string // "": not known, or too long for the form to carry
	Now, Mine string
	Both      bool // it is to be another one than it is now
}

// merge takes over what there is now: fields that are still as they were in the
// form become what they are now, the others stay as they were typed. It gives
// what changed.
func (f *clientForm) merge(now *client.Client) ([]clientChange, error) {
	typed, err := f.document(f.values)
	if err != nil {
		return nil, err
	}
	values, err := f.filled(now)
	if err != nil {
		return nil, err
	}
	current, err := f.document(values)
	if err != nil {
		return nil, err
	}
	var changes []clientChange
	for p := range f.parts {
		was, known := f.base[p.name]
		is, mine := current[p.name], typed[p.name]
		if known && bytes.Equal(was, carriedValue(is)) || !known && bytes.Equal(mine, is) {
			continue
		}
		c := clientChange{Label: p.label, Now: p.inWords(is), Mine: p.inWords(mine)}
		if known && !isDigest(was) {
			c.Before = p.inWords(was)
		}
		if c.Both = !bytes.Equal(mine, is) && !bytes.Equal(carriedValue(mine), was); !c.Both {
			p.shape.fill(f.values, p.name, decoded(is))
		}
		changes = append(changes, c)
	}
	f.stored, f.base, f.client = current, current.carried(), now
	return changes, nil
}

// formSection is a heading of the form with its inputs, or for whoever may not
// change them, with what is in them.
type formSection struct {
	Title  string
	Fields []*field
	Facts  []clientFact
}

// clientFact is a field of a client and its value, in words.
type clientFact struct{ Label, Text, Help string }

// sections are the form as it is shown, with what was refused.
func (f *clientForm) sections(problems []page.Problem) []formSection {
	var list []formSection
	for p := range f.parts {
		inputs := p.shape.inputs(f, p)
		beside(problems, inputs...)
		s := sectionOf(&list, p)
		s.Fields = append(s.Fields, inputs...)
	}
	return list
}

// facts are the sections for whoever may not change the client.
func (f *clientForm) facts() []formSection {
	var list []formSection
	for p := range f.parts {
		s := sectionOf(&list, p)
		s.Facts = append(s.Facts, clientFact{p.label, p.inWords(f.stored[p.name]), p.help})
	}
	return list
}

// fieldsOf are the inputs of all sections.
func fieldsOf(sections []formSection) (list []*field) {
	for _, s := range sections {
		list = append(list, s.Fields...)
	}
	return list
}

// sectionOf gives the section that a part is in: the last one, or another. Those
// of the table are in order.
func sectionOf(list *[]formSection, p *part) *formSection {
	if n := len(*list); n == 0 || (*list)[n-1].Title != p.section {
		*list = append(*list, formSection{Title: p.section})
	}
	return &(*list)[len(*list)-1]
}

// addAddress adds the address of whoever asks to the allowed ones.
func (f *clientForm) addAddress() {
	const name = "allowed_ips"
	entries := entriesOf(f.values.Get(name))
	if !slices.Contains(entries, f.address) {
		entries = append(entries, f.address)
	}
	f.values.Set(name, inLines(entries))
}

// public reports whether the client has no secret by its type; one of kind other
// that is to be made may yet become public.
func (f *clientForm) public() bool {
	if f.client != nil {
		return f.client.Public
	}
	return f.kind == client.SPA || f.kind == client.Native
}
