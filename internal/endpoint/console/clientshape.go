package console

import (
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// part is one field of a client in its form.
type part struct {
	name    string // of the field, and of the first of its inputs
	section string // heading that it stands under
	label   string
	help    string
	shown   func(*clientForm) bool // nil: in every form
	shape   shape
}

// shape is how a value stands in the inputs of a form. A value is what
// encoding/json makes of any JSON, with json.Number for numbers; nil is the
// default. What is no number is handed on as text, for the core to refuse.
type shape struct {
	inputs func(f *clientForm, p *part) []*field
	fill   func(form url.Values, name string, value any)
	read   func(form url.Values, name string) any
	words  func(value any) string // nil: as it is
}

// input makes the first input of a part.
func (p *part) input(f *clientForm, kind string) *field {
	return &field{Name: p.name, Label: p.label, Kind: kind, Help: p.help, Value: f.values.Get(p.name)}
}

// of makes inputs of one input.
func of(alter func(*clientForm, *field)) func(*clientForm, *part) []*field {
	return func(f *clientForm, p *part) []*field {
		input := p.input(f, "")
		if alter != nil {
			alter(f, input)
		}
		return []*field{input}
	}
}

// fillText writes a text, a number or nothing.
func fillText(form url.Values, name string, value any) { form.Set(name, plainly(value)) }

func readText(form url.Values, name string) any {
	text := strings.ReplaceAll(form.Get(name), "\r\n", "\n")
	if text == "" {
		return nil
	}
	return text
}

// aText is a line of text.
func aText(alter func(*clientForm, *field)) shape {
	return shape{inputs: of(alter), fill: fillText, read: readText}
}

// aChoice is one of several; the first is the default.
func aChoice(kind string, options ...option) shape {
	return shape{
		inputs: of(func(_ *clientForm, in *field) { in.Kind, in.Options = kind, options }),
		fill: func(form url.Values, name string, value any) {
			if fillText(form, name, value); value == nil {
				form.Set(name, options[0].Value)
			}
		},
		read: func(form url.Values, name string) any {
			if form.Get(name) == options[0].Value {
				return nil
			}
			return readText(form, name)
		},
		words: func(value any) string {
			at := slices.IndexFunc(options, func(o option) bool { return o.Value == value })
			return options[max(at, 0)].Label
		},
	}
}

// aBox is true or false.
func aBox() shape {
	return shape{
		inputs: of(func(_ *clientForm, in *field) { in.Kind = "box" }),
		fill: func(form url.Values, name string, value any) {
			if form.Del(name); value == true {
				form.Set(name, "true")
			}
		},
		read: func(form url.Values, name string) any { return form.Get(name) != "" },
	}
}

// aList is entries, one a line; separators are taken between them too.
func aList(separators string, alter func(*clientForm, *field)) shape {
	return shape{
		inputs: of(func(f *clientForm, in *field) {
			in.Kind = "area"
			in.Rows = max(2, min(8, strings.Count(in.Value, "\n")+2))
			if alter != nil {
				alter(f, in)
			}
		}),
		fill: func(form url.Values, name string, value any) { form.Set(name, inLines(texts(value))) },
		read: func(form url.Values, name string) any {
			typed := form.Get(name)
			text := typed
			for _, s := range separators {
				text = strings.ReplaceAll(text, string(s), "\n")
			}
			entries := entriesOf(text)
			if len(entries) == 0 && strings.ContainsAny(typed, separators) {
				return typed // for the core to refuse: it is not the empty list
			}
			return entries
		},
	}
}

// boxesOf are several of those that the form offers.
func boxesOf(options func(*clientForm) []option) shape {
	return shape{
		inputs: of(func(f *clientForm, in *field) {
			in.Kind, in.Options, in.Values = "boxes", options(f), f.values[in.Name]
		}),
		fill: func(form url.Values, name string, value any) { form[name] = texts(value) },
		read: func(form url.Values, name string) any {
			entries := entriesOf(inLines(form[name])) // typed where there are too many to tick
			slices.Sort(entries)
			return entries
		},
	}
}

// Sizes of inputs.
const (
	half  = "half"
	third = "third"
)

// numberName is the input of the number where a word may stand instead.
func numberName(name string) string { return name + ".number" }

// aNumberOr is a word, or a number: what the choice between them and the number
// are called, and what the number is where it is left empty.
func aNumberOr(word, wordLabel, choiceLabel, numberLabel, unit string, empty any) shape {
	return shape{
		inputs: func(f *clientForm, p *part) []*field {
			choice := p.input(f, "radios")
			choice.Size, choice.Options = half, []option{{Value: word, Label: wordLabel}, {Value: "number", Label: choiceLabel}}
			number := &field{
				Name: numberName(p.name), Label: numberLabel, Kind: "digits", Unit: unit, Size: half, Value: f.values.Get(numberName(p.name)),
			}
			return []*field{choice, number}
		},
		fill: func(form url.Values, name string, value any) {
			form.Set(name, "number")
			form.Set(numberName(name), plainly(value))
			if value == word {
				form.Set(name, word)
				form.Del(numberName(name))
			}
		},
		read: func(form url.Values, name string) any {
			text := strings.TrimSpace(form.Get(numberName(name)))
			switch {
			case !form.Has(name):
				return nil
			case form.Get(name) == word:
				return word
			case text == "":
				return empty
			default:
				return wholeNumber(text, 1)
			}
		},
		words: func(value any) string {
			if value == word {
				return wordLabel
			}
			return amount(plainly(value), unit)
		},
	}
}

// noValue is what stands where there is none.
const noValue = "none"

// amount is a number with its unit.
func amount(number, unit string) string {
	if number == "" {
		return noValue
	}
	return number + " " + unit
}

const (
	secondsADay = 24 * 60 * 60
	inDays      = "days"
)

// aDuration is seconds, shown as days where they are whole ones.
func aDuration() shape {
	unitName := func(name string) string { return name + ".unit" }
	shown := func(value any) (number, unit string) {
		number = plainly(value)
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && n%secondsADay == 0 {
			return strconv.FormatInt(n/secondsADay, 10), inDays
		}
		return number, "seconds"
	}
	return shape{
		inputs: func(f *clientForm, p *part) []*field {
			amount := p.input(f, "digits")
			amount.Size = half
			unit := &field{
				Name: unitName(p.name), Label: "In", Kind: "select", Size: half, Value: f.values.Get(unitName(p.name)),
				Options: []option{{Value: inDays, Label: inDays}, {Value: "seconds", Label: "seconds"}},
			}
			return []*field{amount, unit}
		},
		fill: func(form url.Values, name string, value any) {
			number, unit := shown(value)
			form.Set(name, number)
			form.Set(unitName(name), unit)
		},
		read: func(form url.Values, name string) any {
			text := strings.TrimSpace(form.Get(name))
			switch {
			case text == "":
				return nil
			case form.Get(unitName(name)) == inDays:
				return wholeNumber(text, secondsADay)
			default:
				return wholeNumber(text, 1)
			}
		},
		words: func(value any) string { return amount(shown(value)) },
	}
}

// someNumbers is an object of numbers, an input each.
func someNumbers(members ...field) shape {
	return shape{
		inputs: func(f *clientForm, p *part) []*field {
			list := make([]*field, len(members))
			for i := range members {
				in := members[i]
				in.Name = p.name + "." + in.Name
				in.Kind, in.Size, in.Value = "digits", third, f.values.Get(in.Name)
				list[i] = &in
			}
			return list
		},
		fill: func(form url.Values, name string, value any) {
			object, _ := value.(map[string]any)
			for i := range members {
				form.Set(name+"."+members[i].Name, plainly(object[members[i].Name]))
			}
		},
		read: func(form url.Values, name string) any {
			object := map[string]any{}
			for i := range members {
				object[members[i].Name] = nil
				if text := strings.TrimSpace(form.Get(name + "." + members[i].Name)); text != "" {
					object[members[i].Name] = wholeNumber(text, 1)
				}
			}
			return object
		},
		words: func(value any) string {
			object, _ := value.(map[string]any)
			var list []string
			for i := range members {
				if number := plainly(object[members[i].Name]); number != "" {
					list = append(list, amount(number, strings.ToLower(members[i].Label)))
				}
			}
			if list == nil {
				return noValue
			}
			return strings.Join(list, ", ")
		},
	}
}

// wholeNumber gives a whole number times a unit; what is none as it was typed.
func wholeNumber(text string, unit int64) any {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > math.MaxInt64/unit || n < math.MinInt64/unit {
		return text
	}
	return n * unit
}

// plainly gives a text or a number as text.
func plainly(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	default:
		return ""
	}
}

func texts(value any) []string {
	list, _ := value.([]any)
	out := make([]string, len(list))
	for i := range list {
		out[i] = plainly(list[i])
	}
	return out
}

// entriesOf gives the lines that say something, and never nil.
func entriesOf(text string) []string {
	entries := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			entries = append(entries, line)
		}
	}
	return entries
}

func inLines(entries []string) string { return strings.Join(entries, "\n") }

// decoded gives the value of JSON that a form made.
func decoded(text json.RawMessage) (value any) {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	_ = decoder.Decode(&value) // nothing is the default
	return value
}

// inWords gives the value of a part to people.
func (p *part) inWords(text json.RawMessage) string {
	value := decoded(text)
	if p.shape.words != nil {
		return p.shape.words(value)
	}
	switch value := value.(type) {
	case bool:
		return map[bool]string{true: "on", false: "off"}[value]
	case []any:
		if len(value) > 0 {
			return inLines(texts(value))
		}
	case string, json.Number:
		return plainly(value)
	}
	return noValue
}
