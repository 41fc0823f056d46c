package refresh_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/refresh"
)

func TestLifetime(t *testing.T) {
	if got := (refresh.Setting{}).Lifetime(); got != 30*24*time.Hour {
		t.Errorf("the zero value is %v", got)
	}
	if got := (refresh.Setting{Seconds: 60}).Lifetime(); got != time.Minute {
		t.Errorf("60 seconds are %v", got)
	}
	if got := (refresh.Setting{Seconds: lifetime.MaxSeconds}).Lifetime(); got.Hours() != 100*365*24 {
		t.Errorf("the longest is %v", got)
	}
}

func TestValidate(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	granted, public, without := refresh.Subject{Granted: true}, refresh.Subject{Public: true, Granted: true}, refresh.Subject{}
	for _, test := range []struct {
		name    string
		setting refresh.Setting
		subject refresh.Subject
		refused []string
	}{
		{"the zero value, of anybody", refresh.Setting{}, without, nil},
		{"all of it, of a confidential client", refresh.Setting{Seconds: 1, FamilySeconds: 1, Limit: number(0), Kept: true}, granted, nil},
		{"the largest", refresh.Setting{Seconds: lifetime.MaxSeconds, FamilySeconds: lifetime.MaxSeconds, Limit: number(refresh.MaxLimit)}, granted, nil},
		{"beyond", refresh.Setting{Seconds: lifetime.MaxSeconds + 1, FamilySeconds: lifetime.MaxSeconds + 1, Limit: number(refresh.MaxLimit + 1)}, granted, []string{"refresh_token_lifetime", "refresh_family_lifetime", "refresh_limit"}},
		{"below", refresh.Setting{Seconds: -1, FamilySeconds: -1, Limit: number(-1)}, granted, []string{"refresh_token_lifetime", "refresh_family_lifetime", "refresh_limit"}},
		{"a lifetime without the grant", refresh.Setting{Seconds: 1, FamilySeconds: 1, Limit: number(1)}, without, []string{"refresh_token_lifetime"}},
		{"a public client that keeps its token", refresh.Setting{Kept: true}, public, []string{"refresh_rotation"}},
	} {
		var refused []string
		for _, p := range test.setting.Validate(test.subject) {
			refused = append(refused, p.Field)
		}
		if !slices.Equal(refused, test.refused) {
			t.Errorf("%s: refused %q, want %q", test.name, refused, test.refused)
		}
	}
}
