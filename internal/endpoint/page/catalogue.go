package page

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/language"
)

// Catalogue holds the texts, by language and key. What is put into one stands
// in it as {name}.
type Catalogue struct {
	texts   map[string]map[string]string
	order   []string // languages, English first
	matcher language.Matcher
}

// ReadCatalogue reads a *.json for each language from each of the sources: one
// object of keys and texts. A key is in one source only.
func ReadCatalogue(sources ...fs.FS) (*Catalogue, error) {
	c := &Catalogue{texts: map[string]map[string]string{}}
	for _, source := range sources {
		names, err := fs.Glob(source, "*.json")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := c.read(source, name); err != nil {
				return nil, err
			}
		}
	}
	c.order = slices.SortedFunc(maps.Keys(c.texts), func(a, b string) int {
		if (a == "en") != (b == "en") {
			return map[bool]int{true: -1, false: 1}[a == "en"]
		}
		return strings.Compare(a, b)
	})
	var tags []language.Tag
	for _, name := range c.order {
		tag, err := language.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("%s.json: %w", name, err)
		}
		tags = append(tags, tag)
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

func (c *Catalogue) read(source fs.FS, name string) error {
	content, err := fs.ReadFile(source, name)
	if err != nil {
		return err
	}
	var texts map[string]string
	if err := json.Unmarshal(content, &texts); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	lang := strings.TrimSuffix(path.Base(name), ".json")
	if c.texts[lang] == nil {
		c.texts[lang] = map[string]string{}
	}
	for key, text := range texts {
		if _, twice := c.texts[lang][key]; twice {
			return fmt.Errorf("%s: the key %s is in two catalogues", name, key)
		}
		c.texts[lang][key] = text
	}
	return nil
}

// Languages are those of the catalogue, English first.
func (c *Catalogue) Languages() []string { return c.order }

// Keys are those of one language, sorted.
func (c *Catalogue) Keys(lang string) []string { return slices.Sorted(maps.Keys(c.texts[lang])) }

// Bounds of what strangers ask for, before it is parsed.
const (
	maxLocales = 10
	maxAccept  = 200 // bytes
)

// Choose gives the language that suits the preferences best, then the header
// Accept-Language; English where none does.
func (c *Catalogue) Choose(preferences []string, accept string) string {
	for _, p := range preferences[:min(len(preferences), maxLocales)] {
		if tag, err := language.Parse(p); err == nil {
			if _, i, confidence := c.matcher.Match(tag); confidence >= language.Low {
				return c.order[i]
			}
		}
	}
	if tags, _, err := language.ParseAcceptLanguage(accept[:min(len(accept), maxAccept)]); err == nil {
		if _, i, confidence := c.matcher.Match(tags...); confidence > language.No {
			return c.order[i]
		}
	}
	return c.order[0]
}

// Text gives a text, with values put in: names and values in turn. What was
// written by others keeps its direction to itself.
func (c *Catalogue) Text(lang, key string, values ...any) (string, error) {
	text, ok := c.texts[lang][key]
	if !ok {
		return "", fmt.Errorf("the catalogue has no %s in %s", key, lang)
	}
	pairs := make([]string, 0, len(values))
	for i := 0; i+1 < len(values); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", values[i]), isolate(fmt.Sprint(values[i+1])))
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

// Say gives a Text.
func (c *Catalogue) Say(lang string, t Text) (string, error) {
	values := make([]any, len(t.Values))
	for i, v := range t.Values {
		values[i] = v
	}
	return c.Text(lang, t.Key, values...)
}

// say is Say for templates, in which a Text may be behind a pointer.
func (c *Catalogue) say(lang string, t any) (string, error) {
	switch t := t.(type) {
	case Text:
		return c.Say(lang, t)
	case *Text:
		return c.Say(lang, *t)
	default:
		return "", fmt.Errorf("say: %T is no text", t)
	}
}

// Count gives key.one or key.other, with {n} put in.
func (c *Catalogue) Count(lang, key string, n int, values ...any) (string, error) {
	form := ".other"
	if n == 1 {
		form = ".one"
	}
	return c.Text(lang, key+form, append([]any{"n", n}, values...)...)
}

// isolate makes a foreign text one that neither turns nor breaks the text
// around it: without control characters, and where it may run from right to
// left, between isolates (Unicode UAX #9 §2.4.2).
func isolate(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, text)
	const fsi, pdi, hebrew = '\u2068', '\u2069', '\u0590'
	if strings.ContainsFunc(text, func(r rune) bool { return r >= hebrew }) {
		return string(fsi) + text + string(pdi)
	}
	return text
}

// Date gives a moment, in UTC.
func (c *Catalogue) Date(lang string, at time.Time) string {
	at = at.UTC()
	month := c.texts[lang]["month."+strconv.Itoa(int(at.Month()))]
	return strings.NewReplacer("{day}", strconv.Itoa(at.Day()), "{month}", month, "{year}", strconv.Itoa(at.Year()), "{time}", at.Format("15:04")).
		Replace(c.texts[lang]["date"])
}

// Ago gives a moment as seen from now, which may lie before it.
func (c *Catalogue) Ago(lang string, now, at time.Time) (string, error) {
	const day = 24 * time.Hour
	since, key := now.Sub(at), "ago."
	if since < 0 {
		since, key = -since, "in."
	}
	switch {
	case since < time.Minute:
		return c.Text(lang, key+"now")
	case since < time.Hour:
		return c.Count(lang, key+"minutes", int(since/time.Minute))
	case since < day:
		return c.Count(lang, key+"hours", int(since/time.Hour))
	default:
		return c.Count(lang, key+"days", int(since/day))
	}
}
