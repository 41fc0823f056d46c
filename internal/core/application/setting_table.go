package application

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// setting is one setting that an operator may choose by name.
type setting struct {
	name  string
	words []string // the values there are, the default first; nil: others, which set judges
	set   func(*Settings, string) (refusal string)
}

// chosen is a setting that is one of its words.
func chosen(name string, set func(*Settings, string), words ...string) setting {
	return setting{name, words, func(s *Settings, v string) string {
		set(s, v)
		return ""
	}}
}

// maxVendorName bounds a text that stands in error messages, in characters.
const maxVendorName = 60

// table holds the settings that act on something. One whose feature is not
// there yet is not in it, so that nobody chooses what does nothing; the presets
// set it all the same, for the day that it acts.
var table = []setting{
	chosen("security_profile", func(s *Settings, v string) { s.SecurityProfile = SecurityProfile(v) }, string(OAuth21), string(OAuth2)),
	chosen("scope_policy", func(s *Settings, v string) { s.ScopePolicy = ScopePolicy(v) }, string(Enforced), string(Optional)),
	chosen("secret_policy", func(s *Settings, v string) { s.SecretPolicy = SecretPolicy(v) }, string(Once), string(Revealable)),
	chosen("signing_algorithm", func(s *Settings, v string) { s.SigningAlgorithm = v }, "ES256", "RS256", "EdDSA"),
	{"refresh_retry_window", nil, seconds(0, maxRetryWindow, setRetryWindow)},
	{"code_lifetime", nil, seconds(1, maxCodeLifetime, setCodeLifetime)},
	{"session_lifetime", nil, seconds(1, maxSessionLifetime, setSessionLifetime)},
	{"registration", nil, truth(registration)},
	{"legacy_paths", nil, truth(legacyPaths)},
	{"legacy_token_query", nil, truth(legacyTokenQuery)},
	{"claims_in_id_token", nil, truth(claimsInIDToken)},
	{"vendor_name", nil, setVendorName},
}

// Values that the table and the document set alike.
func setRetryWindow(s *Settings, n int64)     { s.RefreshRetryWindow = &n }
func setCodeLifetime(s *Settings, n int64)    { s.CodeLifetime = n }
func setSessionLifetime(s *Settings, n int64) { s.SessionLifetime = n }
func registration(s *Settings) *bool          { return &s.Registration }
func legacyPaths(s *Settings) *bool           { return &s.LegacyPaths }
func legacyTokenQuery(s *Settings) *bool      { return &s.LegacyTokenQuery }
func claimsInIDToken(s *Settings) *bool       { return &s.ClaimsInIDToken }

func setVendorName(s *Settings, v string) string {
	v = strings.TrimSpace(v)
	if !plain(v, maxVendorName) {
		return "Write 1 to " + strconv.Itoa(maxVendorName) + " characters, none of them control characters."
	}
	s.VendorName = v
	return ""
}

// seconds takes a whole number of seconds.
func seconds(least, most int64, set func(*Settings, int64)) func(*Settings, string) string {
	return func(s *Settings, v string) string {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < least || n > most {
			return "Write a whole number of seconds, " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10) + "."
		}
		set(s, n)
		return ""
	}
}

// truth takes true or false.
func truth(of func(*Settings) *bool) func(*Settings, string) string {
	return func(s *Settings, v string) string {
		if v != "true" && v != "false" {
			return "Write true or false."
		}
		*of(s) = v == "true"
		return ""
	}
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
	if t.words != nil && !slices.Contains(t.words, value) {
		return fault.Invalidf(name, "Choose one of %s.", strings.Join(t.words, ", "))
	}
	if text := t.set(s, value); text != "" {
		return fault.Invalidf(name, "%s", text)
	}
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
	if i < 0 {
		return nil
	}
	return table[i].words
}
