package cli

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// judge refuses a scope or a resource that is to be written as the core will,
// before anything is. Clients and applications were judged by their previews.
func (p *planner) judge(ctx context.Context, s *step) error {
	if s.action == asItIs || s.entry.noun != &scopes && s.entry.noun != &resources {
		return nil
	}
	text, err := json.Marshal(s.entry.fields)
	if err != nil {
		return err
	}
	if s.entry.noun == &scopes {
		var stored []string
		if s.current != nil {
			_ = json.Unmarshal(s.current.get("url_patterns"), &stored) // else there are none
		}
		err = scope.Check(text, stored)
	} else if err = resource.Check(text); err == nil {
		if err := s.in.learnScopes(ctx); err != nil {
			return err
		}
		err = s.unknownScopes()
	}
	if err != nil {
		p.refuseFault(s.entry, err)
	}
	return nil
}

// unknownScopes refuses the scopes of a resource that its application neither
// has nor will have.
func (s *step) unknownScopes() error {
	var names []string
	_ = json.Unmarshal(s.entry.fields["scopes"], &names) // it was judged
	var problems fault.Problems
	for i, name := range names {
		if s.in.kinds[name] == "" && !scope.IsBuiltIn(name) {
			problems.Add("scopes["+strconv.Itoa(i)+"]", "There is no such scope in this application; make it first.")
		}
	}
	return problems.OrNil()
}
