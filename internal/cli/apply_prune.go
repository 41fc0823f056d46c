package cli

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// prune adds a step for each record that a list of the file leaves out: it is
// deleted after all else, what uses others first. Of kinds that the file has no
// list of, nothing is; nor are applications, built-in scopes, and clients with
// the feature owner, which no API deletes.
func (p *planner) prune(ctx context.Context, steps []step, extents []extent) ([]step, error) {
	named := map[*realm]map[string]bool{}
	for i := range steps {
		s := &steps[i]
		if named[s.in] == nil {
			named[s.in] = map[string]bool{}
		}
		named[s.in][s.entry.noun.name+" "+s.key()] = true
	}
	seen := map[string]bool{}
	for _, d := range slices.Backward(declared) {
		for _, x := range extents {
			if x.noun != d.noun || x.noun.global {
				continue
			}
			in, err := p.realm(ctx, &entry{noun: x.noun, application: x.application})
			if err != nil {
				return nil, err
			}
			name := in.id + " " + x.noun.name
			if in.fresh || seen[name] {
				continue
			}
			seen[name] = true
			more, err := in.others(ctx, x.noun, named[in])
			if err != nil {
				return nil, err
			}
			steps = append(steps, more...)
		}
	}
	return steps, nil
}

// key names the record of a step as the API does.
func (s *step) key() string {
	if s.current != nil {
		return plainText(s.current, s.entry.noun.key)
	}
	return s.entry.text(s.entry.noun.key)
}

// others gives a step for each record of a kind that is not named.
func (in *realm) others(ctx context.Context, n *noun, named map[string]bool) (steps []step, err error) {
	cursor := ""
	for {
		page, err := in.remote.take(n.calls.list(ctx, in.remote.api, in.id, query("limit", "200", "cursor", cursor)))
		if err != nil {
			return nil, err
		}
		items, err := page.items("items")
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			key := plainText(item, n.key)
			if named[n.name+" "+key] || !prunable(n, item) {
				continue
			}
			// Each with its tag, so that it is deleted as it was planned.
			current, err := in.remote.take(n.calls.get(ctx, in.remote.api, in.id, key))
			if err != nil {
				return nil, err
			}
			fields := map[string]json.RawMessage{n.key: current.get(n.key), n.created: current.get(n.created)}
			if version := current.get("version"); version != nil {
				fields["version"] = version
			}
			steps = append(steps, step{entry: &entry{noun: n, application: in.id, fields: fields}, in: in, action: toDelete, current: current})
		}
		if cursor = page.text("next_cursor"); cursor == nothing {
			return steps, nil
		}
	}
}

// prunable reports whether a record can be deleted at all.
func prunable(n *noun, r *record) bool {
	switch n {
	case &scopes:
		return !scope.IsBuiltIn(plainText(r, "name"))
	case &clients:
		var features []string
		return json.Unmarshal(r.get("features"), &features) == nil && !slices.Contains(features, string(client.Owner))
	default:
		return true
	}
}

// remove deletes a record, as long as it is as it was planned.
func (s *step) remove(ctx context.Context) error {
	r := s.in.remote
	_, err := r.take(s.entry.noun.calls.remove(ctx, r.api, s.in.id, s.key(), ifMatch(s.current.etag)))
	return err
}
