package application

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// View is an application as it is answered: its settings stand beside its name.
// What is null has its default.
type View struct {
	ID                 string          `json:"id"`
	Name               string          `json:"name"`
	Issuer             string          `json:"issuer"`
	SecurityProfile    SecurityProfile `json:"security_profile"`
	ScopePolicy        ScopePolicy     `json:"scope_policy"`
	SecretPolicy       SecretPolicy    `json:"secret_policy"`
	SigningAlgorithm   string          `json:"signing_algorithm"`
	RefreshRetryWindow int64           `json:"refresh_retry_window"`
	CodeLifetime       int64           `json:"code_lifetime"`
	SessionLifetime    int64           `json:"session_lifetime"`
	Registration       bool            `json:"registration"`
	CaptureAPI         bool            `json:"capture_api"`
	LegacyPaths        bool            `json:"legacy_paths"`
	LegacyTokenQuery   bool            `json:"legacy_token_query"`
	ClaimsInIDToken    bool            `json:"claims_in_id_token"`
	VendorName         string          `json:"vendor_name"`
	Branding           BrandingView    `json:"branding"`
}

// BrandingView is Branding as it is answered.
type BrandingView struct {
	Name   *string `json:"name"`
	Logo   *string `json:"logo"`
	Colour *string `json:"colour"`
}

// View gives the application as it is answered.
func (a *Application) View(issuer string) View {
	s := &a.Settings
	v := View{
		ID: a.ID, Name: a.Name, Issuer: issuer, SecurityProfile: s.Profile(),
		ScopePolicy: Enforced, SecretPolicy: Once, SigningAlgorithm: s.Algorithm(),
		RefreshRetryWindow: int64(s.RetryWindow().Seconds()), CodeLifetime: defaultCodeLifetime, SessionLifetime: defaultSessionLifetime,
		Registration: s.Registration, CaptureAPI: s.CaptureAPI, LegacyPaths: s.LegacyPaths,
		LegacyTokenQuery: s.LegacyTokenQuery, ClaimsInIDToken: s.ClaimsInIDToken, VendorName: s.Vendor(),
		Branding: BrandingView{orNull(s.Branding.Name), orNull(s.Branding.Logo), orNull(s.Branding.Colour)},
	}
	if s.ScopePolicy != "" {
		v.ScopePolicy = s.ScopePolicy
	}
	if s.SecretPolicy != "" {
		v.SecretPolicy = s.SecretPolicy
	}
	if s.CodeLifetime != 0 {
		v.CodeLifetime = s.CodeLifetime
	}
	if s.SessionLifetime != 0 {
		v.SessionLifetime = s.SessionLifetime
	}
	return v
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Bounds of settings.
const (
	maxName            = 255
	maxRetryWindow     = 3600
	maxCodeLifetime    = 600
	maxSessionLifetime = 365 * 24 * 60 * 60
	maxLogo            = 2000
)

// member is one member of the document that can be changed. set gives why it
// refuses, "" where it does not; reset goes back to the default.
type member struct {
	name  string
	set   func(a *Application, raw json.RawMessage) string
	reset func(a *Application)
}

var members = []member{
	word("security_profile", func(s *Settings) { s.SecurityProfile = "" }),
	word("scope_policy", func(s *Settings) { s.ScopePolicy = "" }),
	word("secret_policy", func(s *Settings) { s.SecretPolicy = "" }),
	word("signing_algorithm", func(s *Settings) { s.SigningAlgorithm = "" }),
	whole("refresh_retry_window", seconds(0, maxRetryWindow, setRetryWindow), func(s *Settings) { s.RefreshRetryWindow = nil }),
	whole("code_lifetime", seconds(1, maxCodeLifetime, setCodeLifetime), func(s *Settings) { s.CodeLifetime = 0 }),
	whole("session_lifetime", seconds(1, maxSessionLifetime, setSessionLifetime), func(s *Settings) { s.SessionLifetime = 0 }),
	flag("registration", registration),
	flag("capture_api", func(s *Settings) *bool { return &s.CaptureAPI }),
	flag("legacy_paths", legacyPaths),
	flag("legacy_token_query", legacyTokenQuery),
	flag("claims_in_id_token", claimsInIDToken),
	word("vendor_name", func(s *Settings) { s.VendorName = "" }),
}

// word is a setting that Settings.Set takes as text.
func word(name string, reset func(*Settings)) member {
	return member{name, func(a *Application, raw json.RawMessage) string {
		text, ok := parseText(raw)
		if !ok {
			return "Write a string."
		}
		if err := a.Settings.Set(name, text); err != nil {
			return refusal(err)
		}
		return ""
	}, func(a *Application) { reset(&a.Settings) }}
}

// whole is a setting that is a JSON number.
func whole(name string, set func(*Settings, string) string, reset func(*Settings)) member {
	return member{
		name,
		func(a *Application, raw json.RawMessage) string { return set(&a.Settings, string(raw)) },
		func(a *Application) { reset(&a.Settings) },
	}
}

// flag is a setting that is true or false.
func flag(name string, of func(*Settings) *bool) member {
	return member{
		name,
		func(a *Application, raw json.RawMessage) string { return truth(of)(&a.Settings, string(raw)) },
		func(a *Application) { *of(&a.Settings) = false },
	}
}

// readOnly are the members that are answered, and ignored where they are sent
// back.
var readOnly = []string{"id", "issuer"}

// Patch applies a JSON Merge Patch (RFC 7396) of the document; null goes back to
// the default. All refusals are given at once, and then nothing was changed.
func (a *Application) Patch(patch map[string]json.RawMessage) error {
	after := *a
	var problems fault.Problems
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		raw := patch[name]
		switch name {
		case "name":
			cleaned, err := CleanName(raw)
			if err != nil {
				problems = append(problems, err)
			}
			after.Name = cleaned
		case "branding":
			problems = append(problems, after.Settings.Branding.patch(raw)...)
		default:
			if text := after.patchMember(name, raw); text != "" {
				problems.Add(name, "%s", text)
			}
		}
	}
	if err := problems.OrNil(); err != nil {
		return err
	}
	*a = after
	return nil
}

func (a *Application) patchMember(name string, raw json.RawMessage) string {
	if name == "id" && jsonText(raw) != a.ID {
		return "The id is fixed when the application is made; leave it out."
	}
	if slices.Contains(readOnly, name) {
		return ""
	}
	i := slices.IndexFunc(members, func(m member) bool { return m.name == name })
	switch {
	case i < 0:
		return "There is no such field."
	case string(raw) == "null":
		members[i].reset(a)
		return ""
	default:
		return members[i].set(a, raw)
	}
}

// jsonText gives a string of JSON, "" where it is none.
func jsonText(raw json.RawMessage) string {
	text, _ := parseText(raw)
	return text
}

// CleanName reads the name of an application from its JSON; nothing is no name.
func CleanName(raw json.RawMessage) (string, *fault.Error) {
	text, ok := parseText(raw)
	text = strings.TrimSpace(text)
	if !ok || !plain(text, maxName) {
		return "", fault.Invalidf("name", "Write 1 to %d characters, none of them control characters.", maxName)
	}
	return text, nil
}

// colour is a colour as style sheets write it.
var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func (b *Branding) patch(raw json.RawMessage) (problems fault.Problems) {
	if string(raw) == "null" {
		*b = Branding{}
		return nil
	}
	var patch map[string]json.RawMessage
	if json.Unmarshal(raw, &patch) != nil || patch == nil {
		return fault.Problems{fault.Invalidf("branding", "Write an object of name, logo and colour.")}
	}
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		field := "branding." + name
		text, ok := "", true
		if string(patch[name]) != "null" {
			text, ok = parseText(patch[name])
			text = strings.TrimSpace(text)
			ok = ok && text != ""
		}
		switch {
		case name == "name" && ok && (text == "" || plain(text, maxVendorName)):
			b.Name = text
		case name == "logo" && ok && (text == "" || validLogo(text)):
			b.Logo = text
		case name == "colour" && ok && (text == "" || colour.MatchString(text)):
			b.Colour = strings.ToLower(text)
		case name == "name":
			problems.Add(field, "Write 1 to %d characters, none of them control characters.", maxVendorName)
		case name == "logo":
			problems.Add(field, "Write an https URL of up to %d characters.", maxLogo)
		case name == "colour":
			problems.Add(field, "Write a colour as #rrggbb.")
		default:
			problems.Add("branding", "It has name, logo and colour, and no other field.")
		}
	}
	return problems
}

func validLogo(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxLogo && u.Scheme == "https" && u.Host != "" && u.User == nil
}

func plain(text string, most int) bool {
	return text != "" && utf8.RuneCountInString(text) <= most && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

func parseText(raw json.RawMessage) (string, bool) {
	var text string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", false
	}
	return text, true
}
