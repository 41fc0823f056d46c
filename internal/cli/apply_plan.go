package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// What becomes of a record.
const (
	toCreate = "create"
	toUpdate = "update"
	toDelete = "delete"
	asItIs   = "unchanged"
)

// step is what becomes of one record that a file declares.
type step struct {
	entry   *entry
	in      *realm
	action  string
	changes []change
	current *record // nil: there is none
}

// change is a field that becomes another.
type change struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// realm is an application that a file has to do with.
type realm struct {
	remote   *remote
	id       string
	fresh    bool // it is made by this run
	foreign  bool // the caller sees it in the list of all, and has no say in it
	settings *application.Application
	kinds    map[string]scope.Kind // of the scopes that there are, or will be
	asked    bool                  // kinds has those of the server
}

// planner compares what a file declares with what a server has.
type planner struct {
	file   string
	server *remote
	realms map[string]*realm
	wrong  []error
}

func (p *planner) refuse(e *entry, format string, args ...any) {
	p.wrong = append(p.wrong, fmt.Errorf("%s:%d: %s", p.file, e.line, fmt.Sprintf(format, args...)))
}

// plan gives a step for each entry, in the order in which they can be made. All
// that the file has wrong is one error of type *config.Error.
func (p *planner) plan(ctx context.Context, entries []entry) ([]step, error) {
	var steps []step
	seen := map[string]bool{}
	for _, d := range declared {
		for i := range entries {
			e := &entries[i]
			if e.noun != d.noun {
				continue
			}
			s, err := p.step(ctx, e)
			if err != nil {
				return nil, err
			}
			if s == nil {
				continue
			}
			if name := s.in.id + " " + e.noun.name + " " + s.name(); seen[name] {
				p.refuse(e, "the %s %s is there twice", e.noun.name, s.name())
			} else {
				seen[name] = true
			}
			steps = append(steps, *s)
		}
	}
	if len(p.wrong) > 0 {
		return nil, &config.Error{Err: errors.Join(p.wrong...)}
	}
	return steps, nil
}

// name tells a record from others of its kind in an application.
func (s *step) name() string {
	if s.current != nil && s.entry.noun == &clients {
		return s.current.text("id")
	}
	text := s.entry.text(s.entry.noun.created)
	if s.entry.noun.global {
		text = s.entry.text(s.entry.noun.key)
	}
	if version := s.entry.text("version"); version != "" {
		text += " " + version
	}
	return text
}

// step compares one entry; nil where it was refused.
func (p *planner) step(ctx context.Context, e *entry) (*step, error) {
	in, err := p.realm(ctx, e)
	if err != nil {
		return nil, err
	}
	s := &step{entry: e, in: in, action: toCreate}
	if in.foreign && !e.noun.global {
		return nil, in.errForeign()
	}
	if !in.fresh && !in.foreign {
		if s.current, err = p.find(ctx, e, in); err != nil {
			return nil, err
		}
	}
	var before, after *record
	switch e.noun {
	case &applications:
		before, after, err = p.previewApplication(s)
	case &clients:
		before, after, err = p.previewClient(ctx, s)
	default:
		before, after = p.previewPlain(s)
	}
	if err != nil || after == nil {
		return nil, err
	}
	s.compare(before, after)
	if err := p.judge(ctx, s); err != nil {
		return nil, err
	}
	if in.foreign && s.action != asItIs {
		return nil, in.errForeign()
	}
	return s, nil
}

// errForeign refuses to change an application in which the caller has no say.
func (in *realm) errForeign() error {
	return &statusError{refusedStatus, fmt.Errorf("the application %s is there, and only its own owner client may change it: apply what is in it from a file of its own, as that client", in.id)}
}

// realm gives the application that an entry is in, or is.
func (p *planner) realm(ctx context.Context, e *entry) (*realm, error) {
	id := e.application
	if e.noun.global {
		id = e.text(e.noun.key)
	}
	if id == "" {
		var err error
		if id, err = p.server.app(ctx); err != nil {
			return nil, err
		}
	}
	if in, known := p.realms[id]; known {
		return in, nil
	}
	in := &realm{remote: p.server, id: id, kinds: map[string]scope.Kind{}, settings: &application.Application{ID: id}}
	p.realms[id] = in
	found, err := p.server.take(p.server.api.GetApplication(ctx, id))
	if err == nil {
		return in, in.learn(found)
	}
	// An application that is not there and one that is another's are both 401; an
	// entry of the file that makes it says which.
	refused, ok := errors.AsType[*apiclient.Error](err)
	if !ok || !e.noun.global || refused.Status != http.StatusUnauthorized {
		return nil, err
	}
	listed, err := p.listed(ctx, id)
	if err != nil {
		return nil, err
	}
	if listed != nil {
		in.foreign = true
		return in, in.learn(listed)
	}
	in.fresh, in.asked = true, true
	return in, nil
}

// listed gives an application that the caller may see in the list of all, nil
// where it is not there.
func (p *planner) listed(ctx context.Context, id string) (*record, error) {
	cursor := ""
	for {
		page, err := p.server.take(p.server.api.ListApplications(ctx, nil, query("limit", "200", "cursor", cursor)))
		if err != nil {
			return nil, err
		}
		items, err := page.items("items")
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(items, func(r *record) bool { return r.text("id") == id }); i >= 0 {
			return items[i], nil
		}
		if cursor = page.text("next_cursor"); cursor == nothing {
			return nil, nil // it is not there, and that is no error here
		}
	}
}

// learn takes the settings of an application from its document.
func (in *realm) learn(r *record) error {
	members := map[string]json.RawMessage{}
	for _, m := range r.members {
		members[m.name] = m.raw
	}
	if err := in.settings.Patch(members); err != nil {
		return fmt.Errorf("the settings of the application %s are not those that this program knows: %w; is the server of another version?", in.id, err)
	}
	return nil
}

// find gives the record that an entry is about, nil where there is none.
func (p *planner) find(ctx context.Context, e *entry, in *realm) (*record, error) {
	key := e.text(e.noun.key)
	if e.noun == &clients && key == "" {
		return p.findByName(ctx, e, in)
	}
	if e.noun == &clients && client.IDRefusal(key) != "" {
		return nil, nil // none can be made, and what the API has at that path is no client
	}
	found, err := in.remote.take(e.noun.calls.get(ctx, in.remote.api, in.id, key))
	if refused, ok := errors.AsType[*apiclient.Error](err); ok && refused.Status == http.StatusNotFound {
		return nil, nil // there is none, and that is no error here
	}
	return found, err
}

// maxSearch is the longest text that the API searches for, in characters.
const maxSearch = 100

// findByName looks for a client by name and version.
func (p *planner) findByName(ctx context.Context, e *entry, in *realm) (*record, error) {
	name, err := client.CleanName(e.text("name"))
	if err != nil {
		return nil, nil //nolint:nilerr // no client has such a name; the rules say what is wrong with it
	}
	beginning, cursor := name, ""
	if runes := []rune(name); len(runes) > maxSearch {
		beginning = string(runes[:maxSearch])
	}
	for {
		page, err := in.remote.take(e.noun.calls.list(ctx, in.remote.api, in.id, query("q", beginning, "limit", "200", "cursor", cursor)))
		if err != nil {
			return nil, err
		}
		items, err := page.items("items")
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			other := entry{fields: map[string]json.RawMessage{"name": item.get("name"), "version": item.get("version")}}
			if strings.EqualFold(other.text("name"), name) && other.text("version") == e.text("version") {
				return in.remote.take(e.noun.calls.get(ctx, in.remote.api, in.id, item.text("id")))
			}
		}
		if cursor = page.text("next_cursor"); cursor == nothing {
			return nil, nil // there is none, and that is no error here
		}
	}
}

// previewApplication gives an application before and after. What an entry leaves
// out stays: settings of an application that is there are not all the file's.
func (p *planner) previewApplication(s *step) (before, after *record, err error) {
	if s.in.fresh && s.entry.text("name") == "" {
		p.refuse(s.entry, "name: Give the application a name, to be made with.")
		return nil, nil, nil
	}
	settings := maps.Clone(s.entry.fields)
	delete(settings, "preset") // it chooses what an application is made with, and nothing after
	if preset := s.entry.text("preset"); s.in.fresh && preset != "" {
		if s.in.settings.Settings, err = application.Preset(preset); err != nil {
			p.refuse(s.entry, "preset: %s", err)
			return nil, nil, nil
		}
	}
	if before, err = asRecord(s.in.settings.View("")); err != nil {
		return nil, nil, err
	}
	if err := s.in.settings.Patch(settings); err != nil {
		p.refuseFault(s.entry, err)
		return nil, nil, nil
	}
	after, err = asRecord(s.in.settings.View(""))
	return before, after, err
}

// previewPlain gives a scope or a resource before and after; what an entry
// leaves out has its default.
func (p *planner) previewPlain(s *step) (before, after *record) {
	before, after = &record{}, &record{}
	for _, f := range s.entry.noun.fields {
		initial := json.RawMessage("null")
		if f.Default != "" {
			initial = json.RawMessage(f.Default)
		}
		old := initial
		if s.current != nil {
			old = s.current.get(f.Name)
		}
		next, given := s.entry.fields[f.Name]
		if !given || string(next) == "null" {
			next = initial
		}
		before.members = append(before.members, member{f.Name, old})
		after.members = append(after.members, member{f.Name, next})
	}
	if s.entry.noun == &scopes {
		s.in.kinds[s.entry.text("name")] = scope.Kind(readable(after.get("kind")))
	}
	return before, after
}

// previewClient gives a client before and after, by the rules of the core.
func (p *planner) previewClient(ctx context.Context, s *step) (before, after *record, err error) {
	if err := s.in.learnScopes(ctx); err != nil {
		return nil, nil, err
	}
	fields, err := s.entry.clientFields()
	if err != nil {
		p.refuseFault(s.entry, err)
		return nil, nil, nil
	}
	var current *client.Fields
	if s.current != nil {
		stored, err := client.ParseFields(s.current.raw)
		if err != nil {
			return nil, nil, fmt.Errorf("the client %s is not one that this program knows: %w; is the server of another version?", s.name(), err)
		}
		current, before = &stored, s.current
	}
	if fields.Scopes != nil {
		for _, name := range *fields.Scopes {
			if scope.IsBuiltIn(name) {
				s.in.kinds[name] = scope.OpenID
			}
		}
	}
	view, err := client.Preview(s.in.settings, s.in.kinds, fields, current)
	if err != nil {
		p.refuseFault(s.entry, err)
		return nil, nil, nil
	}
	if after, err = asRecord(view); err != nil {
		return nil, nil, err
	}
	if before == nil {
		before = &record{}
	}
	return before, after, nil
}

func (e *entry) clientFields() (client.Fields, error) {
	text, err := json.Marshal(e.fields)
	if err != nil {
		return client.Fields{}, err
	}
	return client.ParseFields(text)
}

// learnScopes asks for the scopes of an application, once.
func (in *realm) learnScopes(ctx context.Context) error {
	if in.asked {
		return nil
	}
	cursor := ""
	for {
		page, err := in.remote.take(in.remote.api.ListScopes(ctx, in.id, nil, query("limit", "200", "cursor", cursor)))
		if err != nil {
			return err
		}
		items, err := page.items("items")
		if err != nil {
			return err
		}
		for _, item := range items {
			if name := item.text("name"); in.kinds[name] == "" {
				in.kinds[name] = scope.Kind(item.text("kind"))
			}
		}
		if cursor = page.text("next_cursor"); cursor == nothing {
			in.asked = true
			return nil
		}
	}
}

// refuseFault takes the refusals of the core.
func (p *planner) refuseFault(e *entry, err error) {
	problems, ok := errors.AsType[fault.Problems](err)
	if !ok {
		p.refuse(e, "%s", err)
		return
	}
	for _, f := range problems {
		p.refuse(e, "%s", f)
	}
}

// compare finds the fields that become others.
func (s *step) compare(before, after *record) {
	s.action = asItIs
	if s.current == nil && !s.isThere() {
		s.action = toCreate
	}
	for _, m := range after.members {
		i := slices.IndexFunc(s.entry.noun.fields, func(f client.Field) bool { return f.Name == m.name })
		if i >= 0 && (s.entry.noun.fields[i].ReadOnly || s.entry.noun.fields[i].WriteOnly) || i < 0 && m.name != "branding" {
			continue
		}
		old := before.get(m.name)
		if s.action == toCreate {
			old = nil
		}
		_, given := s.entry.fields[m.name]
		if s.action == toCreate && given || s.action != toCreate && !same(old, m.raw) {
			s.changes = append(s.changes, change{m.name, orNull(old), m.raw})
		}
	}
	if s.action != toCreate && len(s.changes) > 0 && !s.keptFromImport() {
		s.action = toUpdate
	}
	if s.action == asItIs {
		s.changes = nil
	}
}

// isThere reports whether an application of the file is one that there is.
func (s *step) isThere() bool { return s.entry.noun.global && !s.in.fresh }

// keptFromImport reports whether all that would change is what an import left
// as it was, and the file says too: an edit puts an end to it, and to say the
// same again is none.
func (s *step) keptFromImport() bool {
	const field = "require_requested_scopes"
	return len(s.changes) == 1 && s.changes[0].Field == field && string(s.entry.fields[field]) == string(s.changes[0].Before)
}

// same compares values. The order of a list means nothing in any field; null,
// "" and [] are all none.
func same(a, b json.RawMessage) bool { return canonical(a) == canonical(b) }

func canonical(raw json.RawMessage) string {
	var value any
	if json.Unmarshal(orNull(raw), &value) != nil {
		return string(raw)
	}
	switch v := value.(type) {
	case string:
		if v == "" {
			return "null"
		}
	case []any:
		if len(v) == 0 {
			return "null"
		}
		words := make([]string, len(v))
		for i := range v {
			text, err := json.Marshal(v[i])
			if err != nil {
				return string(raw)
			}
			words[i] = string(text)
		}
		slices.Sort(words)
		return strings.Join(words, ",")
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, inner any) bool { return inner == nil })
	}
	text, err := json.Marshal(value)
	if err != nil {
		return string(raw)
	}
	return string(text)
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}
