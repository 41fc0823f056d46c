package api

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/token"
)

type tokenPage struct {
	InApplication
	Paging
	ClientID string `query:"client_id" doc:"Only tokens of this client."`
	UserID   string `query:"user_id" doc:"Only tokens of this user, by the uuid."`
	Scope    string `query:"scope" doc:"Only tokens that carry this scope."`
	State    string `query:"state" enum:"live,expired,revoked" doc:"Only tokens in this state."`
}

// InFamily is the path of one token family.
type InFamily struct {
	InApplication
	Family string `path:"family" doc:"The id of the token family."`
}

// RevokedCount says how many families were taken back.
type RevokedCount struct {
	Revoked int `json:"revoked"`
}

func (a *api) tokens(b *builder) {
	const all, one = "/applications/{app}/tokens", "/applications/{app}/tokens/{family}"
	handle(b, operation{
		method: http.MethodGet, path: all, id: "list-tokens", tag: "tokens", need: admin.Read,
		summary: "List token families, the newest first",
	}, a.listTokens)
	handle(b, operation{
		method: http.MethodGet, path: one, id: "get-token", tag: "tokens", need: admin.Read,
		summary: "Show a token family", refuses: []int{http.StatusNotFound},
	}, a.getToken)
	handle(b, operation{
		method: http.MethodDelete, path: one, id: "revoke-token", tag: "tokens", need: admin.RevokeTokens,
		summary: "Take back a token family; one that has ended stays as it was", status: http.StatusNoContent, refuses: []int{http.StatusNotFound},
	}, a.revokeToken)
	text := func(doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Nullable: true, Description: doc}
	}
	handle(b, operation{
		method: http.MethodPost, path: all + "/revoke", id: "revoke-tokens", tag: "tokens", need: admin.RevokeTokens,
		summary: "Take back every live token family of a client, of a user or with a scope; at least one must be said",
		body: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{
			"client_id": text("Those of this client."), "user_id": text("Those of this user."), "scope": text("Those that carry this scope."),
		}},
	}, a.revokeTokens)
}

// nameable reports whether a text can be the name of anything; the databases would
// not take it else.
func nameable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

func (a *api) listTokens(c *call, in *tokenPage) (*plainly[list[token.View]], error) {
	for name, text := range map[string]string{"client_id": in.ClientID, "user_id": in.UserID, "scope": in.Scope} {
		if !nameable(text) {
			return nil, inQuery(name, "Write text in UTF-8.")
		}
	}
	text, err := in.place()
	if err != nil {
		return nil, err
	}
	q := token.Query{
		Selection: token.Selection{ClientID: in.ClientID, UserID: in.UserID, Scope: in.Scope},
		State:     token.State(in.State), Limit: in.Limit,
	}
	if text != "" {
		var ok bool
		if q.After, ok = token.ParseID(text); !ok {
			return nil, errCursor
		}
	}
	found, err := a.Tokens.List(c.Context(), c.app.ID, q)
	if err != nil {
		return nil, err
	}
	items := make([]token.View, len(found.Families))
	for i, f := range found.Families {
		items[i] = f.View(a.issuer(c.app.ID))
	}
	if !found.More {
		return page(items, ""), nil
	}
	return page(items, found.Next.String()), nil
}

var errNoFamily = problem(http.StatusNotFound, "There is no such token family; one that has ended is removed soon after.")

func (a *api) getToken(c *call, in *InFamily) (*plainly[token.View], error) {
	id, ok := token.ParseID(in.Family)
	if !ok {
		return nil, errNoFamily
	}
	found, err := a.Tokens.Get(c.Context(), c.app.ID, id)
	if err != nil {
		return nil, err
	}
	return &plainly[token.View]{found.View(a.issuer(c.app.ID))}, nil
}

func (a *api) revokeToken(c *call, in *InFamily) (*nothing, error) {
	id, ok := token.ParseID(in.Family)
	if !ok {
		return nil, errNoFamily
	}
	_, err := a.Tokens.RevokeFamily(c.Context(), c.source(), c.app.ID, id)
	return &nothing{}, err
}

func (a *api) revokeTokens(c *call, _ *InApplication) (*plainly[RevokedCount], error) {
	r, err := c.reader()
	if err != nil {
		return nil, err
	}
	selection := token.Selection{ClientID: r.named("client_id"), UserID: r.named("user_id"), Scope: r.named("scope")}
	for name, text := range map[string]string{"client_id": selection.ClientID, "user_id": selection.UserID, "scope": selection.Scope} {
		if !nameable(text) {
			r.problems.Add(name, "Write text in UTF-8.")
		}
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	n, err := a.Tokens.RevokeAll(c.Context(), c.source(), c.app.ID, selection)
	return &plainly[RevokedCount]{RevokedCount{n}}, err
}
