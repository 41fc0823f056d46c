package transfer

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/client"
)

// keycloakClient is a ClientRepresentation of Keycloak, as it stands in the
// clients of an exported realm.
type keycloakClient struct {
	ClientID            string             `json:"clientId"`
	Name                string             `json:"name"`
	Description         string             `json:"description"`
	RootURL             string             `json:"rootUrl"`
	Enabled             *bool              `json:"enabled"`
	Authenticator       string             `json:"clientAuthenticatorType"`
	Secret              string             `json:"secret"`
	RedirectURIs        []string           `json:"redirectUris"`
	WebOrigins          []string           `json:"webOrigins"`
	BearerOnly          bool               `json:"bearerOnly"`
	StandardFlow        *bool              `json:"standardFlowEnabled"`
	ImplicitFlow        bool               `json:"implicitFlowEnabled"`
	DirectAccess        bool               `json:"directAccessGrantsEnabled"`
	ServiceAccounts     bool               `json:"serviceAccountsEnabled"`
	PublicClient        bool               `json:"publicClient"`
	Protocol            string             `json:"protocol"`
	Attributes          keycloakAttributes `json:"attributes"`
	DefaultClientScopes []string           `json:"defaultClientScopes"`
	OptionalScopes      []string           `json:"optionalClientScopes"`
}

// keycloakAttributes are texts; some versions write numbers and booleans too.
type keycloakAttributes map[string]string

// UnmarshalJSON takes any scalar for its text, and leaves out what is none.
func (a *keycloakAttributes) UnmarshalJSON(b []byte) error {
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*a = make(keycloakAttributes, len(raw))
	for name, value := range raw {
		switch v := value.(type) {
		case string:
			(*a)[name] = v
		case bool:
			(*a)[name] = strconv.FormatBool(v)
		case float64:
			(*a)[name] = strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return nil
}

// keycloakOwn are the clients that every realm has for the product itself.
var keycloakOwn = []string{"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"}

// keycloakInternal are client scopes that only say what stands in a token.
var keycloakInternal = []string{"acr", "basic", "microprofile-jwt", "role_list", "roles", "saml_organization", "organization", "service_account", "web-origins"}

var keycloakUnmatched = []struct{ name, nothing, text string }{
	{"protocolMappers", "[]", "Mappers are not kept: what stands in a token is the same for all clients."},
	{"authorizationSettings", "{}", "Authorization services are not here; guard the API by scopes."},
	{"consentRequired", "false", "Whether users are asked is not a setting of the client."},
	{"frontchannelLogout", "false", "There is no front-channel logout."},
	{"authenticationFlowBindingOverrides", "{}", "There are no flows of the client's own."},
	{"adminUrl", `""`, "There is no admin URL; the back-channel logout URI is kept."},
	{"registeredNodes", "{}", "Nodes are not kept."},
	{"defaultRoles", "[]", "Roles of clients are not kept."},
	{"notBefore", "0", "Tokens of that product are no good here."},
}

func fromKeycloak(raw json.RawMessage, e *Entry) {
	var c keycloakClient
	if !e.read(raw, &c) {
		return
	}
	r := &e.Record
	e.Name, r.ID = c.ClientID, given(c.ClientID)
	switch {
	case c.ClientID == "":
		e.refuse("clientId", "There is none, so this is no client: give the export of one realm, or an array of clients.")
	case slices.Contains(keycloakOwn, c.ClientID) || strings.HasSuffix(c.ClientID, "-realm") && c.BearerOnly:
		e.refuse("clientId", "This is a client of Keycloak itself; it is of no use here.")
	case c.Protocol != "" && c.Protocol != "openid-connect":
		e.refuse("protocol", "Only clients of openid-connect have a counterpart.")
	case c.BearerOnly:
		e.refuse("bearerOnly", "This client gets no tokens, it takes them: make a resource of it.")
	case !c.PublicClient && c.Authenticator != "" && c.Authenticator != "client-secret":
		e.refuse("clientAuthenticatorType", "This method is not here yet: give the client a secret.")
	}
	if len(e.Refused) > 0 {
		return
	}
	name := c.Name
	if name == "" || strings.HasPrefix(name, "${") { // a key of a translation
		name = c.ClientID
	}
	r.Name, r.Description, r.Active = &name, given(c.Description), c.Enabled
	grants := c.grants()
	redirects := e.keycloakRedirects(&c, grants)
	e.settle(c.PublicClient, grants, redirects)
	e.keycloakOrigins(&c)
	e.keycloakSecret(&c, grants)
	e.keycloakScopes(&c)
	e.keycloakAttributes(&c)
	e.noteUnmatched(raw, keycloakUnmatched)
}

func (c *keycloakClient) grants() []string {
	grants := []string{}
	add := func(wanted bool, grant string) {
		if wanted {
			grants = append(grants, grant)
		}
	}
	standard := c.StandardFlow == nil || *c.StandardFlow
	add(standard, code)
	add((standard || c.DirectAccess) && c.Attributes["use.refresh.tokens"] != "false", refreshing)
	add(c.ServiceAccounts && !c.PublicClient, credentials)
	add(c.DirectAccess && !c.PublicClient, password)
	add(c.ImplicitFlow && c.PublicClient, implicit)
	return grants
}

// keycloakRedirects gives the redirect URIs, those that begin with / below the
// root URL. A star stands there for anything: here it is refused.
func (e *Entry) keycloakRedirects(c *keycloakClient, grants []string) []string {
	if !slices.Contains(grants, code) && !slices.Contains(grants, implicit) {
		return nil
	}
	redirects := make([]string, len(c.RedirectURIs))
	for i, uri := range c.RedirectURIs {
		if strings.Contains(uri, "*") {
			e.refuse("redirectUris["+strconv.Itoa(i)+"]", "A redirect URI is compared exactly, so * stands for nothing: write out each one that is used.")
		}
		if strings.HasPrefix(uri, "/") {
			uri = strings.TrimSuffix(c.RootURL, "/") + uri
		}
		redirects[i] = uri
	}
	return redirects
}

// keycloakOrigins keeps the origins; + there means those of the redirect URIs,
// which are allowed here by themselves.
func (e *Entry) keycloakOrigins(c *keycloakClient) {
	var origins []string
	for _, origin := range c.WebOrigins {
		switch {
		case origin == "+":
		case strings.Contains(origin, "*"):
			e.note("webOrigins", "No origin stands for all; the origins of the redirect URIs are allowed, others must be written out.")
		default:
			origins = append(origins, strings.ToLower(strings.TrimSuffix(origin, "/")))
		}
	}
	e.Record.AllowedOrigins = listed(origins)
}

func (e *Entry) keycloakSecret(c *keycloakClient, grants []string) {
	r := &e.Record
	if c.PublicClient {
		if c.ServiceAccounts || c.DirectAccess {
			e.note("publicClient", "Client credentials and passwords are for confidential clients only; these grants are left out.")
		}
		return
	}
	if c.ImplicitFlow {
		e.note("implicitFlowEnabled", "The implicit grant is for public clients only; it is left out.")
	}
	if slices.Contains(grants, code) {
		r.RequirePKCE = new(c.Attributes["pkce.code.challenge.method"] != "")
	}
	if c.Secret == "" || strings.Trim(c.Secret, "*") == "" { // an export by the console hides it
		e.note("secret", "There is none in the file; the client has none until one is added. An export by kc.sh has it.")
		return
	}
	r.Secret = &c.Secret
}

// keycloakScopes keeps client scopes. A token there has all the default ones
// whatever was asked for: where there are no optional ones, that goes on.
func (e *Entry) keycloakScopes(c *keycloakClient) {
	external := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(keycloakInternal, n) })
	}
	always, optional := external(c.DefaultClientScopes), external(c.OptionalScopes)
	always, optional = e.withoutUser(always), e.withoutUser(optional)
	if *e.Record.Kind != client.Service && len(always)+len(optional) > 0 && !slices.Contains(always, "openid") {
		always = append([]string{"openid"}, always...)
	}
	e.Record.Scopes = listed(append(always, optional...))
	switch {
	case e.Record.Scopes == nil:
	case len(optional) == 0:
		e.Record.RequireRequestedScopes = new(false)
	default:
		e.note("defaultClientScopes", "The client must name its scopes from now on: without a name it would get the optional ones too.")
	}
}

func (e *Entry) keycloakAttributes(c *keycloakClient) {
	r := &e.Record
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		value := c.Attributes[name]
		switch {
		case value == "" || value == "false":
		case name == "access.token.lifespan":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
				r.AccessTokenLifetime = &client.Lifetime{Seconds: n}
			}
		case name == "backchannel.logout.url":
			r.BackchannelLogoutURI = new(value)
			r.BackchannelLogoutSessionRequired = new(c.Attributes["backchannel.logout.session.required"] == "true")
		case name == "post.logout.redirect.uris":
			r.PostLogoutRedirectURIs = e.keycloakLogout(value)
		case name == "pkce.code.challenge.method" && value != "S256":
			e.note("attributes."+name, "The one method here is S256.")
		case slices.Contains(keycloakActing, name):
			e.note("attributes."+name, "This has no counterpart here.")
		}
	}
}

// keycloakActing are the attributes that make a client behave otherwise than it
// will here.
var keycloakActing = []string{
	"oauth2.device.authorization.grant.enabled", "oidc.ciba.grant.enabled", "client_credentials.use_refresh_token",
	"client.session.idle.timeout", "client.session.max.lifespan", "client.offline.session.idle.timeout", "client.offline.session.max.lifespan",
	"tls.client.certificate.bound.access.tokens", "dpop.bound.access.tokens", "require.pushed.authorization.requests", "use.jwks.url",
	"standard.token.exchange.enabled",
}

// keycloakLogout reads URIs with ## between them; + there means the redirect
// URIs, - none.
func (e *Entry) keycloakLogout(text string) *[]string {
	var uris []string
	for uri := range strings.SplitSeq(text, "##") {
		switch {
		case uri == "" || uri == "-":
		case uri == "+":
			if e.Record.RedirectURIs != nil {
				uris = append(uris, *e.Record.RedirectURIs...)
			}
		case strings.Contains(uri, "*") || !absolute(uri):
			e.note("attributes.post.logout.redirect.uris", "A URI with * or without a host is left out; write out each one that is used.")
		default:
			uris = append(uris, uri)
		}
	}
	return listed(uris)
}

func absolute(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.IsAbs()
}
