package application

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// setting is one setting that an operator may choose by name.
type setting struct {
	name  string
	words []string // the values there are, the default first; nil: free text
	set   func(*Settings, string)
	truth bool  // in documents it is no text, but true or false
	most  int64 // not 0: a whole number, 1 to so many
}

// maxVendorName bounds a text that stands in error messages, in characters.
const maxVendorName = 60

// table holds the settings that act on something. One whose feature is not
// there yet is not in it, so that nobody chooses what does nothing; the presets
// set it all the same, for the day that it acts.
var table = []setting{
	{"security_profile", []string{string(OAuth21), string(OAuth2)}, func(s *Settings, v string) { s.SecurityProfile = SecurityProfile(v) }, false, 0},
	{"scope_policy", []string{string(Enforced), string(Optional)}, func(s *Settings, v string) { s.ScopePolicy = ScopePolicy(v) }, false, 0},
	{"secret_policy", []string{string(Once), string(Revealable)}, func(s *Settings, v string) { s.SecretPolicy = SecretPolicy(v) }, false, 0},
	{"signing_algorithm", []string{"ES256", "RS256", "EdDSA"}, func(s *Settings, v string) { s.SigningAlgorithm = v }, false, 0},
	inSeconds("session_lifetime", maxSessionLifetime, func(s *Settings, n int64) { s.SessionLifetime = n }),
	onOrOff("registration", func(s *Settings) *bool { return &s.Registration }),
	onOrOff("legacy_paths", func(s *Settings) *bool { return &s.LegacyPaths }),
	{"vendor_name", nil, func(s *Settings, v string) { s.VendorName = v }, false, 0},
}

// onOrOff is a setting that is off unless it is chosen.
func onOrOff(name string, of func(*Settings) *bool) setting {
	return setting{name, []string{"false", "true"}, func(s *Settings, v string) { *of(s) = v == "true" }, true, 0}
}

// inSeconds is a setting that is a number of seconds.
func inSeconds(name string, most int64, set func(*Settings, int64)) setting {
	return setting{name, nil, func(s *Settings, v string) {
		n, _ := strconv.ParseInt(v, 10, 64) // Set has read it
		set(s, n)
	}, false, most}
}

// SettingNames are the names that Set knows.
func SettingNames() []string {
	names := make([]string, len(table))
	for i, s := range table {
		names[i] = s.name
	}
	return names
}

// Set sets a setting by its name; a fault Invalid whose Field is the name.
func (s *Settings) Set(name, value string) error {
	i := slices.IndexFunc(table, func(t setting) bool { return t.name == name })
	if i < 0 {
		return fault.Invalidf(name, "There is no such application setting; there are %s.", strings.Join(SettingNames(), ", "))
	}
	t := table[i]
	if t.words != nil {
		if !slices.Contains(t.words, value) {
			return fault.Invalidf(name, "Choose one of %s.", strings.Join(t.words, ", "))
		}
		t.set(s, value)
		return nil
	}
	value = strings.TrimSpace(value)
	if t.most != 0 {
		if n, err := strconv.ParseInt(value, 10, 64); err != nil || n < 1 || n > t.most {
			return fault.Invalidf(name, "Write a whole number of seconds, 1 to %d.", t.most)
		}
		t.set(s, value)
		return nil
	}
	if value == "" || utf8.RuneCountInString(value) > maxVendorName || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
		return fault.Invalidf(name, "Write 1 to %d characters, none of them control characters.", maxVendorName)
	}
	t.set(s, value)
	return nil
}

// presets set an application up as those expect who come from another product.
var presets = map[string]Settings{
	"akamai":     {SecretPolicy: Revealable, CaptureAPI: true},
	"appdirect":  {SecurityProfile: OAuth2, LegacyPaths: true},
	"webmethods": {SecurityProfile: OAuth2, SecretPolicy: Revealable, LegacyPaths: true, LegacyTokenQuery: true},
}

// Preset gives the settings of a preset, the defaults for "".
func Preset(name string) (Settings, error) {
	s, ok := presets[name]
	if !ok && name != "" {
		return Settings{}, fault.Invalidf("preset", "There is no such preset; there are akamai, appdirect and webmethods.")
	}
	return s, nil
}

// Words gives the texts that a setting takes in documents, the default first; nil
// where it takes others, or none.
func Words(name string) []string {
	i := slices.IndexFunc(table, func(t setting) bool { return t.name == name })
	if i < 0 || table[i].truth {
		return nil
	}
	return table[i].words
}
