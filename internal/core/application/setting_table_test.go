package application_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/fault"
)

func TestSettingsAreSetByName(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        application.Settings
	}{
		{"security_profile", "oauth2", application.Settings{SecurityProfile: application.OAuth2}},
		{"scope_policy", "optional", application.Settings{ScopePolicy: application.Optional}},
		{"secret_policy", "revealable", application.Settings{SecretPolicy: application.Revealable}},
		{"secret_policy", "once", application.Settings{SecretPolicy: application.Once}},
		{"signing_algorithm", "EdDSA", application.Settings{SigningAlgorithm: "EdDSA"}},
		{"legacy_paths", "true", application.Settings{LegacyPaths: true}},
		{"legacy_paths", "false", application.Settings{}},
		{"session_lifetime", "3600", application.Settings{SessionLifetime: 3600}},
		{"registration", "true", application.Settings{Registration: true}},
		{"refresh_retry_window", "0", application.Settings{RefreshRetryWindow: new(int64)}},
		{"code_lifetime", "600", application.Settings{CodeLifetime: 600}},
		{"legacy_token_query", "true", application.Settings{LegacyTokenQuery: true}},
		{"legacy_token_query", "false", application.Settings{}},
		{"claims_in_id_token", "true", application.Settings{ClaimsInIDToken: true}},
		{"vendor_name", " Example ", application.Settings{VendorName: "Example"}},
	} {
		var got application.Settings
		if err := got.Set(c.name, c.value); err != nil {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s=%s: %s", c.name, c.value, diff)
		}
	}
}

func TestSettingsRefuse(t *testing.T) {
	for _, c := range []struct{ name, value, says string }{
		{"secret_policy", "never", "Choose one of once, revealable."},
		{"secret_policy", "", "Choose one of"},
		{"signing_algorithm", "HS256", "ES256, RS256, EdDSA"},
		{"session_lifetime", "0", "1 to 31536000"},
		{"session_lifetime", "1h", "whole number of seconds"},
		{"registration", "yes", "true or false"},
		{"legacy_paths", "on", "true or false"},
		{"vendor_name", "  ", "1 to 60 characters"},
		{"vendor_name", strings.Repeat("x", 61), "1 to 60 characters"},
		{"vendor_name", "a\nb", "control characters"},
		{"refresh_retry_window", "3601", "0 to 3600"},
		{"code_lifetime", "0", "1 to 600"},
		{"code_lifetime", "sixty", "whole number of seconds"},
		{"legacy_token_query", "yes", "true or false"},
		{"secretpolicy", "once", "there are security_profile, scope_policy, secret_policy"},
		{"branding", "x", "no such application setting"},
	} {
		var s application.Settings
		err := s.Set(c.name, c.value)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Invalid || f.Field != c.name || !strings.Contains(f.Message, c.says) {
			t.Errorf("%s=%s: got %v, want a fault Invalid that says %q", c.name, c.value, err, c.says)
		}
		if s != (application.Settings{}) {
			t.Errorf("%s=%s: something was set: %+v", c.name, c.value, s)
		}
	}
}

func TestPresets(t *testing.T) {
	for name, want := range map[string]application.Settings{
		"":           {},
		"akamai":     {SecretPolicy: application.Revealable, CaptureAPI: true},
		"appdirect":  {SecurityProfile: application.OAuth2, LegacyPaths: true},
		"webmethods": {SecurityProfile: application.OAuth2, SecretPolicy: application.Revealable, LegacyPaths: true, LegacyTokenQuery: true},
	} {
		got, err := application.Preset(name)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v", name, got, err)
		}
	}
	if _, err := application.Preset("hydra"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an unknown preset: got %v, want a fault Invalid", err)
	}
	if !slices.Contains(application.SettingNames(), "secret_policy") {
		t.Error("secret_policy is not among the names")
	}
}
