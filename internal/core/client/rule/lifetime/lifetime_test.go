package lifetime_test

import (
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
)

func TestSetting(t *testing.T) {
	for _, test := range []struct {
		name    string
		setting lifetime.Setting
		d       time.Duration
		never   bool
		format  lifetime.Format
	}{
		{"the zero value is an hour, as a JWT", lifetime.Setting{}, time.Hour, false, lifetime.JWT},
		{"one second", lifetime.Setting{Seconds: 1}, time.Second, false, lifetime.JWT},
		{"ten years", lifetime.Setting{Seconds: 315360000}, 315360000 * time.Second, false, lifetime.JWT},
		{"opaque", lifetime.Setting{Seconds: 60, Format: lifetime.Opaque}, time.Minute, false, lifetime.Opaque},
		{"a JWT that was asked for", lifetime.Setting{Format: lifetime.JWT}, time.Hour, false, lifetime.JWT},
		{"never is opaque, so that it can be taken back", lifetime.Setting{Never: true}, 0, true, lifetime.Opaque},
		{"never is opaque whatever was asked for", lifetime.Setting{Never: true, Format: lifetime.JWT}, 0, true, lifetime.Opaque},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, never := test.setting.Lifetime()
			if d != test.d || never != test.never {
				t.Errorf("Lifetime() = %v, %v", d, never)
			}
			if f := test.setting.AccessTokenFormat(); f != test.format {
				t.Errorf("AccessTokenFormat() = %v", f)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for setting, refused := range map[lifetime.Setting]string{
		{}: "", {Seconds: 1}: "", {Seconds: lifetime.MaxSeconds, Format: lifetime.Opaque}: "", {Never: true}: "",
		{Never: true, Format: lifetime.Opaque}: "",
		{Never: true, Format: lifetime.JWT}:    "access_token_format", // it could not be taken back
		{Format: "saml"}:                       "access_token_format",
		{Seconds: -1}:                          "access_token_lifetime",
		{Seconds: lifetime.MaxSeconds + 1}:     "access_token_lifetime",
	} {
		got := ""
		for _, p := range setting.Validate() {
			got += p.Field
		}
		if got != refused {
			t.Errorf("%+v: refused %q, want %q", setting, got, refused)
		}
	}
}
