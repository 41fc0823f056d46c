package client

import (
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// Preview gives the client that fields make, or that they make of the one there
// is by replacing it, as it would be answered: with every default and in the
// form in which each value is kept. It is for who has to know before anything is
// written, and has no store: kinds has the kind of each scope that there is;
// whether id and name are free, and whether the caller may, is not asked.
// Refused values are fault.Problems.
func Preview(app *application.Application, kinds map[string]scope.Kind, f Fields, current *Fields) (View, error) {
	c := &Client{ApplicationID: app.ID}
	w := writing{app: app, values: f, intents: intentsOf(&f), kinds: kinds}
	var problems fault.Problems
	if current == nil {
		problems = c.begin(&f)
	} else {
		// What is stored was judged when it was written.
		_ = c.begin(current)
		stored := writing{app: app, values: *current, intents: intentsOf(current), kinds: kinds, keepsOld: true}
		_ = stored.apply(c)
		before := *c
		w.before = &before
		problems = f.fixedProblems(c)
	}
	problems = append(problems, w.apply(c)...)
	if err := inOrder(problems).OrNil(); err != nil {
		return View{}, err
	}
	return c.View(app, "", Usage{}), nil
}
