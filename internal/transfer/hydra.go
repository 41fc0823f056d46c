package transfer

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/key"
)

// hydraClient is a client as the Admin API of Ory Hydra and `hydra list clients
// --format json` write it, or as a row of its table hydra_client is in JSON:
// there id stands for client_id, and client_secret is a hash.
type hydraClient struct {
	ClientID                string    `json:"client_id"`
	RowID                   string    `json:"id"`
	Name                    string    `json:"client_name"`
	Secret                  string    `json:"client_secret"`
	GrantTypes              hydraList `json:"grant_types"`
	ResponseTypes           hydraList `json:"response_types"`
	RedirectURIs            hydraList `json:"redirect_uris"`
	PostLogoutRedirectURIs  hydraList `json:"post_logout_redirect_uris"`
	AllowedCORSOrigins      hydraList `json:"allowed_cors_origins"`
	Scope                   string    `json:"scope"`
	Audience                hydraList `json:"audience"`
	Contacts                hydraList `json:"contacts"`
	TokenEndpointAuthMethod string    `json:"token_endpoint_auth_method"`
	AccessTokenStrategy     string    `json:"access_token_strategy"`
	BackchannelURI          string    `json:"backchannel_logout_uri"`
	BackchannelSession      bool      `json:"backchannel_logout_session_required"`
	CreatedAt               string    `json:"created_at"`
	CodeAccess              any       `json:"authorization_code_grant_access_token_lifespan"`
	CodeRefresh             any       `json:"authorization_code_grant_refresh_token_lifespan"`
	CredentialsAccess       any       `json:"client_credentials_grant_access_token_lifespan"`
	RefreshAccess           any       `json:"refresh_token_grant_access_token_lifespan"`
	RefreshRefresh          any       `json:"refresh_token_grant_refresh_token_lifespan"`
}

// hydraList is a list as the API writes it, or as a row has it: an array, or
// words with a bar between them.
type hydraList []string

// UnmarshalJSON reads either form.
func (l *hydraList) UnmarshalJSON(b []byte) error {
	var text string
	if bytes.HasPrefix(b, []byte{'"'}) {
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		if !strings.HasPrefix(text, "[") {
			*l = slices.DeleteFunc(strings.Split(text, "|"), func(s string) bool { return s == "" })
			return nil
		}
		b = []byte(text)
	}
	var list []string
	err := json.Unmarshal(b, &list)
	*l = list
	return err
}

// hydraUnmatched are members that have no counterpart here; what is empty,
// false or the value given says nothing.
var hydraUnmatched = []struct{ name, nothing, text string }{
	{"client_secret_expires_at", `0`, "That product does not hold to it; add a secret that expires, and retire this one."},
	{"metadata", `{}`, "Metadata are not kept."},
	{"audience", `[]`, "Make a resource of it: the audience of a token is the resource that it is for."},
	{"owner", `""`, "The owner is not kept; contacts and tags are there for that."},
	{"client_uri", `""`, "Pages about a client are not kept."},
	{"logo_uri", `""`, "Pages about a client are not kept."},
	{"policy_uri", `""`, "Pages about a client are not kept."},
	{"tos_uri", `""`, "Pages about a client are not kept."},
	{"frontchannel_logout_uri", `""`, "There is no front-channel logout."},
	{"jwks_uri", `""`, "Keys of clients are not kept."},
	{"jwks", `{}`, "Keys of clients are not kept."},
	{"request_uris", `[]`, "There are no request objects."},
	{"request_object_signing_alg", `""`, "There are no request objects."},
	{"userinfo_signed_response_alg", `"none"`, "What userinfo answers is not signed."},
	{"subject_type", `"public"`, "The subject is the same for all clients."},
	{"sector_identifier_uri", `""`, "The subject is the same for all clients."},
	{"skip_consent", `false`, "Consent cannot be skipped by a setting of the client."},
	{"authorization_code_grant_id_token_lifespan", `""`, "The lifetime of id_tokens is not a setting of the client."},
	{"implicit_grant_access_token_lifespan", `""`, "There is one lifetime of access tokens a client."},
	{"implicit_grant_id_token_lifespan", `""`, "The lifetime of id_tokens is not a setting of the client."},
	{"jwt_bearer_grant_access_token_lifespan", `""`, "There is one lifetime of access tokens a client."},
}

// noteUnmatched notes the members of an entry that are said something by.
func (e *Entry) noteUnmatched(raw json.RawMessage, unmatched []struct{ name, nothing, text string }) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return
	}
	for _, u := range unmatched {
		var compact bytes.Buffer
		if raw := members[u.name]; raw == nil || json.Compact(&compact, raw) != nil {
			continue
		}
		value := compact.String()
		var text string
		if json.Unmarshal(members[u.name], &text) == nil && (text == "{}" || text == "[]") { // a column of text
			value = text
		}
		if !slices.Contains([]string{"null", `""`, "[]", "{}", "false", "0", u.nothing}, value) {
			e.note(u.name, "%s", u.text)
		}
	}
}

func fromHydra(raw json.RawMessage, e *Entry) {
	var c hydraClient
	if !e.read(raw, &c) {
		return
	}
	r := &e.Record
	id := c.ClientID
	if id == "" {
		id = c.RowID
	}
	if c.Name == "" {
		c.Name = id
	}
	e.Name = c.Name
	r.ID, r.Name = given(id), &c.Name
	public := c.TokenEndpointAuthMethod == client.AuthNone
	grants := e.hydraGrants(c.GrantTypes)
	e.settle(public, grants, c.RedirectURIs)
	r.PostLogoutRedirectURIs, r.AllowedOrigins = listed(c.PostLogoutRedirectURIs), listed(c.AllowedCORSOrigins)
	// A client that is made there without scopes has "offline_access offline openid".
	r.Scopes, r.Contacts = listed(e.withoutUser(strings.Fields(c.Scope))), listed(c.Contacts)
	if c.BackchannelURI != "" {
		r.BackchannelLogoutURI, r.BackchannelLogoutSessionRequired = &c.BackchannelURI, &c.BackchannelSession
	}
	if c.AccessTokenStrategy == "jwt" || c.AccessTokenStrategy == "opaque" {
		r.AccessTokenFormat = &c.AccessTokenStrategy
	}
	// A row has a time in UTC that does not say so.
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, c.CreatedAt); err == nil && at.Unix() > 0 {
			r.CreatedAt = &at
		}
	}
	e.hydraAuthentication(&c, public, grants)
	e.hydraLifespans(&c, grants)
	e.noteUnmatched(raw, hydraUnmatched)
}

// hydraGrants gives the grants that there are here.
func (e *Entry) hydraGrants(grants []string) []string {
	if grants == nil {
		return []string{code}
	}
	known := []string{}
	for _, g := range grants {
		if slices.Contains([]string{code, refreshing, credentials, password, implicit}, g) {
			known = append(known, g)
		} else {
			e.note("grant_types", "A grant type that is not here is left out.")
		}
	}
	return known
}

// hashed matches what is a hash, however costly or broken, and never a secret:
// taken for one in clear, it would let in whoever has read the table.
var hashed = regexp.MustCompile(`^\$(2[abxy]?|pbkdf2-\w+|argon2\w*)\$`)

func (e *Entry) hydraAuthentication(c *hydraClient, public bool, grants []string) {
	r := &e.Record
	switch c.TokenEndpointAuthMethod {
	case "", client.AuthBasic, client.AuthNone:
	case client.AuthPost:
		r.TokenEndpointAuthMethod = &c.TokenEndpointAuthMethod
	default:
		e.refuse("token_endpoint_auth_method", "This method is not here yet: give the client a secret, and the method client_secret_basic.")
		return
	}
	if public {
		return
	}
	if slices.Contains(grants, code) {
		r.RequirePKCE = new(false) // nothing there asks for it, save a setting of the whole server
	}
	switch {
	case c.Secret == "":
		e.note("client_secret", "There is none in the file (the API never gives one): the client has none until one is added. A row of the table hydra_client has its hash.")
	case key.CheckHash(c.Secret) == nil:
		r.SecretHash = &c.Secret
	case hashed.MatchString(c.Secret):
		e.refuse("client_secret", "This hash cannot be checked here, broken or too costly as it is: leave it out, and give the client another secret.")
	default:
		r.Secret = &c.Secret
	}
}

// hydraLifespans makes two lifetimes of those of each grant.
func (e *Entry) hydraLifespans(c *hydraClient, grants []string) {
	r := &e.Record
	var access []int64
	add := func(needed string, spans ...any) {
		if !slices.Contains(grants, needed) {
			return
		}
		for _, span := range spans {
			if n, ok := seconds(span); ok {
				access = append(access, n)
			}
		}
	}
	add(credentials, c.CredentialsAccess)
	add(code, c.CodeAccess)
	add(refreshing, c.RefreshAccess)
	if len(access) > 0 {
		r.AccessTokenLifetime = &client.Lifetime{Seconds: slices.Min(access)}
		if slices.Min(access) != slices.Max(access) {
			e.note("access_token_lifetime", "There is one lifetime of access tokens a client: the shortest.")
		}
	}
	if !slices.Contains(grants, refreshing) {
		return
	}
	for _, span := range []any{c.RefreshRefresh, c.CodeRefresh} {
		if n, ok := seconds(span); ok {
			r.RefreshTokenLifetime = &n
			return
		}
	}
}

// seconds reads a lifespan: 1h30m0s, or nanoseconds as a row has it.
func seconds(span any) (int64, bool) {
	var d time.Duration
	switch v := span.(type) {
	case string:
		parsed, err := time.ParseDuration(v)
		if err != nil {
			return 0, false
		}
		d = parsed
	case float64:
		d = time.Duration(v)
	}
	return int64(d / time.Second), d >= time.Second
}
