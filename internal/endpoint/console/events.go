package console

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
)

// eventRow is an audit event in a list. Its template is "events".
type eventRow struct {
	At                    time.Time
	Actor, Action, Object string
	ActorName, ObjectName string // where they have one that says more
	ActorPath, ObjectPath string // of the log, narrowed to it; "": it is so already
	ActionPath            string
	Address, RequestID    string
	Refused               bool
	Changes               []change
	More                  int  // changes that are left out
	HasBefore, HasAfter   bool // whether there was a record, and whether there is
}

// change is a member of a record that is another after an event.
type change struct{ Name, Before, After string }

// Bounds of what a page shows of changes; the whole is in the export.
const (
	maxChanges    = 24
	maxChangeText = 240
	maxPageText   = 40_000
)

// eventRows are events as a list shows them.
func eventRows(events []audit.Event, log auditLog) []eventRow {
	rows := make([]eventRow, len(events))
	left := maxPageText
	for i, e := range events {
		row := eventRow{
			At: e.At, Actor: e.Actor, Action: e.Action, Object: e.Object, Address: e.Address, RequestID: e.RequestID,
			Refused: e.Outcome == audit.Refused, HasBefore: e.Before != nil, HasAfter: e.After != nil,
			ActorPath:  with(log.path, "of", log.of, "actor", e.Actor),
			ActionPath: with(log.path, "of", log.of, "action", e.Action),
			ObjectPath: with(log.path, "of", log.of, "object", e.Object),
		}
		if log.names != nil {
			row.ActorName, row.ObjectName = log.names(e.Actor), log.names(e.Object)
		}
		for _, c := range changesOf(e.Before, e.After) {
			if left -= len(c.Name) + len(c.Before) + len(c.After); left < 0 || len(row.Changes) == maxChanges {
				row.More++
				continue
			}
			row.Changes = append(row.Changes, c)
		}
		rows[i] = row
	}
	return rows
}

// changesOf compares the records of an event, by the names of their members:
// where there was one before and there is one after, only what differs.
func changesOf(before, after json.RawMessage) []change {
	was, is := map[string]string{}, map[string]string{}
	flatten(was, "", before)
	flatten(is, "", after)
	names := slices.Concat(slices.Collect(maps.Keys(was)), slices.Collect(maps.Keys(is)))
	slices.Sort(names)
	var list []change
	for _, name := range slices.Compact(names) {
		if was[name] != is[name] {
			list = append(list, change{name, shorten(was[name]), shorten(is[name])})
		}
	}
	return list
}

// flatten writes down the members of a JSON document by their names, those of an
// object in it after its own and a full stop. What is empty is not there.
func flatten(into map[string]string, name string, document json.RawMessage) {
	var object map[string]json.RawMessage
	if json.Unmarshal(document, &object) == nil && object != nil {
		for member, value := range object {
			if name != "" {
				member = name + "." + member
			}
			flatten(into, member, value)
		}
		return
	}
	var text string
	if json.Unmarshal(document, &text) == nil {
		into[name] = text
		return
	}
	var compact bytes.Buffer
	if json.Compact(&compact, document) == nil && compact.String() != "[]" {
		into[name] = compact.String()
	}
}

// shorten bounds a text.
func shorten(text string) string {
	if len(text) <= maxChangeText {
		return text
	}
	return string(bytes.ToValidUTF8([]byte(text[:maxChangeText]), nil)) + "…"
}
