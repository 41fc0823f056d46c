package application

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Setting is what there is to choose of a setting: one of words, true or false, a
// number of seconds; where it is none of them, a text.
type Setting struct {
	Name        string
	Words       []string // the values there are, the default first; nil: others
	Truth       bool
	Least, Most int64 // seconds; 0: it is none
}

// setting is one setting that an operator may choose by name.
type setting struct {
	Setting

	set func(*Settings, string) (refusal string)
}

// chosen is a setting that is one of its words.
func chosen(name string, set func(*Settings, string), words ...string) setting {
	return setting{Setting{Name: name, Words: words}, func(s *Settings, v string) string {
		set(s, v)
		return ""
	}}
}

// timed is a setting in seconds, switched one that is true or false.
func timed(name string, least, most int64, set func(*Settings, int64)) setting {
	return setting{Setting{Name: name, Least: least, Most: most}, seconds(least, most, set)}
}

func switched(name string, of func(*Settings) *bool) setting {
	return setting{Setting{Name: name, Truth: true}, truth(of)}
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
	timed("refresh_retry_window", 0, maxRetryWindow, setRetryWindow),
	timed("code_lifetime", 1, maxCodeLifetime, setCodeLifetime),
	timed("session_lifetime", 1, maxSessionLifetime, setSessionLifetime),
	switched("registration", registration),
	switched("legacy_paths", legacyPaths),
	switched("legacy_token_query", legacyTokenQuery),
	switched("claims_in_id_token", claimsInIDToken),
	{Setting{Name: "vendor_name"}, setVendorName},
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

// Table gives the settings that act on something, in the order of the table.
func Table() []Setting {
	list := make([]Setting, len(table))
	for i, s := range table {
		list[i] = s.Setting
	}
	return list
}

// SettingNames are the names that Set knows.
func SettingNames() []string {
	names := make([]string, len(table))
	for i, s := range table {
		names[i] = s.Name
	}
	return names
}

// Set sets a setting by its name; a fault Invalid whose Field is the name.
func (s *Settings) Set(name, value string) error {
	i := slices.IndexFunc(table, func(t setting) bool { return t.Name == name })
	if i < 0 {
		return fault.Invalidf(name, "There is no such application setting; there are %s.", strings.Join(SettingNames(), ", "))
	}
	t := table[i]
	if t.Words != nil && !slices.Contains(t.Words, value) {
		return fault.Invalidf(name, "Choose one of %s.", strings.Join(t.Words, ", "))
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
	i := slices.IndexFunc(table, func(t setting) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return table[i].Words
}
