package scopepolicy_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/client/rule/scopepolicy"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

func TestCheck(t *testing.T) {
	const refused = "invalid_scope"
	two := []string{"read", "write"}
	for _, test := range []struct {
		name    string
		setting scopepolicy.Setting
		asked   []string
		granted []string
		code    string
	}{
		{"no scopes allowed, none asked", scopepolicy.Setting{}, nil, nil, ""},
		{"no scopes allowed, one asked", scopepolicy.Setting{}, []string{"read"}, nil, refused},
		{"some allowed, none asked", scopepolicy.Setting{Allowed: two}, nil, nil, refused},
		{"unscoped requests let through get all", scopepolicy.Setting{Allowed: two, AllowUnscoped: true}, nil, two, ""},
		{"one of those allowed", scopepolicy.Setting{Allowed: two}, []string{"write"}, []string{"write"}, ""},
		{"in the order asked", scopepolicy.Setting{Allowed: two}, []string{"write", "read"}, []string{"write", "read"}, ""},
		{"one that is not allowed", scopepolicy.Setting{Allowed: two}, []string{"read", "admin"}, nil, refused},
		{"compared exactly", scopepolicy.Setting{Allowed: two}, []string{"Read"}, nil, refused},
		{"letting unscoped ones through admits no more", scopepolicy.Setting{Allowed: two, AllowUnscoped: true}, []string{"admin"}, nil, refused},
		{"nothing allowed, unscoped let through", scopepolicy.Setting{AllowUnscoped: true}, nil, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := &rule.Request{Scopes: test.asked}
			err := test.setting.Check(&rule.Subject{}, request)
			if code := codeOf(err); code != test.code {
				t.Fatalf("answered %q, want %q", code, test.code)
			}
			if err == nil && !slices.Equal(request.Scopes, test.granted) {
				t.Errorf("granted %v, want %v", request.Scopes, test.granted)
			}
		})
	}
}

func TestWhatIsGrantedIsACopy(t *testing.T) {
	setting := scopepolicy.Setting{Allowed: []string{"read"}, AllowUnscoped: true}
	request := &rule.Request{}
	if err := setting.Check(&rule.Subject{}, request); err != nil {
		t.Fatal(err)
	}
	request.Scopes[0] = "admin"
	if setting.Allowed[0] != "read" {
		t.Error("the setting, which is shared, was changed through a request")
	}
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return e.Code
	}
	return ""
}
