package pkce_test

import (
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule/pkce"
)

func TestSetting(t *testing.T) {
	for _, test := range []struct {
		setting          pkce.Setting
		public           bool
		required, wanted bool
	}{
		{pkce.Setting{}, false, true, true},
		{pkce.Setting{}, true, true, true},
		{pkce.Setting{Waived: true}, false, false, true},
		{pkce.Setting{Waived: true}, true, true, false}, // as an old row may say
	} {
		if got := test.setting.Required(test.public); got != test.required {
			t.Errorf("%+v, public %v: required %v", test.setting, test.public, got)
		}
		if got := test.setting.Validate(test.public) == ""; got != test.wanted {
			t.Errorf("%+v, public %v: taken %v", test.setting, test.public, got)
		}
	}
}
