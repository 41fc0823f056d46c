package console

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/granttype"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// Headings of the form.
const (
	sectionAbout    = "About it"
	sectionGrants   = "How it gets tokens"
	sectionReturns  = "Where users come back to"
	sectionScopes   = "What it may ask for"
	sectionAccess   = "Access tokens"
	sectionRefresh  = "Refresh tokens"
	sectionLimits   = "From where, and how much"
	sectionNotes    = "Notes"
	sectionExisting = "From another system"
)

// issueSecret is the label of a box that other pages speak of.
const issueSecret = "Give it a secret all the same"

// Which forms have a field.
func isNew(f *clientForm) bool         { return f.client == nil }
func hasUsers(f *clientForm) bool      { return f.kind != client.Service }
func mayBeSecret(f *clientForm) bool   { return !f.public() }
func userAndSecret(f *clientForm) bool { return hasUsers(f) && mayBeSecret(f) }
func inBrowsers(f *clientForm) bool {
	return f.kind == client.Web || f.kind == client.SPA || f.kind == client.Other
}

// clientParts are the fields that people write, in the order of the form.
var clientParts = []part{
	{
		name: "name", section: sectionAbout, label: "Name", shown: isNew,
		help:  "What people call it. With the version it is unique in the application; it is fixed once the client is made.",
		shape: aText(func(_ *clientForm, in *field) { in.Required = true }),
	},
	{name: "version", section: sectionAbout, label: "Version", help: "Up to 40 characters, such as 2.1; none is fine.", shape: aText(nil)},
	{
		name: "description", section: sectionAbout, label: "Description", help: "What it is for, for whoever comes upon it next year.",
		shape: aText(func(_ *clientForm, in *field) { in.Kind, in.Rows = "area", 2 }),
	},
	{name: "active", section: sectionAbout, label: "Active", shown: isNew, help: "Off: it is there, and is refused everywhere until it is activated.", shape: aBox()},

	{
		name: "type", section: sectionGrants, label: "Type", shown: func(f *clientForm) bool { return isNew(f) && f.kind == client.Other },
		help: "Whether it can keep a secret. It is fixed once the client is made.",
		shape: aChoice("radios", option{Value: client.Confidential, Label: "Confidential", Help: "It runs where nobody else looks: a server."},
			option{Value: client.PublicType, Label: "Public", Help: "It runs on devices of others, and has no secret."}),
	},
	{name: "grant_types", section: sectionGrants, label: "Allowed grants", help: "The ways in which it may get tokens.", shape: grantBoxes()},
	{
		name: "token_endpoint_auth_method", section: sectionGrants, label: "Client authentication", shown: mayBeSecret,
		help: "How it sends its secret to the token endpoint. Either way is taken, whichever is set.",
		shape: aChoice("select", option{Value: client.AuthBasic, Label: "HTTP Basic (client_secret_basic)"},
			option{Value: client.AuthPost, Label: "In the form (client_secret_post)"}),
	},
	{
		name: "require_pkce", section: sectionGrants, label: "Require PKCE", shown: userAndSecret,
		help: "A code is redeemed only by whoever asked for it. Turn it off for old clients that cannot do it; public clients always must.", shape: aBox(),
	},
	{
		name: "issue_secret", section: sectionGrants, label: issueSecret, shown: func(f *clientForm) bool { return f.kind == client.Native },
		help: "For programs that insist on one. It is checked when it is sent, and proves nothing: whoever has the app has it.", shape: aBox(),
	},
	{
		name: "features", section: sectionGrants, label: "Features", shown: hasFeatures,
		help: "Permissions in the Configuration API and over user records.", shape: boxesOf(featureOptions),
	},

	{
		name: "redirect_uris", section: sectionReturns, label: "Redirect URIs", shown: hasUsers,
		help:  "One a line (callback URLs). Compared exactly. https, save for loopback addresses; native apps may have a scheme of their own. Needed before the first sign-in.",
		shape: someURIs("https://app.example.com/callback"),
	},
	{
		name: "post_logout_redirect_uris", section: sectionReturns, label: "Post-logout redirect URIs", shown: hasUsers,
		help: "One a line: where users go after signing out.", shape: someURIs(""),
	},
	{
		name: "allowed_origins", section: sectionReturns, label: "Allowed origins", shown: inBrowsers,
		help: "One a line, such as https://app.example.com: origins whose pages may call the token endpoint (CORS), beyond those of the redirect URIs.", shape: someURIs(""),
	},
	{
		name: "backchannel_logout_uri", section: sectionReturns, label: "Back-channel logout URI", shown: hasUsers,
		help:  "Where the server posts a logout token when a session of a user ends.",
		shape: aText(func(_ *clientForm, in *field) { in.Mono = true }),
	},
	{
		name: "backchannel_logout_session_required", section: sectionReturns, label: "Logout tokens name the session", shown: hasUsers,
		help: "For clients that keep several sessions of one user apart (sid).", shape: aBox(),
	},

	{name: "scopes", section: sectionScopes, label: "Allowed scopes", help: "What it may be given: scopes that suit this kind of client.", shape: scopeBoxes()},
	{
		name: "require_requested_scopes", section: sectionScopes, label: "It must name the scopes that it asks for",
		shown: func(f *clientForm) bool { return f.app.Settings.ScopePolicy == application.Optional },
		help:  "Off: a request that names none gets all the allowed ones.", shape: aBox(),
	},

	{
		name: "access_token_lifetime", section: sectionAccess, label: "Access token lifetime",
		help:  "How long an access token is good (expiration interval).",
		shape: aNumberOr("never", "Never expires", "Expires", "It expires after", "seconds", ""),
	},
	{
		name: "access_token_format", section: sectionAccess, label: "Access token format",
		help: "Whoever verifies a JWT offline sees its death only at exp: revoking or deactivating stops it at once here and at introspection, not there.",
		shape: aChoice("select", option{Label: "By lifetime: JWT, opaque where it never expires"},
			option{Value: "jwt", Label: "JWT (RFC 9068)"}, option{Value: "opaque", Label: "Opaque"}),
	},

	{
		name: "refresh_token_lifetime", section: sectionRefresh, label: "Refresh token lifetime", shown: hasUsers,
		help: "From the issue of each. At most 36,500 days; left empty it is 30 days. It is kept in seconds, and shown so where it is no whole number of days.", shape: aDuration(),
	},
	{
		name: "refresh_family_lifetime", section: sectionRefresh, label: "Lifetime of a sign-in", shown: hasUsers,
		help: "After this, nothing is refreshed any more and the user signs in again, however often it was refreshed.", shape: aNumberOr("unlimited", "Unlimited", "Limited", "It ends after", "seconds", ""),
	},
	{
		name: "refresh_limit", section: sectionRefresh, label: "Refresh count", shown: hasUsers,
		help:  "How often a sign-in may be refreshed. Limited and left empty means 0: no refresh token is issued.",
		shape: aNumberOr("unlimited", "Unlimited", "Limited", "It is limited to", "times", int64(0)),
	},
	{
		name: "refresh_rotation", section: sectionRefresh, label: "Each refresh gives a new refresh token", shown: userAndSecret,
		help: "Off: the same one stays good, for clients that keep one string; a stolen one is then not noticed.", shape: aBox(),
	},

	{
		name: "allowed_ips", section: sectionLimits, label: "Allowed addresses",
		help: "IP whitelist: addresses and prefixes in CIDR notation, one a line or with commas, IPv4 and IPv6. None: from everywhere.",
		shape: aList(",", func(f *clientForm, in *field) {
			in.Mono, in.Add, in.Placeholder = true, "Add my address, "+f.address, "203.0.113.0/24"
		}),
	},
	{
		name: "rate_limit", section: sectionLimits, label: "Rate limit",
		shape: someNumbers(field{Name: "per_second", Label: "Requests a second", Help: "Over time; none: no such limit."},
			field{Name: "burst", Label: "Requests at once", Help: "With requests a second; none: as many."},
			field{Name: "per_day", Label: "Requests a day", Help: "From midnight UTC; none: no such limit."}),
	},

	{name: "tags", section: sectionNotes, label: "Tags", help: "One a line; words of your own, to find it by.", shape: aList("", nil)},
	{name: "contacts", section: sectionNotes, label: "Contacts", help: "One a line: mail addresses of who answers for it.", shape: aList("", nil)},

	{
		name: "id", section: sectionExisting, label: "Client id", shown: isNew,
		help:  "Its consumer key, if it had one elsewhere: 1 to 128 of A-Z a-z 0-9 . _ ~ -. Left empty, one is made.",
		shape: aText(func(_ *clientForm, in *field) { in.Mono = true }),
	},
	{
		name: "secret", section: sectionExisting, label: "Client secret", shown: givesSecret,
		help:  "Its consumer secret, if it had one elsewhere: 24 to 256 characters. Left empty, one is made.",
		shape: aText(func(_ *clientForm, in *field) { in.Mono = true }),
	},
}

// givesSecret reports whether a secret may be given with the form.
func givesSecret(f *clientForm) bool {
	return isNew(f) && f.role.May(admin.GiveSecrets) && f.kind != client.SPA
}

// nextURI matches the comma before another URI; others are part of one.
var nextURI = regexp.MustCompile(`,\s*([A-Za-z][A-Za-z0-9+.-]*:/)`)

// someURIs is URIs, one a line; a comma is taken between two of them, too.
func someURIs(example string) shape {
	s := aList("", func(_ *clientForm, in *field) { in.Mono, in.Placeholder = true, example })
	s.read = func(form url.Values, name string) any {
		return entriesOf(nextURI.ReplaceAllString(form.Get(name), "\n$1"))
	}
	return s
}

// holds reports whether the client has a value in a list.
func (f *clientForm) holds(name, value string) bool {
	return slices.Contains(texts(decoded(f.stored[name])), value)
}

// grantLabels name the grants, and say what they are for.
var grantLabels = map[oauth.GrantType]option{
	oauth.AuthorizationCode: {Label: "Authorization code", Help: "Users sign in, in their browser, and agree."},
	oauth.RefreshToken:      {Label: "Refresh token", Help: "It goes on without the user being there."},
	oauth.ClientCredentials: {Label: "Client credentials", Help: "It acts for itself, without a user."},
	oauth.Password:          {Label: "Password", Help: "It takes users' passwords itself."},
	oauth.Implicit:          {Label: "Implicit", Help: "Tokens come in the address of the page."},
}

// byFeatures is the choice of grants that follow from features.
const byFeatures = "features"

// grantBoxes are the grants of the kind; of kind other they may follow from the
// features instead.
func grantBoxes() shape {
	boxes := boxesOf(grantOptions)
	from := func(name string) string { return name + ".from" }
	return shape{
		inputs: func(f *clientForm, p *part) []*field {
			list := boxes.inputs(f, p)
			if f.kind != client.Other {
				return list
			}
			list[0].Label, list[0].Help = "Chosen grants", ""
			choice := &field{Name: from(p.name), Label: p.label, Kind: "radios", Help: p.help, Value: f.values.Get(from(p.name)), Options: []option{
				{Value: byFeatures, Label: "As its features need", Help: "login_client: authorization code and refresh token; any other: client credentials; none: no grant."},
				{Value: "chosen", Label: "Those chosen here"},
			}}
			return append([]*field{choice}, list...)
		},
		fill: func(form url.Values, name string, value any) {
			if boxes.fill(form, name, value); value == nil {
				form.Set(from(name), byFeatures)
			} else {
				form.Set(from(name), "chosen")
			}
		},
		read: func(form url.Values, name string) any {
			if form.Get(from(name)) == byFeatures {
				return nil
			}
			return boxes.read(form, name)
		},
		words: func(value any) string {
			if value == nil {
				return "as its features need"
			}
			return inLines(texts(value))
		},
	}
}

// grantOptions are the grants of the kind; one that the security profile does
// not admit is named with what does.
func grantOptions(f *clientForm) []option {
	var options []option
	admitted := granttype.Offered(string(f.kind), f.app.Settings.Profile() == application.OAuth2)
	for _, grant := range granttype.Offered(string(f.kind), true) {
		if f.client != nil && !granttype.ForType(grant, f.client.Public) {
			continue
		}
		o := grantLabels[grant]
		o.Value = string(grant)
		switch {
		case granttype.Always(string(f.kind)) == grant:
			o.Disabled, o.Help = true, o.Help+" A client of this kind always has it."
		case !slices.Contains(admitted, grant):
			o.Disabled = !f.holds("grant_types", o.Value)
			o.Help += " Needs the security profile oauth2, in the application's settings (security_profile)."
		case f.client == nil && !granttype.ForType(grant, true):
			o.Help += " Confidential clients only."
		case f.client == nil && !granttype.ForType(grant, false):
			o.Help += " Public clients only."
		}
		options = append(options, o)
	}
	return options
}

// hasFeatures reports whether features are to be seen: what only the role owner
// grants, and what is there.
func hasFeatures(f *clientForm) bool {
	there := f.client != nil && len(f.client.Settings.Features) > 0
	return there || f.kind == client.Other && f.role.May(admin.EditGuardedClients)
}

func featureOptions(f *clientForm) []option {
	helps := map[client.Feature]string{
		client.Owner:            "Everything, of the application itself too.",
		client.AccessIssuer:     "Gets tokens for users.",
		client.DirectAccess:     "Reads and writes user records.",
		client.DirectReadAccess: "Reads user records.",
		client.LoginClient:      "Signs users in; stands alone.",
		client.Metadata:         "Granted on the command line only; here it can be taken away.",
	}
	var options []option
	for _, name := range client.AllFeatures() {
		if name != client.Metadata || f.holds("features", string(name)) {
			options = append(options, option{Value: string(name), Label: string(name), Help: helps[name]})
		}
	}
	return options
}

// scopeBoxes are the scopes that suit the kind.
func scopeBoxes() shape {
	boxes := boxesOf(nil)
	boxes.inputs = of(func(f *clientForm, in *field) { in.chooseScopes(scopesOffered(f), f.values[in.Name]) })
	return boxes
}

// scopesOffered are those of the form's scopes that the client may be allowed, or is.
func scopesOffered(f *clientForm) []*scope.Scope {
	return slices.DeleteFunc(slices.Clone(f.scopes), func(s *scope.Scope) bool {
		guarded := strings.HasPrefix(s.Name, scope.Prefix) && !f.role.May(admin.EditGuardedClients)
		return !f.holds("scopes", s.Name) && (guarded || !suits(f.kind, s.Kind))
	})
}

// suits reports whether clients of a kind may be allowed a scope of a kind.
func suits(k client.Kind, s scope.Kind) bool {
	return slices.ContainsFunc(granttype.Offered(string(k), true), s.Suits)
}
