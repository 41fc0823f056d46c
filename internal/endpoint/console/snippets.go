package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/granttype"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// snippets are what the programs that get a client its first token are made of.
// Their template is "snippets".
type snippets struct {
	Grant        oauth.GrantType // one of snippetGrants; "": there is none to show
	Authorize    string          // the authorization endpoint with its query, without the challenge; "": no redirect URI yet
	Token        string
	ClientID     string
	ClientSecret string // "": it sends none
	Redirect     string
	Scope        string
}

// snippetGrants are the grants that get a client its first token, the best first.
var snippetGrants = []oauth.GrantType{oauth.ClientCredentials, oauth.AuthorizationCode, oauth.Password, oauth.Implicit}

// responseTypes are what the grants ask the authorization endpoint for.
var responseTypes = map[oauth.GrantType]string{oauth.AuthorizationCode: "code", oauth.Implicit: "token"}

// A snippet asks for some scopes of a client that suit its grant, of the first ones.
const (
	mostScopes = 20
	lookedAt   = 100
)

// unknownSecret stands where a secret is not to be seen any more.
const unknownSecret = "CLIENT_SECRET"

// snippets gives those of a client, with its secret where it was just made.
func (v *visit) snippets(view *client.View, secret string) (snippets, error) {
	s := snippets{Token: view.Endpoints.Token, ClientID: view.ID, ClientSecret: secret}
	if secret == "" && view.Type == client.Confidential {
		s.ClientSecret = unknownSecret
	}
	var scopes []*scope.Scope
	for _, name := range view.Scopes[:min(len(view.Scopes), lookedAt)] {
		found, err := v.Scopes.Get(v.r.Context(), v.app.ID, name)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return s, err
		}
		scopes = append(scopes, found)
	}
	// A client may have scopes that suit some of its grants alone.
	admitted := granttype.Offered(string(view.Kind), v.app.Settings.Profile() == application.OAuth2)
	for _, grant := range snippetGrants {
		if !slices.Contains(view.GrantTypes, string(grant)) || !slices.Contains(admitted, grant) {
			continue
		}
		asked := scopesFor(grant, scopes)
		example := responseTypes[grant] == "" || len(view.RedirectURIs) > 0
		if s.Grant == "" || s.Scope == "" && asked != "" && example {
			s.Grant, s.Scope = grant, asked
		}
	}
	if responseTypes[s.Grant] == "" || len(view.RedirectURIs) == 0 {
		return s, nil
	}
	s.Redirect = view.RedirectURIs[0]
	query := url.Values{"response_type": {responseTypes[s.Grant]}, "client_id": {s.ClientID}, "redirect_uri": {s.Redirect}}
	if s.Grant == oauth.AuthorizationCode {
		query.Set("code_challenge_method", "S256")
	}
	if s.Scope != "" {
		query.Set("scope", s.Scope)
	}
	s.Authorize = view.Endpoints.Authorization + "?" + query.Encode()
	return s, nil
}

// scopesFor names those that a token of a grant may carry, the first ones.
func scopesFor(grant oauth.GrantType, scopes []*scope.Scope) string {
	var names []string
	for _, s := range scopes {
		if s.Kind.Suits(grant) && len(names) < mostScopes {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, " ")
}

// inShell quotes a text for a shell.
func inShell(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// inCode quotes a text for Go, JavaScript and Python, all of which read strings
// of JSON.
func inCode(text string) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return "", fmt.Errorf("quote a text: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}
