package ratelimit_test

import (
	"encoding/json"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
)

func TestSettingIsMerged(t *testing.T) {
	stored := ratelimit.Setting{PerSecond: 5, Burst: 6, PerDay: 7}
	for patch, want := range map[string]ratelimit.Setting{
		`{}`:                                     stored,
		`{"per_day":8}`:                          {PerSecond: 5, Burst: 6, PerDay: 8},
		`{"burst":null}`:                         {PerSecond: 5, PerDay: 7},
		`{"per_second":null}`:                    {Burst: 6, PerDay: 7},
		`{"per_second":null,"burst":null}`:       {PerDay: 7},
		`{"per_second":1,"burst":2,"per_day":3}`: {PerSecond: 1, Burst: 2, PerDay: 3},
	} {
		if got, err := stored.Merge([]byte(patch)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", patch, got, err)
		}
	}
	for _, patch := range []string{`{"per_second":0}`, `{"per_second":"1"}`, `{"per_hour":1}`, `[]`, `5`, `{`} {
		if got, err := stored.Merge([]byte(patch)); err == nil {
			t.Errorf("%s: %+v", patch, got)
		}
	}
}

func FuzzSetting(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"per_second":1,"burst":2,"per_day":3}`, `{"per_second":null}`, `{"burst":0}`, `{"per_day":1e3}`, `[]`} {
		f.Add([]byte(seed), []byte(`{"per_day":4}`))
	}
	f.Fuzz(func(t *testing.T, document, patch []byte) {
		var s ratelimit.Setting
		if json.Unmarshal(document, &s) != nil {
			return
		}
		merged, err := s.Merge(patch)
		if err != nil {
			return
		}
		for _, one := range []ratelimit.Setting{s, merged} {
			if one.PerSecond < 0 || one.Burst < 0 || one.PerDay < 0 {
				t.Errorf("%s and %s gave %+v", document, patch, one)
			}
			written, err := json.Marshal(one)
			var again ratelimit.Setting
			if err != nil || json.Unmarshal(written, &again) != nil || again != one {
				t.Errorf("%+v is written as %s, and that is %+v", one, written, again)
			}
		}
	})
}
