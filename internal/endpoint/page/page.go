// Package page is what the surfaces with pages share: the frame of a page and
// its parts (fields, buttons, lists), the catalogue of texts and the choice of
// language, style sheet and scripts, colours. It knows nothing of clients,
// users or tokens, and serves no page by itself.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/web"
)

//go:embed templates static messages
var own embed.FS

// View is what a page is made of. Data is the page's own.
type View struct {
	Language string   // of the catalogue, from Set.Language
	Brand    string   // whose page it is; any text
	Logo     *Picture // beside the brand's name; nil: none
	Home     string   // path that the brand's name leads to; "": nowhere
	Colours  string   // path of a style sheet with the colours; "": the kit's own
	Now      time.Time
	Problems []Problem // what was refused, for the summary at the top
	Wide     bool      // a page of lists rather than one form
	Links    []Link    // the way around, in the header
	Here     string    // the link that leads to this page
	Leaves   bool      // a form of the page leads to a client, by itself or by redirects
	Shell    any       // what a surface's own frame shows around the content
	Data     any
}

// Picture is an image of this server, with its size in CSS pixels.
type Picture struct {
	Path          string
	Width, Height int
}

// Link is one entry of the header.
type Link struct{ Label, Path string }

// Problem is one thing that was refused, and the field that it is about; "":
// none of them.
type Problem struct {
	Field string
	Text  Text
}

// Text is a text of the catalogue, with what is put in: names and values in
// turn.
type Text struct {
	Key    string
	Values []string
}

// Say makes a Text.
func Say(key string, values ...string) Text { return Text{key, values} }

// Field is an input with all that belongs to it.
type Field struct {
	Name         string
	Type         string // "": text
	Label        string // key of the catalogue
	Hint         *Text
	Value        string // what was typed before; never a password
	Autocomplete string // HTML §4.10.18.7
	InputMode    string
	Pattern      string
	MaxLength    int
	Optional     bool
	Focus        bool
	Problem      *Text
}

// Set is the templates of one surface, in every language.
type Set struct {
	catalogue *Catalogue
	pages     map[string]map[string]func() (*template.Template, error) // language -> name
}

// NewSet reads a surface's templates (*.html, each with "title" and "content";
// *.part, which all of them may use) and messages (a *.json for each language),
// beside the kit's own. static gives the paths of the kit's files; more are
// functions that the surface's templates call.
//
// A template is parsed when the first page is made of it: an instance whose
// console nobody opens has no memory for it. Parse does it at once.
func NewSet(static *web.Static, templates, messages fs.FS, more ...template.FuncMap) (*Set, error) {
	ownMessages, err := fs.Sub(own, "messages")
	if err != nil {
		return nil, err
	}
	catalogue, err := ReadCatalogue(ownMessages, messages)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templates, "*.html")
	if err != nil {
		return nil, err
	}
	parts, err := fs.Glob(templates, "*.part")
	if err != nil {
		return nil, err
	}
	s := &Set{catalogue: catalogue, pages: map[string]map[string]func() (*template.Template, error){}}
	for _, language := range catalogue.Languages() {
		if _, err := fs.Stat(messages, language+".json"); err != nil {
			continue // the surface is not in this language
		}
		functions := template.FuncMap{
			"static": static.Path,
			"t":      func(key string, values ...any) (string, error) { return catalogue.Text(language, key, values...) },
			"say":    func(t any) (string, error) { return catalogue.say(language, t) },
			"n": func(key string, count int, values ...any) (string, error) {
				return catalogue.Count(language, key, count, values...)
			},
			"date":   func(at time.Time) string { return catalogue.Date(language, at) },
			"ago":    func(now, at time.Time) (string, error) { return catalogue.Ago(language, now, at) },
			"values": valuesOf,
		}
		for _, m := range more {
			maps.Copy(functions, m)
		}
		frame := sync.OnceValues(func() (*template.Template, error) {
			return template.New("frame").Funcs(functions).Option("missingkey=error").ParseFS(own, "templates/*.html")
		})
		s.pages[language] = map[string]func() (*template.Template, error){}
		for _, name := range names {
			s.pages[language][strings.TrimSuffix(path.Base(name), ".html")] = sync.OnceValues(func() (*template.Template, error) {
				base, err := frame()
				if err != nil {
					return nil, fmt.Errorf("read the kit's templates: %w", err)
				}
				one, err := base.Clone()
				if err != nil {
					return nil, err
				}
				if one, err = one.ParseFS(templates, append(slices.Clip(parts), name)...); err != nil {
					return nil, fmt.Errorf("read the template %s: %w", name, err)
				}
				return one, nil
			})
		}
	}
	return s, nil
}

// Parse parses every template of every language. The error is that of the
// first that is wrong.
func (s *Set) Parse() error {
	for _, pages := range s.pages {
		for _, page := range pages {
			if _, err := page(); err != nil {
				return err
			}
		}
	}
	return nil
}

// valuesOf hands a part of a page more than one value: names and values in turn.
func valuesOf(pairs ...any) (map[string]any, error) {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("values: value %d is no name", i)
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}

// Languages are those of the catalogue, English first.
func (s *Set) Languages() []string { return s.catalogue.Languages() }

// Language chooses one of the catalogue's: by the preferences, best first
// (ui_locales), then by the header Accept-Language, then English.
func (s *Set) Language(preferences []string, r *http.Request) string {
	return s.catalogue.Choose(preferences, r.Header.Get("Accept-Language"))
}

// Choose gives the language of the catalogue that suits the preferences best,
// English where none does.
func (s *Set) Choose(preferences ...string) string { return s.catalogue.Choose(preferences, "") }

// Text gives a text of the catalogue.
func (s *Set) Text(language, key string, values ...any) (string, error) {
	return s.catalogue.Text(language, key, values...)
}

// Write answers with a page. It is made whole before the first byte goes out.
func (s *Set) Write(w http.ResponseWriter, status int, name string, v *View) error {
	read := s.pages[v.Language][name]
	if read == nil {
		return fmt.Errorf("there is no page %s in %s", name, v.Language)
	}
	t, err := read()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "page", v); err != nil {
		return fmt.Errorf("make the page %s: %w", name, err)
	}
	w.Header().Set("Content-Language", v.Language)
	w.Header().Add("Vary", "Accept-Language")
	if v.Leaves {
		web.WriteLeavingHTML(w, status, out.Bytes())
		return nil
	}
	web.WriteHTML(w, status, out.Bytes())
	return nil
}

// Static gives the kit's files, below /static/.
func Static() (*web.Static, error) {
	files, err := fs.Sub(own, "static")
	if err != nil {
		return nil, err
	}
	return web.NewStatic("/static/", files)
}
