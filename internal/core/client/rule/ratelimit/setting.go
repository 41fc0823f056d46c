// Package ratelimit is the rule of how many requests a client may make, a
// second and a day.
package ratelimit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Upper bounds, beyond which a number is a slip of the keyboard.
const (
	MaxPerSecond = 1_000_000
	MaxBurst     = 1_000_000
	MaxPerDay    = 1_000_000_000_000
)

// Setting as stored and as written; 0: no such limit. The zero value limits
// nothing, which is the default: a client of an old row is not refused for what
// nobody said.
type Setting struct {
	PerSecond int64 `json:"per_second,omitempty"` // requests a second, over time
	Burst     int64 `json:"burst,omitempty"`      // requests at once; 0: as PerSecond. Without PerSecond it limits nothing
	PerDay    int64 `json:"per_day,omitempty"`    // requests a day (UTC)
}

var errForm = fault.Invalidf("", "Write an object of per_second, burst and per_day, each a whole number of 1 or more, or left out.")

// UnmarshalJSON reads an object of the three numbers. null and absence mean no
// such limit; 0 does not, since it would read as "none at all". The error is a
// fault Invalid whose Field is the number that is refused, if it is one.
func (s *Setting) UnmarshalJSON(b []byte) error {
	var given map[string]json.RawMessage
	if json.Unmarshal(b, &given) != nil || given == nil {
		return errForm
	}
	read := Setting{}
	into := map[string]*int64{"per_second": &read.PerSecond, "burst": &read.Burst, "per_day": &read.PerDay}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		to, known := into[name]
		if !known {
			return errForm
		}
		if string(given[name]) == "null" {
			continue
		}
		n, err := strconv.ParseInt(string(given[name]), 10, 64)
		if err != nil || n < 1 {
			return fault.Invalidf(name, "Write a whole number of 1 or more, or leave it out.")
		}
		*to = n
	}
	*s = read
	return nil
}

// Merge gives the setting with a merge patch (RFC 7396) over it.
func (s Setting) Merge(patch []byte) (Setting, error) {
	var merged Setting
	members := map[string]json.RawMessage{}
	stored, err := json.Marshal(s)
	if err != nil {
		return merged, fmt.Errorf("write the rate limit: %w", err)
	}
	if json.Unmarshal(stored, &members) != nil || json.Unmarshal(patch, &members) != nil {
		return merged, errForm
	}
	whole, err := json.Marshal(members) // null is absence to UnmarshalJSON
	if err != nil {
		return merged, errForm
	}
	err = merged.UnmarshalJSON(whole)
	return merged, err
}

// Validate refuses what cannot be meant; the field is where the setting stands.
func (s Setting) Validate(field string) (problems fault.Problems) {
	for _, member := range []struct {
		name   string
		n, max int64
	}{{"per_second", s.PerSecond, MaxPerSecond}, {"burst", s.Burst, MaxBurst}, {"per_day", s.PerDay, MaxPerDay}} {
		if member.n < 0 || member.n > member.max {
			problems.Add(field+"."+member.name, "Write a whole number from 1 to %d.", member.max)
		}
	}
	return problems
}
