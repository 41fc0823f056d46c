package console

import (
	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/resource"
)

func resourceRoutes(s *routes) {
	k := recordPages[resource.Resource, resource.Fields]{
		noun: "resource", plural: "resources", section: "resources", key: "identifier", need: admin.EditScopes,
		texts: []string{"identifier", "name", "access_token_format"}, lists: []string{"scopes", "introspecting_clients"},
		core:     func(v *visit) recordEditor[resource.Resource, resource.Fields] { return v.Resources },
		read:     (*resource.Fields).Patch,
		name:     func(r *resource.Resource) string { return r.Identifier },
		revision: func(r *resource.Resource) int64 { return r.Revision },
		fixed:    func(*resource.Resource) string { return "" },
		inputs:   resourceInputs,
		related:  introspectors,
		rows:     resourceRows,
		effects: func(_ *visit, r *resource.Resource) (string, []string) {
			return "The resource " + r.Identifier + " will be deleted.", []string{
				"Requests that name it are refused from then on (invalid_target).",
				"Tokens for it that are out live on until they expire, and only their own clients may introspect them.",
			}
		},
		about:   "A resource is an API that tokens are for (RFC 8707). A token that is for none has the issuer as its audience.",
		columns: []string{"Name", "Scopes", "Introspecting clients", "Token format"},
	}
	k.routes(s)
}

func resourceRows(_ *visit, list []*resource.Resource) []recordRow {
	rows := make([]recordRow, len(list))
	for i, r := range list {
		scopes := listed(r.Scopes)
		if len(r.Scopes) == 0 {
			scopes = recordCell{Text: "any"}
		}
		format := string(r.AccessTokenFormat)
		if format == "" {
			format = "the client's"
		}
		rows[i] = recordRow{Cells: []recordCell{
			{Text: r.Name}, scopes, listed(r.Fields().IntrospectingClients), {Text: format},
		}}
	}
	return rows
}

func resourceInputs(v *visit, stored *resource.Resource) ([]*field, error) {
	var r resource.Resource
	if stored != nil {
		r = *stored
	}
	offered, err := v.scopesToTick()
	if err != nil {
		return nil, err
	}
	scopes := &field{Name: "scopes", Label: "Scopes", Help: "Those that a token for it may carry. None: any."}
	scopes.chooseScopes(offered, r.Scopes)
	return []*field{
		{
			Name: "identifier", Label: "Identifier", Mono: true, Required: true, Fixed: stored != nil, Value: r.Identifier, Placeholder: "https://api.example.com/orders",
			Help: "The URI of the API, as clients name it in the parameter resource and as it stands in aud. It is fixed once the resource is made.",
		},
		{Name: "name", Label: "Name", Value: r.Name, Help: "What people call it."},
		scopes,
		{
			Name: "introspecting_clients", Label: "Introspecting clients", Kind: "area", Rows: 3, Mono: true, Value: inLines(r.Fields().IntrospectingClients),
			Help: "Client ids (consumer keys), one a line: they may introspect tokens for it, whoever's those are.",
		},
		{Name: "access_token_format", Label: "Access token format", Kind: "select", Value: string(r.AccessTokenFormat), Options: []option{
			{Value: "", Label: "That of the client"},
			{Value: string(lifetime.JWT), Label: "JWT: verified offline too"},
			{Value: string(lifetime.Opaque), Label: "Opaque: looked up by introspection"},
		}},
	}, nil
}

// introspectors are the clients that may introspect tokens for a resource.
func introspectors(v *visit, r *resource.Resource) ([]navLink, error) {
	var list []navLink
	for _, i := range r.Introspectors {
		c, err := v.Clients.Get(v.r.Context(), v.app.ID, i.ClientID)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, navLink{Label: c.Title() + " may introspect tokens for it", Path: v.at("clients", c.ID)})
	}
	return list, nil
}
