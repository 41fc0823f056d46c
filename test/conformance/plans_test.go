// Package conformance_test does what the OpenID Foundation's conformance suite
// does with an OpenID Provider, under that suite's names of plans and modules: a
// relying party and its user's browser, against a whole server. What each module
// checks, and which ones there is nothing to check by, is in docs/standards.md.
// It owns no other test of the protocol.
package conformance_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// plan is a test plan; docs/standards.md calls it by its short name.
type plan struct {
	name, short string
	runs        []run
}

// run is a plan in one of its variants.
type run struct {
	variant
	modules []module
}

// variant is how a client asks: its response type, and response mode where it is
// not the default one.
type variant struct{ response, mode string }

// module is a test module.
type module struct {
	name string
	test func(*party)
}

const tokens = "id_token token"

var plans = []plan{
	{"oidcc-basic-certification-test-plan", "basic", codes("")},
	{"oidcc-implicit-certification-test-plan", "implicit", implicit("")},
	{"oidcc-formpost-basic-certification-test-plan", "form post basic", codes("form_post")},
	{"oidcc-formpost-implicit-certification-test-plan", "form post implicit", implicit("form_post")},
	{"oidcc-config-certification-test-plan", "config", []run{{variant{"code", ""}, []module{{"oidcc-discovery-endpoint-verification", (*party).discovery}}}}},
	{"oidcc-dynamic-certification-test-plan", "dynamic", []run{{variant{"code", ""}, registered}}},
	{"oidcc-rp-initiated-logout-certification-test-plan", "logout", either(initiated)},
	{"oidcc-backchannel-rp-initiated-logout-certification-test-plan", "back-channel logout", either(backchannel)},
}

func codes(mode string) []run {
	return []run{{variant{"code", mode}, slices.Concat(always, withAccess, withCode)}}
}

func implicit(mode string) []run {
	return []run{
		{variant{"id_token", mode}, slices.Concat(always, withoutCode)},
		{variant{tokens, mode}, slices.Concat(always, withAccess, withoutCode)},
	}
}

// either runs modules for which the response type is of no account.
func either(modules []module) []run {
	return []run{{variant{"code", ""}, modules}, {variant{"id_token", ""}, modules}}
}

// always are the modules of every response type.
var always = []module{
	{"oidcc-server", (*party).serves},
	{"oidcc-idtoken-signature", (*party).signature},
	{"oidcc-scope-profile", scope("profile")},
	{"oidcc-scope-email", scope("email")},
	{"oidcc-scope-address", scope("address")},
	{"oidcc-scope-phone", scope("phone")},
	{"oidcc-scope-all", scope("profile", "email", "address", "phone")},
	{"oidcc-ensure-other-scope-order-succeeds", (*party).otherScopeOrder},
	{"oidcc-alternate-happy-flow", (*party).otherOrder},
	{"oidcc-display-page", with("display=page")},
	{"oidcc-display-popup", with("display=popup")},
	{"oidcc-prompt-login", (*party).promptLogin},
	{"oidcc-prompt-none-not-logged-in", (*party).promptNoneNotLoggedIn},
	{"oidcc-prompt-none-logged-in", (*party).promptNoneLoggedIn},
	{"oidcc-max-age-1", (*party).maxAge1},
	{"oidcc-max-age-10000", (*party).maxAge10000},
	{"oidcc-ensure-request-with-unknown-parameter-succeeds", with("extra=foobar")},
	{"oidcc-id-token-hint", (*party).idTokenHint},
	{"oidcc-login-hint", with("login_hint=buffy@example.com")},
	{"oidcc-ui-locales", (*party).uiLocales},
	{"oidcc-claims-locales", with("claims_locales=se")},
	{"oidcc-ensure-request-with-acr-values-succeeds", (*party).acrValues},
	{"oidcc-ensure-registered-redirect-uri", (*party).registeredRedirectURI},
	{"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", (*party).requestURI},
	{"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", (*party).requestObject},
	{"oidcc-ensure-request-object-with-redirect-uri", (*party).requestObjectWithRedirectURI},
	{"oidcc-claims-essential", (*party).claimsEssential},
}

// withAccess are those of the response types that give an access token.
var withAccess = []module{
	{"oidcc-response-type-missing", (*party).responseTypeMissing},
	{"oidcc-userinfo-get", (*party).userinfoGet},
	{"oidcc-userinfo-post-header", (*party).userinfoPostHeader},
	{"oidcc-userinfo-post-body", (*party).userinfoPostBody},
}

// withCode are those of the code flow.
var withCode = []module{
	{"oidcc-idtoken-unsigned", (*party).unsigned},
	{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", (*party).withoutNonceSucceeds},
	{"oidcc-codereuse", (*party).codeReuse},
	{"oidcc-codereuse-30seconds", (*party).codeReuse30},
	{"oidcc-ensure-post-request-succeeds", (*party).postRequest},
	{"oidcc-server-client-secret-post", (*party).clientSecretPost},
	{"oidcc-refresh-token", (*party).refreshToken},
	{"oidcc-ensure-request-with-valid-pkce-succeeds", (*party).pkce},
}

// withoutCode are those of the implicit flow.
var withoutCode = []module{{"oidcc-ensure-request-without-nonce-fails", (*party).withoutNonceFails}}

// registered are those of the plan for dynamic registration that ask nothing of
// it but a client, which the operator registers here.
var registered = []module{
	{"oidcc-idtoken-rs256", (*party).signature},
	{"oidcc-ensure-redirect-uri-in-authorization-request", (*party).withoutRedirectURI},
	{"oidcc-redirect-uri-query-OK", (*party).redirectURIQuery},
	{"oidcc-redirect-uri-query-added", (*party).redirectURIQueryAdded},
	{"oidcc-redirect-uri-query-mismatch", (*party).redirectURIQueryMismatch},
	{"oidcc-redirect-uri-regfrag", (*party).redirectURIFragment},
	{"oidcc-server-rotate-keys", (*party).rotateKeys},
}

// initiated are those of RP-Initiated Logout 1.0.
var initiated = []module{
	{"oidcc-rp-initiated-logout-discovery-endpoint-verification", (*party).logoutDiscovery},
	{"oidcc-rp-initiated-logout", (*party).logout},
	{"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", (*party).logoutBadURI},
	{"oidcc-rp-initiated-logout-modified-id-token-hint", (*party).logoutModifiedHint},
	{"oidcc-rp-initiated-logout-no-id-token-hint", (*party).logoutWithoutHint},
	{"oidcc-rp-initiated-logout-no-params", (*party).logoutWithoutParameters},
	{"oidcc-rp-initiated-logout-no-post-logout-redirect-uri", (*party).logoutWithoutURI},
	{"oidcc-rp-initiated-logout-no-state", (*party).logoutWithoutState},
	{"oidcc-rp-initiated-logout-only-state", (*party).logoutWithStateAlone},
	{"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", (*party).logoutQueryAdded},
	{"oidcc-rp-initiated-logout-bad-id-token-hint", (*party).logoutBadHint},
}

// backchannel are those of Back-Channel Logout 1.0.
var backchannel = []module{
	{"oidcc-backchannel-logout-discovery-endpoint-verification", (*party).backchannelDiscovery},
	{"oidcc-backchannel-rp-initiated-logout", (*party).backchannelLogout},
}

func TestPlans(t *testing.T) {
	s := open(t)
	for _, p := range plans {
		t.Run(p.name, func(t *testing.T) {
			for _, r := range p.runs {
				t.Run(r.response, func(t *testing.T) {
					for _, m := range r.modules {
						t.Run(m.name, func(t *testing.T) { m.test(s.party(t, r.variant)) })
					}
				})
			}
		})
	}
}

// row is one of the tables in docs/standards.md: a name of the suite's, and where
// it runs, or why it does not.
var row = regexp.MustCompile("(?m)^\\| `(oidcc-[A-Za-z0-9_-]+)` \\| .* \\| (.*) \\|$")

// TestStandardsListTheModules holds the tables and the plans together.
func TestStandardsListTheModules(t *testing.T) {
	document, err := os.ReadFile("../../docs/standards.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, m := range row.FindAllSubmatch(document, -1) {
		name := string(m[1])
		if listed[name] != "" {
			t.Errorf("standards.md lists %s twice", name)
		}
		listed[name] = string(m[2])
	}
	in := map[string][]string{}
	for _, p := range plans {
		for _, r := range p.runs {
			for _, m := range r.modules {
				if !slices.Contains(in[m.name], p.short) {
					in[m.name] = append(in[m.name], p.short)
				}
			}
		}
	}
	for name, shorts := range in {
		if want := strings.Join(shorts, ", "); listed[name] != want {
			t.Errorf("standards.md says of %s %q, want %q", name, listed[name], want)
		}
	}
	for name, reason := range listed {
		if in[name] == nil && !strings.HasPrefix(reason, "not here: ") {
			t.Errorf("standards.md says of %s %q; there is no such test, and no reason", name, reason)
		}
	}
}
