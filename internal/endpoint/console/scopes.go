package console

import (
	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/scope"
)

func scopeRoutes(s *routes) {
	k := recordPages[scope.Scope, scope.Fields]{
		noun: "scope", plural: "scopes", section: "scopes", key: "name", need: admin.EditScopes,
		texts: []string{"name", "description", "kind", "required_role"}, lists: []string{"url_patterns"},
		core:     func(v *visit) recordEditor[scope.Scope, scope.Fields] { return v.Scopes },
		read:     (*scope.Fields).Patch,
		name:     func(s *scope.Scope) string { return s.Name },
		revision: func(s *scope.Scope) int64 { return s.Revision },
		fixed:    builtInScope,
		inputs:   scopeInputs,
		related:  scopeRelated,
		rows:     scopeRows,
		effects: func(_ *visit, s *scope.Scope) (string, []string) {
			return "The scope " + s.Name + " will be deleted.", []string{
				"It can only be deleted while no client is allowed it, no resource lists it and no live token carries it.",
				"Requests that name it are refused from then on (invalid_scope).",
			}
		},
		about:   "A scope is a permission: a client may be allowed it, and a token may carry it.",
		columns: []string{"Description", "For", "Required role", "URL patterns"},
	}
	k.routes(s)
}

// builtInScope says why a scope cannot be altered.
func builtInScope(s *scope.Scope) string {
	if s.BuiltIn {
		return "This scope is built in: it is in every application, and cannot be altered or deleted."
	}
	return ""
}

func scopeRows(_ *visit, list []*scope.Scope) []recordRow {
	rows := make([]recordRow, len(list))
	for i, s := range list {
		rows[i] = recordRow{Cells: []recordCell{
			{Text: s.Description}, {Text: scopeKinds[s.Kind]}, {Text: s.RequiredRole}, listed(s.URLPatterns),
		}}
		if s.BuiltIn {
			rows[i].Tag = "built in"
		}
	}
	return rows
}

// scopeKinds says whom a scope of each kind is for.
var scopeKinds = map[scope.Kind]string{
	"": "users and systems", scope.Any: "users and systems", scope.User: "users", scope.System: "systems", scope.OpenID: "users (OpenID)",
}

func scopeInputs(_ *visit, stored *scope.Scope) ([]*field, error) {
	var s scope.Scope
	if stored != nil {
		s = *stored
	}
	kinds := []option{
		{Value: string(scope.Any), Label: "Users and systems", Help: "Every grant may give it."},
		{Value: string(scope.User), Label: "Users", Help: "Only grants that a user takes part in."},
		{Value: string(scope.System), Label: "Systems", Help: "Only client credentials: a program that acts for itself."},
	}
	kind := s.Kind
	if kind == "" {
		kind = scope.Any
	}
	if kind == scope.OpenID {
		kinds = []option{{Value: string(kind), Label: "OpenID Connect", Help: "Who the user is, and what is known of the user."}}
	}
	return []*field{
		{
			Name: "name", Label: "Name", Mono: true, Required: true, Fixed: stored != nil, Value: s.Name, Placeholder: "orders:read",
			Help: "As clients ask for it: printable ASCII without spaces, quotation marks and backslashes. It is fixed once the scope is made.",
		},
		{
			Name: "description", Label: "Description", Kind: "area", Rows: 2, Value: s.Description,
			Help: "Users read it when they are asked for their consent.",
		},
		{Name: "kind", Label: "Whom it is for", Kind: "radios", Options: kinds, Value: string(kind)},
		{
			Name: "required_role", Label: "Required role", Value: s.RequiredRole,
			Help: "Only users who have this role are given it. It acts whenever a token is issued. Left empty, every user may have it.",
		},
		{
			Name: "url_patterns", Label: "URL patterns", Kind: "area", Rows: 4, Mono: true, Value: inLines(s.URLPatterns), Placeholder: "GET,POST /orders/*",
			Help: "What it opens at gateways, one a line: a path, or a URL with scheme and host, after methods where it is for these only. A star stands for any characters of a segment; as the last segment, for all that is below.",
		},
	}, nil
}

func scopeRelated(v *visit, s *scope.Scope) ([]navLink, error) {
	return []navLink{{Label: "Live tokens that carry it", Path: with(v.at("tokens"), "scope", s.Name, "state", "live")}}, nil
}

// mostBoxes is up to how many scopes are shown as boxes to tick; more are typed.
const mostBoxes = 60

// scopesToTick are the scopes of the application; nil: they are too many to tick.
func (v *visit) scopesToTick() ([]*scope.Scope, error) {
	list, next, err := v.Scopes.List(v.r.Context(), v.app.ID, "", mostBoxes)
	if err != nil || next != "" {
		return nil, err
	}
	return list, nil
}

// chooseScopes makes an input the choice of scopes, some of which are chosen: boxes
// of those offered, or lines (nil).
func (f *field) chooseScopes(offered []*scope.Scope, chosen []string) {
	if offered == nil {
		f.Kind, f.Rows, f.Mono, f.Value = "area", 6, true, inLines(chosen)
		f.Help += " One name a line: the application has so many that they are not listed here."
		return
	}
	const longestHelp = 200 // characters
	f.Kind, f.Values = "boxes", chosen
	for _, s := range offered {
		help := []rune(s.Description)
		if len(help) > longestHelp {
			help = append(help[:longestHelp-1], '…')
		}
		f.Options = append(f.Options, option{Value: s.Name, Label: s.Name, Help: string(help)})
	}
}
