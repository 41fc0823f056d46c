package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// snippets are what the programs that get a client its first token are made of.
// Their template is "snippets".
type snippets struct {
	Grant        oauth.GrantType // client_credentials, authorization_code; "": there is none to show
	Authorize    string          // the authorization endpoint with its query, without the challenge; "": no redirect URI yet
	Token        string
	ClientID     string
	ClientSecret string // "": it sends none
	Redirect     string
	Scope        string
}

// mostScopes is how many scopes a snippet asks for.
const mostScopes = 20

// unknownSecret stands where a secret is not to be seen any more.
const unknownSecret = "CLIENT_SECRET"

// snippets gives those of a client, with its secret where it was just made.
func (v *visit) snippets(view *client.View, secret string) (snippets, error) {
	s := snippets{Token: view.Endpoints.Token, ClientID: view.ID, ClientSecret: secret}
	if secret == "" && view.Type == client.Confidential {
		s.ClientSecret = unknownSecret
	}
	for _, grant := range []oauth.GrantType{oauth.ClientCredentials, oauth.AuthorizationCode} {
		if s.Grant == "" && slices.Contains(view.GrantTypes, string(grant)) {
			s.Grant = grant
		}
	}
	var scopes []string
	for _, name := range view.Scopes[:min(len(view.Scopes), mostScopes)] {
		found, err := v.Scopes.Get(v.r.Context(), v.app.ID, name)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return s, err
		}
		if found.Kind.Suits(s.Grant) {
			scopes = append(scopes, name)
		}
	}
	s.Scope = strings.Join(scopes, " ")
	if s.Grant != oauth.AuthorizationCode || len(view.RedirectURIs) == 0 {
		return s, nil
	}
	s.Redirect = view.RedirectURIs[0]
	query := url.Values{
		"response_type": {"code"}, "client_id": {s.ClientID}, "redirect_uri": {s.Redirect}, "code_challenge_method": {"S256"},
	}
	if s.Scope != "" {
		query.Set("scope", s.Scope)
	}
	s.Authorize = view.Endpoints.Authorization + "?" + query.Encode()
	return s, nil
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
