package cli

import (
	"errors"
	"testing"

	"github.com/ostiary/ostiary/internal/servertest"
)

// TestARecordThatChangedSinceThePlanIsLeftAlone has somebody else change what a
// plan was made for, before it is carried out.
func TestARecordThatChangedSinceThePlanIsLeftAlone(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	r, err := dialAs(s.URL, s.ApplicationID, s.OwnerID, s.OwnerSecret)
	if err != nil {
		t.Fatal(err)
	}
	declare := func(description string) []step {
		t.Helper()
		entries, _, err := readFile("f", []byte("scopes: [{name: a, description: "+description+"}]\nclients: [{id: c, name: C, kind: service, description: "+description+"}]"))
		if err != nil {
			t.Fatal(err)
		}
		p := planner{file: "f", server: r, realms: map[string]*realm{}}
		steps, err := p.plan(t.Context(), entries)
		if err != nil {
			t.Fatal(err)
		}
		return steps
	}
	carryOut := func(steps []step, want int) {
		t.Helper()
		for i := range steps {
			o, err := steps[i].run(t.Context(), "")
			status := 0
			if err != nil {
				status = failed
				if e, ok := errors.AsType[*statusError](explain(newRoot(), err)); ok {
					status = e.status
				}
			}
			if status != want || o.Done != (want == ok) {
				t.Errorf("the %s: %v, %+v; want status %d", o.Kind, err, o, want)
			}
		}
	}
	carryOut(declare("first"), ok)
	mine, theirs := declare("mine"), declare("theirs")
	carryOut(theirs, ok)
	carryOut(mine, refusedStatus)
	for _, s := range declare("theirs") {
		if s.action != asItIs {
			t.Errorf("the %s is not what the other one made of it: %+v", s.entry.noun.name, s.changes)
		}
	}
}
