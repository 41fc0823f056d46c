package api

import (
	"net/url"
	"slices"
	"strings"
)

// parameters are those of a query string.
type parameters struct {
	values   url.Values
	problems []Refusal
}

const unknownParameter = "There is no such parameter."

// parseParameters reads a query string whose parameters have these names.
func parseParameters(query string, names []string) (parameters, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return parameters{}, refused(Refusal{"query", "This is no query string."})
	}
	p := parameters{values: values}
	for name, given := range values {
		if !slices.Contains(names, name) {
			p.problems = append(p.problems, Refusal{"query." + shorten(name), unknownParameter})
		} else if len(given) > 1 {
			p.problems = append(p.problems, Refusal{"query." + name, "Send it once."})
		}
	}
	return p, nil
}

func (p *parameters) truth(name string) bool {
	text := p.values.Get(name)
	if p.values.Has(name) && text != "true" && text != "false" {
		p.problems = append(p.problems, Refusal{"query." + name, "Write true or false."})
	}
	return text == "true"
}

func (p *parameters) end() error {
	if len(p.problems) == 0 {
		return nil
	}
	return refused(p.problems...)
}

// once refuses a query string in which a parameter stands more than once: huma
// would take the first, and the caller may have meant the other.
func once(query string) error {
	if !strings.ContainsAny(query, "&%;") {
		return nil // at most one parameter, and nothing to decode
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return refused(Refusal{"query", "This is no query string."})
	}
	p := parameters{}
	for name, given := range values {
		if len(given) > 1 {
			p.problems = append(p.problems, Refusal{"query." + shorten(name), "Send it once."})
		}
	}
	return p.end()
}

// words are how huma begins what it says of a parameter, and what is said here;
// the rest of its text is put in for %s.
var words = [...][2]string{
	{"unknown query parameter", unknownParameter},
	{"invalid date/time", "Write a time as 2026-01-31T12:00:00Z (RFC 3339)."},
	{"invalid integer", "Write a whole number."},
	{"expected number >= ", "Write %s or more."},
	{"expected number <= ", "Write %s or less."},
	{"expected length <= ", "Write at most %s characters."},
	{"expected value to be one of ", "Choose one of %s."},
}

// inOurWords says what to do about a parameter, where huma says what it expected.
func inOurWords(message string) string {
	for _, w := range words {
		if rest, ok := strings.CutPrefix(message, w[0]); ok {
			return strings.Replace(w[1], "%s", strings.Trim(rest, `"`), 1)
		}
	}
	return message
}
